"""The trimmed prior: it keeps out of where no posterior is, as far as its tries go."""

from __future__ import annotations

import pytest
import torch

from synthvae.model.priors.normal import NormalPrior
from synthvae.model.priors.trimmed import TrimmedPrior, TrimmedSpec
from synthvae.model.values import Noise, Space
from synthvae.seeds import stream


def posteriors(n: int, seed: int = 0) -> torch.Tensor:
    """To the right of the origin: half of N(0, I) has no posterior near."""
    z = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    return torch.stack([z[:, 0].abs(), z[:, 1]], dim=1)


def fitted(tries: int, cut: float = 0.02) -> TrimmedPrior:
    prior = TrimmedPrior(TrimmedSpec(components=8, cut=cut, tries=tries), 2)
    prior.fit(posteriors(8000), seed=1)
    return prior


def draw(prior: TrimmedPrior, n: int) -> torch.Tensor:
    return prior.sample(Noise.draw(stream(0, "t"), n, Space(2), 0, 0, prior.tries))


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_as_many_draws_end_outside_as_chance_would_have_it(tries: int) -> None:
    prior, n = fitted(tries), 20_000
    assert 0.45 < float(prior.kept) < 0.6
    outside = float((prior.map.log_density(draw(prior, n)) < prior.floor).float().mean())
    expected = float(1 - prior.kept) ** tries
    # Five standard errors, and what the share that is kept is off by.
    assert outside == pytest.approx(expected, abs=5 * (expected / n) ** 0.5 + 0.01 * expected)


def test_the_cut_is_the_share_of_posteriors_that_lie_outside() -> None:
    prior = fitted(8, cut=0.05)
    fresh = prior.map.log_density(posteriors(20_000, seed=9))
    assert float((fresh < prior.floor).float().mean()) == pytest.approx(0.05, abs=0.01)


def test_it_describes_posteriors_better_than_what_it_was_cut_from() -> None:
    """By log 2, less what the few outside cost."""
    fresh = posteriors(20_000, seed=9)
    gain = float((fitted(2).log_density(fresh) - NormalPrior().log_density(fresh)).mean())
    assert 0.2 < gain < 0.694


def test_every_point_has_a_density() -> None:
    far = torch.tensor([[30.0, -30.0], [-4.0, 0.0], [0.5, 0.0]])
    assert torch.isfinite(fitted(8).log_density(far)).all()
    nothing_kept = TrimmedPrior(TrimmedSpec(components=1), 2)
    nothing_kept.fit(torch.full((50, 2), 12.0), seed=0)
    assert torch.isfinite(nothing_kept.log_density(far)).all()
    assert torch.isfinite(draw(nothing_kept, 100)).all()
