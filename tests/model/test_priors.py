"""Priors: densities, samplers that follow them, and a fit that finds clusters."""

from __future__ import annotations

import pytest
import torch

from synthvae.model.parts import Noise, Space
from synthvae.model.priors.gmm import GmmPrior
from synthvae.model.priors.normal import NormalPrior
from synthvae.seeds import stream


def clusters(n: int, seed: int = 0) -> torch.Tensor:
    """Two thirds at (-2, 0), narrow; one third at (2, 1), with correlated axes."""
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n, 2, generator=generator) * torch.tensor([0.3, 0.5]) + torch.tensor([-2, 0])
    right = torch.randn(n, 2, generator=generator) @ torch.tensor([[0.5, 0.4], [0.0, 0.2]])
    choose = torch.rand(n, generator=generator) < 2 / 3
    return torch.where(choose[:, None], left, right + torch.tensor([2.0, 1.0]))


def fitted() -> GmmPrior:
    prior = GmmPrior(4, 2)
    prior.fit(clusters(5000), seed=1)
    return prior


def test_before_the_fit_the_mixture_is_standard_normal() -> None:
    z = torch.randn(50, 3)
    assert torch.allclose(GmmPrior(5, 3).log_density(z), NormalPrior().log_density(z), atol=1e-5)
    noise = Noise.draw(stream(0, "t"), 40, Space(3), 0, 0)
    assert torch.allclose(GmmPrior(5, 3).sample(noise), noise.latent)


def test_the_density_adds_up_to_one() -> None:
    axis = torch.linspace(-6, 6, 400)
    grid = torch.cartesian_prod(axis, axis)
    mass = torch.exp(fitted().log_density(grid)).sum() * (axis[1] - axis[0]) ** 2
    assert float(mass) == pytest.approx(1.0, abs=0.01)


def test_samples_look_like_what_it_was_fitted_to() -> None:
    prior, n = fitted(), 20_000
    drawn, real = prior.sample(Noise.draw(stream(0, "t"), n, Space(2), 0, 0)), clusters(n, seed=9)
    assert torch.allclose(drawn.mean(0), real.mean(0), atol=0.05)
    assert torch.allclose(torch.cov(drawn.T), torch.cov(real.T), atol=0.08)
    assert float((drawn[:, 0] > 0).float().mean()) == pytest.approx(1 / 3, abs=0.03)
    held_out = prior.log_density(real).mean()
    assert float(held_out) > float(NormalPrior().log_density(real).mean()) + 1


def test_the_fit_follows_from_the_seed() -> None:
    one, two, other = (GmmPrior(3, 2) for _ in range(3))
    for prior, seed in ((one, 1), (two, 1), (other, 2)):
        prior.fit(clusters(500), seed)
    assert torch.equal(one.mean, two.mean)
    assert not torch.equal(one.mean, other.mean)


def test_fewer_draws_than_components_do_no_harm() -> None:
    prior = GmmPrior(32, 2)
    prior.fit(clusters(5), seed=0)
    assert torch.isfinite(prior.log_density(clusters(50))).all()
