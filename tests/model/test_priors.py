"""Priors: densities, samplers that follow them, and fits that find what is there."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterator

import pytest
import torch

from synthvae.layout import Block, Layout
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.objective import Objective
from synthvae.model.parts import Prior, Rejecting
from synthvae.model.priors.flow import FlowPrior, FlowSpec
from synthvae.model.priors.gmm import GmmPrior, GmmSpec
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.priors.trimmed import TrimmedPrior, TrimmedSpec
from synthvae.model.priors.vamp import VampPrior, VampSpec
from synthvae.model.spec import ModelSpec, build, priors_of
from synthvae.model.vae import Vae
from synthvae.model.values import Noise, Posterior, Rows, Space
from synthvae.seeds import stream

TRIMMED = functools.partial(TrimmedPrior, TrimmedSpec(components=4))
LAYOUT = Layout(tuple(Block(name, name, "categorical", 3) for name in "ab"))


def clusters(n: int, seed: int = 0) -> torch.Tensor:
    """Two thirds at (-2, 0), narrow; one third at (2, 1), with correlated axes."""
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n, 2, generator=generator) * torch.tensor([0.3, 0.5]) + torch.tensor([-2, 0])
    right = torch.randn(n, 2, generator=generator) @ torch.tensor([[0.5, 0.4], [0.0, 0.2]])
    choose = torch.rand(n, generator=generator) < 2 / 3
    return torch.where(choose[:, None], left, right + torch.tensor([2.0, 1.0]))


def ring(n: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.rand(n, generator=generator)
    radius = 2 + 0.2 * torch.randn(n, generator=generator)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


def draw(prior: Prior, n: int, size: int = 2, seed: int = 0) -> Noise:
    tries = prior.tries if isinstance(prior, Rejecting) else 1
    return Noise.draw(stream(seed, "t"), n, Space(size), 0, 0, tries)


def vae(prior: str, size: int = 2) -> Vae:
    """A model whose pseudo-rows, if it has some, lie apart."""
    specs = {
        "vamp": VampSpec(components=5),
        "flow": FlowSpec(hidden=16),
        "gmm": GmmSpec(components=4),
        "trimmed": TrimmedSpec(components=4, cut=0.05),
    }
    spec = ModelSpec(latent=GaussianSpec(size=size), encoder=(16,))
    if prior in specs:
        spec = ModelSpec(latent=GaussianSpec(size=size), encoder=(16,), prior=specs[prior])
    model = build(spec, LAYOUT, seed=5)
    with torch.no_grad():
        model.latent.mean.weight.mul_(2)
        model.latent.log_var.bias.sub_(1)
    return model


@pytest.fixture(scope="module")
def fitted() -> Iterator[Callable[[str], Prior]]:
    """A prior by its name, fitted to clusters once."""
    made: dict[str, Prior] = {}

    def fit(kind: str) -> Prior:
        if kind not in made:
            made[kind] = vae(kind).prior
            made[kind].fit(clusters(3000), seed=1)
        return made[kind]

    with pytest.MonkeyPatch.context() as quick:
        quick.setattr("synthvae.model.priors.flow._STEPS", 300)
        yield fit


every_prior = pytest.mark.parametrize("kind", priors_of(GaussianSpec()))


@pytest.mark.parametrize("prior", [GmmPrior(5, 3), FlowPrior(3, 4, 8), TRIMMED(3)])
def test_before_the_fit_a_prior_is_standard_normal(prior: Prior) -> None:
    z = torch.randn(50, 3)
    assert torch.allclose(prior.log_density(z), NormalPrior().log_density(z), atol=1e-5)
    noise = draw(prior, 40, 3)
    assert torch.allclose(prior.sample(noise), noise.latent)


@every_prior
@torch.no_grad()
def test_the_density_adds_up_to_one_and_the_sampler_follows_it(
    kind: str, fitted: Callable[[str], Prior]
) -> None:
    prior, n, cells = fitted(kind), 40_000, 12
    axis = (torch.arange(240) + 0.5) / 20 - 6
    mass = torch.exp(prior.log_density(torch.cartesian_prod(axis, axis))) / 20**2
    assert float(mass.sum()) == pytest.approx(1.0, abs=0.01)
    expected = mass.view(cells, 240 // cells, cells, 240 // cells).sum(dim=(1, 3))
    drawn = prior.sample(draw(prior, n))
    found = torch.histogramdd(drawn, bins=[cells, cells], range=[-6.0, 6.0, -6.0, 6.0]).hist / n
    # Five standard errors in each of 144 cells, and what the grid leaves out.
    assert ((found - expected).abs() < 5 * torch.sqrt(expected / n) + 1e-4).all()


@every_prior
@torch.no_grad()
def test_a_draw_depends_on_its_own_noise_alone(kind: str, fitted: Callable[[str], Prior]) -> None:
    noise = draw(fitted(kind), 50, seed=1)
    whole, part = fitted(kind).sample(noise), fitted(kind).sample(noise.at(slice(20, 30)))
    assert torch.allclose(whole[20:30], part, atol=1e-5)


def test_samples_look_like_what_it_was_fitted_to() -> None:
    prior, n = GmmPrior(4, 2), 20_000
    prior.fit(clusters(5000), seed=1)
    drawn, real = prior.sample(draw(prior, n)), clusters(n, seed=9)
    assert torch.allclose(drawn.mean(0), real.mean(0), atol=0.05)
    assert torch.allclose(torch.cov(drawn.T), torch.cov(real.T), atol=0.08)
    assert float((drawn[:, 0] > 0).float().mean()) == pytest.approx(1 / 3, abs=0.03)
    held_out = prior.log_density(real).mean()
    assert float(held_out) > float(NormalPrior().log_density(real).mean()) + 1


def test_a_flow_bends_around_a_ring_where_few_gaussians_can_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("synthvae.model.priors.flow._STEPS", 400)
    flow, few, fresh = FlowPrior(2, 8, 32), GmmPrior(3, 2), ring(4000, seed=9)
    for prior in (flow, few):
        prior.fit(ring(3000), seed=1)
    nats = [float(-p.log_density(fresh).mean()) for p in (flow, few, NormalPrior())]
    entropy = math.log(2 * math.pi * 2) + 0.5 * math.log(2 * math.pi * math.e * 0.2**2)
    assert entropy - 0.02 < nats[0] < entropy + 0.25
    assert nats[0] < nats[1] - 0.2
    assert nats[1] < nats[2]


@pytest.mark.parametrize(
    "make", [lambda: GmmPrior(3, 2), lambda: FlowPrior(2, 2, 8), lambda: TRIMMED(2)]
)
def test_the_fit_follows_from_the_seed(
    make: Callable[[], Prior], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.model.priors.flow._STEPS", 60)
    one, two, other = make(), make(), make()
    before, z = torch.random.get_rng_state(), clusters(50, seed=3)
    for prior, seed in ((one, 1), (two, 1), (other, 2)):
        prior.fit(clusters(500), seed)
    assert torch.equal(one.log_density(z), two.log_density(z))
    assert not torch.equal(one.log_density(z), other.log_density(z))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_flow_is_fitted_anew_whatever_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthvae.model.priors.flow._STEPS", 60)
    one, two = FlowPrior(2, 2, 8), FlowPrior(2, 2, 8)
    two.fit(clusters(300, seed=8), seed=5)
    for prior in (one, two):
        prior.fit(clusters(500), seed=1)
    assert torch.equal(one.log_density(clusters(50)), two.log_density(clusters(50)))


@pytest.mark.parametrize("prior", [GmmPrior(32, 2), FlowPrior(2, 2, 8), TRIMMED(2)])
@pytest.mark.parametrize("draws", [1, 5])
def test_few_draws_do_no_harm(prior: Prior, draws: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthvae.model.priors.flow._STEPS", 60)
    prior.fit(clusters(draws), seed=0)
    assert torch.isfinite(prior.log_density(clusters(50))).all()


def test_the_rate_of_a_vamp_prior_is_the_kl_divergence_in_the_mean() -> None:
    prior = vae("vamp", size=1).prior
    mean, log_var = torch.tensor([[0.8]]), torch.tensor([[-0.7]])
    axis = torch.linspace(-12, 12, 20_001)[:, None]
    with torch.no_grad():
        log_q = Posterior(axis, mean, log_var).log_density().sum(dim=1)
        step = float(axis[1] - axis[0])
        exact = float((log_q.exp() * (log_q - prior.log_density(axis))).sum() * step)
        noise = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
        draws = mean + torch.exp(0.5 * log_var) * noise
        rate = prior.rate(Posterior(draws, mean, log_var))
    assert rate.shape == (200_000, 1)
    error = float(rate.std()) / 200_000**0.5
    assert exact > 0.05
    assert float(rate.mean()) == pytest.approx(exact, abs=5 * error + 1e-5)


@torch.no_grad()
def test_the_rates_of_a_vamp_prior_add_up_and_none_is_negative_in_the_mean() -> None:
    prior, n = vae("vamp", size=3).prior, 50_000
    mean, log_var = torch.tensor([[0.8, -0.3, 0.1]]), torch.tensor([[-1.0, 0.2, -0.5]])
    noise = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    posterior = Posterior(mean + torch.exp(0.5 * log_var) * noise, mean, log_var)
    rate = prior.rate(posterior)
    whole = posterior.log_density().sum(dim=1) - prior.log_density(posterior.z)
    assert torch.allclose(rate.sum(dim=1), whole, atol=1e-4)
    assert (rate.mean(dim=0) > -4 * rate.std(dim=0) / n**0.5).all()


def test_a_vamp_prior_is_made_of_the_posteriors_of_its_model() -> None:
    model, z = vae("vamp"), clusters(20)
    other = copy.deepcopy(model)
    with torch.no_grad():
        model.latent.mean.bias.add_(1)
        moved, unmoved = model.prior.log_density(z + 1), other.prior.log_density(z)
    assert torch.allclose(moved, unmoved, atol=1e-4)
    assert [key for key in model.state_dict() if key.startswith("prior")] == ["prior.pseudo"]
    again = vae("vamp")
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.prior.log_density(z), model.prior.log_density(z))


@every_prior
def test_training_moves_the_priors_that_are_trained_and_no_other(kind: str) -> None:
    model = vae(kind)
    codes = torch.randint(0, 3, (30, 2), generator=torch.Generator().manual_seed(0))
    terms = model(Rows(codes.int(), torch.empty(30, 0)), torch.randn(30, 2))
    Objective().loss(terms, 1.0).mean().backward()
    moved = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.prior.parameters()]
    assert moved == [True] if isinstance(model.prior, VampPrior) else not any(moved)
    assert all(p.requires_grad == moves for p, moves in
               zip(model.prior.parameters(), moved, strict=True))  # fmt: skip


def test_a_fitted_flow_is_saved_whole_and_still_leaves_training_alone(
    fitted: Callable[[str], Prior],
) -> None:
    prior, z = fitted("flow"), clusters(20)
    again = vae("flow").prior
    again.load_state_dict(prior.state_dict())
    assert torch.equal(again.log_density(z), prior.log_density(z))
    assert not any(p.requires_grad for p in prior.parameters())


@pytest.mark.parametrize(("middle", "spread"), [(10.0, 0.0025), (10.0, 0.01), (50.0, 0.01)])
def test_a_mixture_finds_what_is_narrow_and_far_off(middle: float, spread: float) -> None:
    z = middle + spread * torch.randn(2000, 4, generator=torch.Generator().manual_seed(0))
    prior = GmmPrior(32, 4)
    prior.fit(z, 0)
    drawn = prior.sample(Noise.draw(stream(1, "narrow"), 2000, Space(4), 0, 0))
    assert (drawn.mean(dim=0) - middle).abs().max() < 0.01
    assert drawn.std(dim=0).max() < spread + 0.02  # the least deviation is 0.01
