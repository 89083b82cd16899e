"""Counts of single columns and of pairs are fitted together as least squares has it."""

import time
from typing import Any

import numpy as np
import pytest

from synthvae.marginals.agreement import agreed
from synthvae.marginals.shares import OneWay, TwoWay

GROUPS = (np.array([0, 0, 1, 1, 2, 2, 2]), np.array([0, 0, 0, 0, 0, 1, 1]))  # of seven classes
SIGMAS = np.array([0.01, 0.03, 0.01, 0.02, 0.05, 0.01, 0.02])
OTHER = np.arange(3)
NOISE = (0.004, 0.02)


def noisy(truth: Any, rng: np.random.Generator) -> tuple[OneWay, list[TwoWay]]:
    """A column of seven classes, and two pairs of it with one of three."""
    shares = truth.sum(1) + rng.normal(0, SIGMAS)
    pairs = []
    for groups, sigma in zip(GROUPS, NOISE, strict=True):
        table = np.zeros((groups.max() + 1, 3))
        np.add.at(table, groups, truth)
        pairs.append(
            TwoWay((0, 1), (groups, OTHER), table + rng.normal(0, sigma, table.shape), sigma)
        )
    return OneWay.of(shares, SIGMAS, 1.0, True), pairs


@pytest.fixture
def truth() -> Any:
    return np.random.default_rng(2).dirichlet(np.full(21, 1.0)).reshape(7, 3)


def by_hand(one: OneWay, pairs: list[TwoWay]) -> tuple[Any, Any]:
    """All classes from all equations, each divided by its deviation; and their deviations."""
    rows, told = [np.diag(1 / SIGMAS)], [one.shares / SIGMAS]
    for pair in pairs:
        sigma = pair.sigma * np.sqrt(3)
        rows.append((pair.groups[0] == np.arange(len(pair.shares))[:, None]) / sigma)
        told.append(pair.shares.sum(1) / sigma)
    equations = np.concatenate(rows)
    found = np.linalg.lstsq(equations, np.concatenate(told), rcond=None)[0]
    return found, np.sqrt(np.diag(np.linalg.inv(equations.T @ equations)))


def test_shares_and_deviations_are_those_of_least_squares(truth: Any) -> None:
    one, pairs = noisy(truth, np.random.default_rng(3))
    other = OneWay.of(truth.sum(0), np.full(3, 0.01), 1.0, False)
    found, same = agreed([one, other], pairs)
    shares, sigmas = by_hand(one, pairs)
    assert found.shares == pytest.approx(shares)
    assert found.sigmas == pytest.approx(sigmas)
    assert found.best.sum() == pytest.approx(1)
    assert (same.sigmas < other.sigmas).all()


def test_they_err_less_and_by_as_much_as_they_say(truth: Any) -> None:
    rng, off = np.random.default_rng(4), []
    for _ in range(400):
        one, pairs = noisy(truth, rng)
        found, _ = agreed([one, OneWay.of(truth.sum(0), np.full(3, 0.01), 1.0, False)], pairs)
        off.append((found.shares - truth.sum(1)) / found.sigmas)
    assert np.std(off, axis=0) == pytest.approx(np.ones(7), abs=0.15)
    assert (found.sigmas < SIGMAS).all()


def test_without_pairs_nothing_moves(truth: Any) -> None:
    one, _ = noisy(truth, np.random.default_rng(5))
    assert agreed([one], [])[0] is one


@pytest.mark.parametrize(("share", "comes"), [(0.0, False), (0.02, True)])
def test_a_class_that_may_be_missing_comes_if_pairs_show_it(share: float, comes: bool) -> None:
    """Its own count, two deviations above none, does not say."""
    rest = (1 - share) / 2
    one = OneWay.of(np.array([rest, rest, 0.02]), np.full(3, 0.01), 1.0, False, doubtful=[2])
    assert one.absent.tolist() == [False, False, True]
    pair = TwoWay((0, 1), (OTHER, OTHER), np.outer([rest, rest, share], np.full(3, 1 / 3)), 1e-3)
    found = agreed([one, OneWay.of(np.full(3, 1 / 3), np.full(3, 0.01), 1.0, False)], [pair])[0]
    assert found.absent.tolist() == [False, False, not comes]
    assert (found.best[2] > 0) == comes


def test_thousands_of_classes_take_no_time() -> None:
    """Beside two others, of which one is counted as finely as noise allows."""
    size = 5_000
    many = OneWay.of(np.full(size, 1 / size), np.full(size, 1e-4), 1.0, False)
    two = OneWay.of(np.full(2, 0.5), np.full(2, 1e-3), 1.0, False)
    wide = np.minimum(np.arange(size), 400)
    shares = np.outer(np.bincount(wide) / size, [0.5, 0.5])
    pairs = [
        TwoWay((0, 1), (np.arange(size), np.arange(2)), np.full((size, 2), 0.5 / size), 1e-4),
        TwoWay((0, 2), (wide, np.arange(2)), shares, 1e-4),
    ]
    started = time.process_time()
    found = agreed([many, two, two], pairs)[0]
    assert time.process_time() - started < 2
    assert found.shares == pytest.approx(many.shares)
    assert (found.sigmas[:400] < many.sigmas[:400]).all()
