"""Weighed rows meet a mixture's counts, and keep what counts of pairs do not tell."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthvae.marginals.measure import OneWay, TwoWay, TwoWays
from synthvae.marginals.mixture import Mixture
from synthvae.marginals.raking import taken, weighed

RNG = np.random.default_rng(1)
ALL = np.arange(3)


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    flat = OneWay(np.full(3, 1 / 3), np.full(3, 1e-3), np.full(3, 1 / 3), np.zeros(3, bool), False)
    made = Mixture([flat] * 3, 6, torch.Generator().manual_seed(2))
    with torch.no_grad():
        made.logits.mul_(2)
    return made


def pairs() -> TwoWays:
    def pair(i: int, j: int, group: np.ndarray) -> TwoWay:
        return TwoWay((i, j), (group, group), np.zeros((3, 3)), 1e-3)

    coarse = np.array([0, 0, 1])
    every = [pair(i, j, coarse) for i, j in ((0, 1), (0, 2), (1, 2))]
    return TwoWays(every, [pair(0, 1, ALL), pair(1, 2, ALL)])


def table(rows: np.ndarray, i: int, j: int, weights: np.ndarray | None = None) -> np.ndarray:
    found = np.bincount(rows[:, i] * 3 + rows[:, j], weights, 9)
    return found / found.sum()


def test_counts_of_pairs_become_those_of_the_mixture(mixture: Mixture) -> None:
    rows, wanted = RNG.integers(0, 3, (20_000, 3)), mixture.sample(400_000, RNG)
    weights = weighed(rows, mixture, pairs())
    for i, j in ((0, 1), (1, 2)):
        before, after, goal = table(rows, i, j), table(rows, i, j, weights), table(wanted, i, j)
        assert np.abs(before - goal).sum() / 2 > 0.1
        assert np.abs(after - goal).sum() / 2 < 0.005
    coarse = np.array([0, 0, 1])
    after, goal = table(coarse[rows], 0, 2, weights), table(coarse[wanted], 0, 2)
    assert np.abs(after - goal).sum() / 2 < 0.005


def test_what_three_columns_say_together_stays(mixture: Mixture) -> None:
    """Of rows whose third column follows from the others, in a way that no pair shows."""
    rows = RNG.integers(0, 3, (20_000, 3))
    rows[:, 2] = rows[:, :2].sum(1) % 3
    kept = taken(weighed(rows, mixture, TwoWays(pairs().every)), 5000, RNG)
    assert (rows[kept, 2] == rows[kept, :2].sum(1) % 3).all()


def test_rows_are_taken_as_often_as_they_weigh() -> None:
    often = np.bincount(taken(np.array([1.0, 0.0, 2.5, 0.5]), 400, RNG), minlength=4)
    assert often.sum() == 400
    assert np.abs(often - [100, 0, 250, 50]).max() <= 1
    assert len(taken(np.ones(3), 0, RNG)) == 0
