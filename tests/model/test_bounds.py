"""The bounds, against marginal likelihoods that are known by numerical integration over z."""

from __future__ import annotations

import math

import pytest
import torch

from synthvae.layout import Block, Layout
from synthvae.model.bounds import elbo, iwae
from synthvae.model.decoders.parallel import ParallelSpec
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.objective import Objective
from synthvae.model.spec import ModelSpec, build
from synthvae.model.vae import Vae
from synthvae.model.values import Rows

LAYOUT = Layout(tuple(Block(name, name, "categorical", 2) for name in "abc"))
EVERY = Rows(torch.cartesian_prod(*[torch.arange(2)] * 3).int(), torch.empty(8, 0))


@pytest.fixture(scope="module")
def model() -> Vae:
    """One latent unit that the three blocks depend on strongly, and a posterior that is off."""
    spec = ModelSpec(encoder=(8,), latent=GaussianSpec(size=1), decoder=ParallelSpec(hidden=(8,)))
    model = build(spec, LAYOUT, seed=3)
    with torch.no_grad():
        model.decoder.latent.weight.mul_(3)
        model.decoder.out.weight.mul_(4)
        model.latent.mean.weight.mul_(3)
    return model


@pytest.fixture(scope="module")
def exact(model: Vae) -> torch.Tensor:
    """log p(x) [8] of every possible row."""
    z = torch.linspace(-8, 8, 2001)[:, None]
    log_prior = model.prior.log_density(z) + math.log(float(z[1] - z[0]))
    with torch.no_grad():
        rows = (EVERY.at(torch.full((len(z),), i)) for i in range(len(EVERY)))
        joint = torch.stack([log_prior - model.nats(z, of_it).sum(dim=1) for of_it in rows])
    found = torch.logsumexp(joint, dim=1)
    assert float(found.exp().sum()) == pytest.approx(1.0, abs=1e-4)
    return found


def noise(draws: int, repeats: int = 1, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(EVERY) * repeats, draws, 1, generator=generator)


@torch.no_grad()
def test_the_weighted_bound_rises_with_k_to_the_marginal_likelihood(
    model: Vae, exact: torch.Tensor
) -> None:
    repeats = 2000
    rows = EVERY.at(torch.arange(8).repeat(repeats))
    gaps = [
        exact - iwae(model, rows, noise(k, repeats)).view(repeats, 8).mean(dim=0)
        for k in (1, 3, 10)
    ]
    assert (gaps[0] > 0.01).all()
    assert (gaps[0] > gaps[1]).all()
    assert (gaps[1] > gaps[2]).all()
    assert (gaps[2] > -0.01).all()
    assert torch.allclose(iwae(model, EVERY, noise(100_000)), exact, atol=0.02)


@torch.no_grad()
def test_the_mean_over_draws_is_the_bound_in_closed_form(model: Vae, exact: torch.Tensor) -> None:
    draws = noise(20_000)
    closed = torch.stack([-model(EVERY, draws[:, i]).elbo for i in range(2000)]).mean(dim=0)
    estimated = elbo(model, EVERY, draws)
    assert torch.allclose(estimated, closed, atol=0.05)
    assert (estimated < exact).all()


def test_training_lowers_what_scoring_reports(model: Vae) -> None:
    draws = noise(5)
    loss = Objective(iwae=5).loss(model(EVERY, draws), 1.0)
    assert torch.allclose(loss, -iwae(model, EVERY, draws), atol=1e-5)
    one = noise(1)
    assert torch.allclose(elbo(model, EVERY, one), iwae(model, EVERY, one), atol=1e-6)


def test_a_row_is_worth_the_same_alone(model: Vae) -> None:
    draws = noise(7)
    alone = iwae(model, EVERY.at(slice(3, 4)), draws[3:4])
    assert torch.allclose(alone, iwae(model, EVERY, draws)[3:4], atol=1e-5)
