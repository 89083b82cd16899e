"""Densities of scalar blocks: nats of torch's own distributions, and draws that follow them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthvae.model.scalars import GaussianMixture, MixtureSpec
from synthvae.seeds import stream


def reference(outputs: torch.Tensor) -> torch.distributions.MixtureSameFamily:
    weight, mean, log_scale = outputs.chunk(3, dim=-1)
    return torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=weight),
        torch.distributions.Normal(mean, log_scale.exp()),
    )


def test_nats_are_those_of_the_mixture_and_0_where_nothing_is() -> None:
    torch.manual_seed(0)
    mixture, outputs = GaussianMixture(5), torch.randn(9, 2, 15).clamp(-2, 2)
    values = torch.randn(9, 2)
    values[4, 1] = torch.nan
    nats = mixture.nats(outputs, values)
    expected = -reference(outputs).log_prob(torch.nan_to_num(values))
    assert float(nats[4, 1]) == 0.0
    present = ~torch.isnan(values)
    assert torch.allclose(nats[present], expected[present], atol=1e-5)


def test_a_missing_value_gives_no_gradient() -> None:
    outputs = torch.randn(3, 1, 6, requires_grad=True)
    GaussianMixture(2).nats(outputs, torch.full((3, 1), torch.nan)).sum().backward()
    assert outputs.grad is not None
    assert (outputs.grad == 0).all()


def test_draws_follow_the_mixture() -> None:
    n, rng = 40_000, stream(0, "test")
    torch.manual_seed(2)
    outputs = torch.randn(1, 1, 9).expand(n, -1, -1)
    uniform = torch.from_numpy(rng.random((n, 1), np.float32))
    normal = torch.from_numpy(rng.standard_normal((n, 1), np.float32))
    drawn = GaussianMixture(3).draw(outputs, slice(0, 1), uniform, normal)[:, 0]
    ordered = drawn.sort().values
    expected = reference(outputs[0, 0]).cdf(ordered[:, None])[:, 0]
    gap = (expected - (torch.arange(n) + 0.5) / n).abs().max()
    assert float(gap) < 1.95 / n**0.5  # Kolmogorov-Smirnov, 0.1 %


def test_it_starts_near_a_standard_normal() -> None:
    start = reference(MixtureSpec().build(1).start())
    assert float(start.mean) == pytest.approx(0, abs=1e-6)
    assert float(start.variance) == pytest.approx(1.2, abs=0.4)
