"""A mixture's counts are those of its sample, and come near the counts that it is fitted to."""

from typing import Any

import numpy as np
import pytest
import torch

from synthvae.marginals import mixture as mixtures
from synthvae.marginals.measure import OneWay, TwoWay, TwoWays
from synthvae.marginals.mixture import Mixture, Targets, fit_mixture

RNG = np.random.default_rng(4)
SIZES = (3, 4, 2)


def one(shares: Any, sigma: float = 1e-4, doubtful: Any = ()) -> OneWay:
    shares = np.asarray(shares, float)
    return OneWay.of(shares, np.full(len(shares), sigma), 1.0, False, doubtful)


def joint() -> Any:
    """Shares [3, 4, 2] of a table whose columns depend on each other."""
    drawn = RNG.dirichlet(np.full(24, 0.3)).reshape(SIZES)
    return 0.9 * drawn + 0.1 / 24


def targets(shares: Any, sigma: float = 1e-3) -> tuple[list[OneWay], TwoWays]:
    """All ones and pairs of a joint, without groups."""
    every = []
    for i, j, k in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        groups = (np.arange(SIZES[i]), np.arange(SIZES[j]))
        every.append(TwoWay((i, j), groups, shares.sum(k), sigma))
    others = ((1, 2), (0, 2), (0, 1))
    return [one(shares.sum(axes), sigma) for axes in others], TwoWays(every[1:], every[:1])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixtures, "COMPONENTS", 40)
    monkeypatch.setattr(mixtures, "STEPS", 250)


def test_a_mixture_comes_near_a_joint_that_is_known(quick: None) -> None:
    shares = joint()
    fitted = fit_mixture(*targets(shares, 1e-4), rows=1.0, seed=1)
    drawn = fitted.sample(200_000, RNG)
    for axis, (i, j) in enumerate(((1, 2), (0, 2), (0, 1))):
        pair = np.zeros((SIZES[i], SIZES[j]))
        np.add.at(pair, (drawn[:, i], drawn[:, j]), 1 / len(drawn))
        assert np.abs(pair - shares.sum(axis)).sum() / 2 < 0.01
        alone = np.outer(pair.sum(1), pair.sum(0))
        assert np.abs(pair - alone).sum() / 2 > 0.05


def test_noise_that_is_large_is_not_followed(quick: None) -> None:
    """Counts of independent columns under much noise: the mixture stays nearer to independence than
    the counts are."""
    shares = np.einsum("i,j,k->ijk", [0.5, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1], [0.6, 0.4])
    ones, counted = targets(shares, 0.03)
    noisy = [
        TwoWay(p.columns, p.groups, p.shares + RNG.normal(0, 0.03, p.shares.shape), p.sigma)
        for p in counted.every
    ]
    fitted = fit_mixture(ones, TwoWays(noisy), rows=1000.0, seed=1)
    drawn = fitted.sample(100_000, RNG)
    for pair in noisy:
        i, j = pair.columns
        found = np.zeros(pair.shares.shape)
        np.add.at(found, (drawn[:, i], drawn[:, j]), 1 / len(drawn))
        alone = np.outer(found.sum(1), found.sum(0))
        assert np.abs(found - alone).sum() < np.abs(pair.shares - alone).sum() / 3


def test_counts_of_a_mixture_are_those_of_its_sample() -> None:
    """`Targets` holds a mixture against its own counts, taken from a sample: nothing is off by more
    than the sample errs."""
    torch.manual_seed(0)
    ones, _ = targets(joint())
    mixture = Mixture(ones, 7, torch.Generator().manual_seed(3))
    with torch.no_grad():
        mixture.logits.mul_(3)
        mixture.weights.copy_(torch.linspace(-1, 1, 7))
    rows = 400_000
    drawn = mixture.sample(rows, RNG)
    groups = (np.array([0, 1, 0]), np.array([0, 0, 1, 2]))
    pairs = []
    for (i, j), (a, b) in {(0, 1): groups, (1, 2): (groups[1], np.arange(2))}.items():
        found = np.zeros((a.max() + 1, b.max() + 1))
        np.add.at(found, (a[drawn[:, i]], b[drawn[:, j]]), 1 / rows)
        pairs.append(TwoWay((i, j), (a, b), found, rows**-0.5))
    sampled = [
        one(np.bincount(drawn[:, i], minlength=SIZES[i]) / rows, rows**-0.5) for i in (0, 1, 2)
    ]
    exact = Targets(sampled, TwoWays(pairs[:1], pairs[1:]))
    with torch.no_grad():
        off = float(exact.off(*mixture()))
        elsewhere = float(exact.off(*Mixture(ones, 7, torch.Generator().manual_seed(4))()))
    assert off < 21  # 21 cells, each of a variance below that of the noise
    assert elsewhere > 1000


def test_a_class_that_is_absent_is_never_drawn(quick: None) -> None:
    ones = [one([0.5, 0.49, 0.00001], doubtful=(2,)), one([0.2, 0.8])]
    assert ones[0].absent.tolist() == [False, False, True]
    pair = TwoWay((0, 1), (np.arange(3), np.arange(2)), np.full((3, 2), 1 / 6), 1e-4)
    fitted = fit_mixture(ones, TwoWays([pair]), rows=1.0, seed=2)
    drawn = fitted.sample(50_000, RNG)
    assert set(drawn[:, 0].tolist()) == {0, 1}
    assert float(fitted()[0][:, 2].detach().max()) == 0


def test_components_tell_nothing_where_columns_are_independent() -> None:
    ones, counted = targets(joint())
    targeted = Targets(ones, counted)
    best = torch.from_numpy(np.concatenate([o.best for o in ones])).float()
    same, weights = best.repeat(4, 1), torch.full((4,), 0.25)
    assert float(targeted.told(same, weights)) == pytest.approx(0, abs=1e-6)
    hot = torch.nn.functional.one_hot(torch.tensor([0, 3, 7]), 9).sum(0).float().repeat(4, 1)
    nats = -np.log([ones[0].best[0], ones[1].best[0], ones[2].best[0]]).sum()
    assert float(targeted.told(hot, weights)) == pytest.approx(nats, rel=1e-4)


def test_a_seed_gives_the_same_mixture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixtures, "COMPONENTS", 5)
    monkeypatch.setattr(mixtures, "STEPS", 3)
    ones, counted = targets(joint())
    first, again, other = (fit_mixture(ones, counted, 10.0, seed) for seed in (1, 1, 2))
    assert torch.equal(first.logits, again.logits)
    assert not torch.equal(first.logits, other.logits)
