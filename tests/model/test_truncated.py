"""Mixtures within intervals, held to numerical integration, far tails among them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm

from synthvae.model import truncated
from synthvae.model.truncated import Mixture

N = 20_000


def mixture(n: int) -> Mixture:
    weight = torch.log(torch.tensor([[0.3, 0.7]])).repeat(n, 1)
    return Mixture(
        weight, torch.tensor([[-1.0, 2.0]]).repeat(n, 1), torch.tensor([[0.5, 1.0]]).repeat(n, 1)
    )


def cdf(x: np.ndarray) -> np.ndarray:
    return 0.3 * norm.cdf((x + 1) / 0.5) + 0.7 * norm.cdf(x - 2)


@pytest.mark.parametrize("spans", [[[-1.5, -0.5]], [[-1.5, -0.5], [3.0, np.inf]], [[2.5, 2.6]]])
def test_mass_and_draws_are_those_of_the_part(spans: list[list[float]]) -> None:
    inside = torch.tensor([*spans, [torch.inf, -torch.inf]], dtype=torch.double)
    own, rng = mixture(N), torch.Generator().manual_seed(0)
    total = sum(cdf(np.array(b)) - cdf(np.array(a)) for a, b in spans)
    assert own.mass(inside)[0].exp().item() == pytest.approx(float(total), rel=1e-6)
    drawn = own.draw(inside, *torch.rand(2, N, generator=rng)).numpy()

    def part(x: np.ndarray) -> np.ndarray:
        return sum(cdf(np.clip(x, a, b)) - cdf(np.array(a)) for a, b in spans) / total

    assert any(a <= drawn.min() <= b for a, b in spans)
    assert kstest(drawn, part).pvalue > 1e-3


@pytest.mark.parametrize("span", [[9.0, 10.0], [-20.0, -15.0]])
def test_far_tails_keep_their_digits(span: list[float]) -> None:
    own = Mixture(*(torch.full((5, 1), value) for value in (0.0, 0.0, 1.0)))
    inside = torch.tensor([span], dtype=torch.double)
    expected = np.log(norm.sf(9) - norm.sf(10)) if span[0] > 0 else norm.logcdf(-15)
    assert own.mass(inside)[0].item() == pytest.approx(float(expected), rel=1e-6)
    level = torch.linspace(0.1, 0.9, 5)
    drawn = own.draw(inside, torch.rand(5), level)
    assert ((drawn >= span[0]) & (drawn <= span[1])).all()
    assert len(drawn.unique()) == 5


def test_memory_does_not_grow_with_the_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    at = torch.linspace(-3, 4, 61, dtype=torch.double)
    inside = torch.stack([at[:-1], at[:-1] + 0.05], dim=1)
    own, uniform = mixture(500), torch.rand(2, 500, generator=torch.Generator().manual_seed(0))
    whole = own.mass(inside), own.draw(inside, *uniform)
    each = inside[None].repeat(500, 1, 1)
    seen, parts = [], Mixture._parts
    monkeypatch.setattr(truncated, "_AT_ONCE", 60 * 2 * 7)
    monkeypatch.setattr(Mixture, "_parts", lambda *a: seen.append(len(a[1])) or parts(*a))
    assert torch.equal(own.mass(each), whole[0])
    assert torch.equal(own.draw(each, *uniform), whole[1])
    assert max(seen) == 7
