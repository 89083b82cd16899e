"""Latent and prior in levels: rates and densities are those of the formulas, both learn."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from synthvae.errors import MetadataError
from synthvae.layout import Block, Layout
from synthvae.model.compute import side_by_side
from synthvae.model.latents.hierarchical import HierarchicalLatent, HierarchicalSpec
from synthvae.model.presets import PRESETS
from synthvae.model.priors.hierarchical import HierarchicalPrior, HierarchicalPriorSpec
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.spec import ModelSpec, build
from synthvae.model.values import Noise, Posterior, Rows, Space
from synthvae.seeds import stream
from synthvae.settings import parse
from synthvae.training.latent import ACTIVE, settle

LAYOUT = Layout(tuple(Block(name, name, "categorical", 5) for name in "abc"))
LINE = Space(2, levels=(1, 1))  # a unit a level: small enough for a grid


def rows(n: int) -> Rows:
    codes = torch.randint(0, 5, (n, 3), generator=torch.Generator().manual_seed(0))
    return Rows(codes.int(), torch.empty(n, 0))


def shaken(module: nn.Module, seed: int, scale: float = 1.0) -> nn.Module:
    """`module` with random weights, so that nothing is standard by chance."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(scale * torch.randn(p.shape, generator=generator))
    return module


def bent_prior() -> HierarchicalPrior:
    """p(z_2 | z_1) with a mean and a width that vary with z_1, and a top level that was fitted."""
    prior = HierarchicalPrior(3, 8, LINE)
    shaken(prior.nets, 1, 0.6)
    generator = torch.Generator().manual_seed(2)
    top = torch.randn(3000, 1, generator=generator) * 0.5
    top[::2] += 2.0
    prior.fit(torch.cat([top, top], dim=1), seed=0)
    return prior


def wide(n: int, seed: int, space: Space) -> Noise:
    return Noise.draw(stream(seed, "t"), n, space, 0, 0)


def test_the_rate_of_each_level_is_the_kl_divergence_by_monte_carlo() -> None:
    space = Space(5, levels=(2, 3))
    latent, prior = HierarchicalLatent(4, 8, space), HierarchicalPrior(2, 8, space)
    shaken(latent, 3, 0.3), shaken(prior.nets, 4, 0.3)
    n = 40_000
    h = torch.tensor([[0.5, -1.0, 2.0, 0.3]]).expand(n, -1)
    with torch.no_grad():
        q = latent(h, torch.randn(n, 5, generator=torch.Generator().manual_seed(5)))
        rate = prior.rate(q)
        mean, log_var = prior._given_above(q.z)
        at_q, at_p = (
            torch.distributions.Normal(m, torch.exp(0.5 * v)).log_prob(q.z)
            for m, v in ((q.mean, q.log_var), (mean, log_var))
        )
    assert rate.shape == (n, 5)
    assert (rate >= 0).all()
    for own in (slice(0, 2), slice(2, 5)):
        sampled = (at_q - at_p)[:, own].sum(dim=1)
        error = float(sampled.std()) / n**0.5
        assert float(rate[:, own].sum(dim=1).mean()) == pytest.approx(
            float(sampled.mean()), abs=4 * error
        )
        assert float(sampled.mean()) > 10 * error  # both levels have a rate to speak of


def test_the_whole_rate_is_that_of_the_densities() -> None:
    """E q [log q(z | x) - log p(z)], with p from `log_density` alone."""
    latent, prior = HierarchicalLatent(2, 8, LINE), HierarchicalPrior(2, 8, LINE)
    shaken(latent, 6, 0.5), shaken(prior.nets, 7, 0.5)
    n = 40_000
    with torch.no_grad():
        q = latent(torch.ones(n, 2), torch.randn(n, 2, generator=torch.Generator().manual_seed(8)))
        log_q = torch.distributions.Normal(q.mean, torch.exp(0.5 * q.log_var)).log_prob(q.z).sum(1)
        sampled = log_q - prior.log_density(q.z)
        rate = prior.rate(q).sum(dim=1)
    assert float(rate.mean()) == pytest.approx(
        float(sampled.mean()), abs=4 * float((sampled - rate).std()) / n**0.5
    )


@torch.no_grad()
def test_the_density_adds_up_to_one_and_the_sampler_follows_it() -> None:
    prior, n = bent_prior(), 100_000
    axis, step = torch.linspace(-12, 12, 1201), 24 / 1200
    grid = torch.cartesian_prod(axis, axis)
    mass = torch.exp(prior.log_density(grid)).view(1201, 1201) * step**2
    assert float(mass.sum()) == pytest.approx(1.0, abs=1e-3)
    drawn = prior.sample(wide(n, 0, LINE))
    for low, high in ((-1.0, 0.5), (0.5, 1.5), (1.5, 3.0)):  # z_2 where z_1 lies in a strip
        strip = (axis > low) & (axis < high)
        share = float(mass[strip].sum())
        inside = drawn[(drawn[:, 0] > low) & (drawn[:, 0] < high), 1]
        assert len(inside) / n == pytest.approx(share, abs=0.015)
        mean = float((mass[strip] * axis).sum()) / share
        spread = float((mass[strip] * (axis - mean) ** 2).sum() / share) ** 0.5
        assert float(inside.mean()) == pytest.approx(mean, abs=0.05 * spread + 0.01)
        assert float(inside.std()) == pytest.approx(spread, rel=0.05)
    entropy = -float(prior.log_density(drawn).mean())
    assert entropy == pytest.approx(
        -float((mass * mass.clamp(min=1e-30).log()).sum()) + float(torch.tensor(step**2).log()),
        abs=0.02,
    )


def test_before_training_it_is_standard_normal() -> None:
    space = Space(5, levels=(2, 3))
    prior, z = HierarchicalPrior(4, 8, space), torch.randn(50, 5)
    assert torch.allclose(prior.log_density(z), NormalPrior().log_density(z), atol=1e-5)
    noise = wide(50, 0, space)
    assert torch.allclose(prior.sample(noise), noise.latent)
    q = Posterior(z, 0.3 * z, z.abs())
    assert torch.allclose(prior.rate(q), NormalPrior().rate(q), atol=1e-6)


def test_lower_levels_see_upper_ones_and_not_the_other_way_round() -> None:
    space = Space(6, levels=(1, 2, 3))
    latent, h = shaken(HierarchicalLatent(4, 8, space), 1, 0.4), torch.randn(1, 4)
    noise = torch.zeros(1, 6)
    before = latent(h, noise)
    noise[0, 1] = 1.0  # in the second level
    after = latent(h, noise)
    assert torch.equal(before.mean[:, :3], after.mean[:, :3])
    assert torch.equal(before.z[:, :1], after.z[:, :1])
    assert (before.mean[:, 3:] != after.mean[:, 3:]).all()


def test_gradients_reach_both_levels_of_both_parts() -> None:
    model = build(PRESETS["hvae"].model, LAYOUT, 0)
    model(rows(64), torch.randn(64, model.space.size)).elbo.mean().backward()
    for part in (model.latent, model.prior):
        for net in part.nets:
            assert float(net.out.weight.grad.abs().max()) > 0
    # Below the top the prior begins with zeros, through which nothing comes before the first step.
    assert float(model.latent.nets[0].inner.weight.grad.abs().max()) > 0


def test_a_collapsed_level_is_seen_in_the_report() -> None:
    model = build(
        ModelSpec(latent=HierarchicalSpec(levels=(3, 2)), prior=HierarchicalPriorSpec()), LAYOUT, 0
    )
    top, low = model.latent.nets
    with torch.no_grad():
        top.out.weight.mul_(30)
        top.out.bias[3:].fill_(-3.0)  # narrow
        low.out.weight.zero_()
        low.out.bias.zero_()
    with side_by_side(1) as pool:
        told = settle(model, rows(4000), 0, pool)
    assert told["rate_level_1"] > 3
    assert told["rate_level_2"] == pytest.approx(0.0, abs=1e-5)
    assert told["rate"] == pytest.approx(told["rate_level_1"] + told["rate_level_2"], rel=1e-5)
    assert told["collapsed_levels"] == 1
    assert told["active"] == 3


def test_a_unit_that_only_follows_the_level_above_is_not_active() -> None:
    """Posterior and prior of the lower level have the same mean, which varies with z_1."""
    model = build(
        ModelSpec(latent=HierarchicalSpec(levels=(1, 1)), prior=HierarchicalPriorSpec()), LAYOUT, 0
    )
    top, low = model.latent.nets
    (below,) = model.prior.nets
    shaken(below, 3)
    with torch.no_grad():
        top.out.weight.mul_(30)
        top.out.bias[1:].fill_(-3.0)
        low.inner.weight.zero_()
        low.inner.weight[:, -1:].copy_(below.inner.weight)
        low.inner.bias.copy_(below.inner.bias)
        low.out.load_state_dict(below.out.state_dict())
        means = model.encode(rows(4000), torch.randn(4000, 2)).mean
    assert float(means[:, 1].var()) > 2 * ACTIVE
    with side_by_side(1) as pool:
        told = settle(model, rows(4000), 0, pool)
    assert told["collapsed_levels"] == 1
    assert told["active"] == 1


@pytest.mark.parametrize(
    ("latent", "prior"),
    [("hierarchical", "normal"), ("hierarchical", "gmm"), ("gaussian", "hierarchical")],
)
def test_levels_on_one_side_alone_are_refused(latent: str, prior: str) -> None:
    model = {"latent": {"kind": latent}, "prior": {"kind": prior}}
    with pytest.raises(MetadataError, match=f"prior: {prior} .* latent: {latent}"):
        parse({"preset": "tvae", "model": model})


def test_one_level_is_no_hierarchy() -> None:
    with pytest.raises(ValueError, match="two levels or more"):
        HierarchicalSpec(levels=(8,))
    with pytest.raises(ValueError, match="levels"):
        HierarchicalSpec(levels=(8, 0))
