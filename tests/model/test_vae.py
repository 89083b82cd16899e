"""The composition: its terms are those of the formulas, and conditions stay as given."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from synthvae.layout import Block, Layout
from synthvae.model.objective import Objective
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.spec import ModelSpec, build
from synthvae.model.values import Noise, Posterior, Rows, Terms
from synthvae.seeds import stream

BLOCKS = (
    Block("a", "a", "categorical", 3),
    Block("b:mode", "b", "categorical", 4),
    Block("b:scalar", "b", "scalar", 1),
    Block("c", "c", "categorical", 2),
)


def rows(n: int = 16) -> Rows:
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, size, n) for size in (3, 4, 2)], 1).astype(np.int32)
    return Rows(torch.from_numpy(codes), torch.rand(n, 1))


def test_normal_prior_rate_is_the_kl_divergence() -> None:
    mean, log_var = torch.tensor([[0.7, -1.0]]), torch.tensor([[0.4, -2.0]])
    rate = NormalPrior().rate(Posterior(mean, mean, log_var))
    q = torch.distributions.Normal(mean, torch.exp(0.5 * log_var))
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    assert torch.allclose(rate, expected, atol=1e-6)


def test_elbo_is_distortion_plus_rate() -> None:
    terms = Terms(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 0.25]]))
    assert float(terms.distortion) == 3.0
    assert float(terms.elbo) == 3.75


def test_objective_weighs_the_rate_and_warms_up() -> None:
    terms = Terms(torch.tensor([[1.0, 2.0]]), torch.tensor([[4.0]]))
    assert float(Objective().loss(terms, 0.25)) == 4.0
    objective = Objective(beta=0.5, warmup_epochs=10)
    assert [objective.weight(e) for e in (0, 5, 10, 20)] == [0.0, 0.25, 0.5, 0.5]
    assert Objective(beta=0.5).weight(0) == 0.5


@pytest.mark.parametrize("given", [(), ("a",), ("a", "c")])
def test_terms_have_a_nat_per_modelled_block_and_a_rate_per_unit(given: tuple[str, ...]) -> None:
    layout = Layout(BLOCKS, given)
    model = build(ModelSpec(), layout, seed=1)
    terms = model(rows(), torch.randn(16, model.space.size))
    assert terms.nats.shape == (16, 4 - len(given))
    assert terms.rate.shape == (16, model.space.size)
    assert torch.isfinite(terms.elbo).all()


def test_given_blocks_come_back_as_given() -> None:
    layout = Layout(BLOCKS, ("b",))
    model = build(dataclasses.replace(ModelSpec(), numeric="cells"), layout, seed=1)
    given = rows().part(model.given)
    noise = Noise.draw(stream(0), 16, model.space, len(model.modelled.codes), 0)
    drawn = model.sample(given, noise)
    assert torch.equal(drawn.codes[:, 1], given.codes[:, 0])
    assert torch.equal(drawn.scalars, given.scalars)
    assert drawn.codes.shape == (16, 3)


def test_the_seed_decides_the_first_weights_and_leaves_torch_alone() -> None:
    layout = Layout(BLOCKS)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (build(ModelSpec(), layout, seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    weights = [model.encoder.embedding.weight for model in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_gradients_equal_finite_differences() -> None:
    model = build(ModelSpec(encoder=(8,)), Layout(BLOCKS), seed=0).double()
    data = Rows(rows(4).codes, rows(4).scalars.double())
    noise = torch.randn(4, model.space.size, dtype=torch.double)
    weight = model.decoder.latent.weight

    def loss() -> torch.Tensor:
        return model(data, noise).elbo.sum()

    loss().backward()
    assert weight.grad is not None
    with torch.no_grad():
        exact = float(weight.grad[0, 0])
        weight[0, 0] += 1e-6
        up = float(loss())
        weight[0, 0] -= 2e-6
        assert (up - float(loss())) / 2e-6 == pytest.approx(exact, rel=1e-4)
