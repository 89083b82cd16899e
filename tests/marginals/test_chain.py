"""Rows that are drawn have the counts that they were drawn from, and no more."""

import itertools
from typing import Any

import numpy as np
import pytest

from synthvae.marginals import chain
from synthvae.marginals.agreement import agreed
from synthvae.marginals.chain import draw_rows
from synthvae.marginals.shares import OneWay, TwoWay

SIZES = (3, 4, 2)
PAIRS = ((0, 1, 2), (0, 2, 1), (1, 2, 0))  # and the column that is summed over


def one(shares: Any, sigma: float = 1e-4, doubtful: Any = ()) -> OneWay:
    shares = np.asarray(shares, float)
    return OneWay.of(shares, np.full(len(shares), sigma), 1.0, False, doubtful)


def joint() -> Any:
    """Shares [3, 4, 2] of a table whose columns depend on each other."""
    drawn = np.random.default_rng(4).dirichlet(np.full(24, 0.3)).reshape(SIZES)
    return 0.9 * drawn + 0.1 / 24


def counts(
    shares: Any, sigma: float, noise: float = 0.0, seed: int = 5
) -> tuple[list[OneWay], list[TwoWay]]:
    """All ones and pairs of a joint, without groups, off by `noise`."""
    every, rng = [], np.random.default_rng(seed)
    for i, j, k in PAIRS:
        groups = (np.arange(SIZES[i]), np.arange(SIZES[j]))
        found = shares.sum(k) + rng.normal(0, noise, (SIZES[i], SIZES[j]))
        every.append(TwoWay((i, j), groups, found, sigma))
    others = ((1, 2), (0, 2), (0, 1))
    return [one(shares.sum(axes), sigma) for axes in others], every


def shares_of(rows: Any, *columns: int) -> Any:
    found = np.zeros([rows[:, column].max() + 1 for column in columns])
    np.add.at(found, tuple(rows[:, column] for column in columns), 1 / len(rows))
    return found


def apart(first: Any, second: Any) -> float:
    return float(np.abs(first - second).sum() / 2)


def of_most_entropy(shares: Any) -> Any:
    """The joint of most entropy with the pairs of `shares`, by iterative proportional fitting."""
    found = np.full(SIZES, 1 / 24)
    for _ in range(2000):
        for *_, k in PAIRS:
            found = found * np.expand_dims(shares.sum(k) / found.sum(k), k)
    return found


def test_rows_have_the_pairs_that_were_counted_and_nothing_else_in_common() -> None:
    shares = joint()
    wanted = of_most_entropy(shares)
    rows = draw_rows(*counts(shares, 1e-6), total=1000.0, rows=100_000, seed=1)
    for i, j, k in PAIRS:
        pair = shares_of(rows, i, j)
        assert apart(pair, shares.sum(k)) < 0.005
        assert apart(pair, np.outer(pair.sum(1), pair.sum(0))) > 0.05
    assert apart(wanted, shares) > 0.03
    assert apart(shares_of(rows, 0, 1, 2), wanted) < 0.01


def test_noise_that_is_large_is_not_followed() -> None:
    """Counts of independent columns under much noise: rows stay nearer to independence than the
    counts are, but where noise stands out by chance."""
    shares = np.einsum("i,j,k->ijk", [0.5, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1], [0.6, 0.4])
    followed = []
    for seed in range(8):
        ones, noisy = counts(shares, 0.03, noise=0.03, seed=seed)
        rows = draw_rows(ones, noisy, total=1000.0, rows=50_000, seed=1)
        for pair in noisy:
            found = shares_of(rows, *pair.columns)
            alone = np.outer(found.sum(1), found.sum(0))
            followed.append((np.abs(found - alone).sum(), np.abs(pair.shares - alone).sum()))
    drawn, told = np.sum(followed, axis=0)
    assert drawn < 0.25 * told


@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_a_count_gives_way_by_its_noise_times_the_weight(sigma: float) -> None:
    """At the optimum of the penalty: what a count is off is CAUTION * sigma times its weight, and
    the weights of two columns of two classes come to the logarithm of their odds ratio."""
    counted = np.array([[0.4, 0.1], [0.1, 0.4]])
    pair = TwoWay((0, 1), (np.arange(2), np.arange(2)), counted, sigma)
    rows = draw_rows([one([0.5, 0.5])] * 2, [pair], 1000.0, 100_000, seed=1)
    found, signs = shares_of(rows, 0, 1), np.array([[1, -1], [-1, 1]])
    given_way = (signs * (counted - found)).sum()
    weight = (signs * np.log(found)).sum()
    assert given_way == pytest.approx(chain.CAUTION * sigma * weight, rel=0.05)


def test_pairs_that_are_hardly_more_than_noise_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the noise of many pairs adds up, column by column, to dependence that is not there."""
    columns, flat, sigma, rng = 16, np.full(3, 1 / 3), 0.03, np.random.default_rng(7)
    own = (np.arange(3), np.arange(3))
    pairs = [
        TwoWay((i, j), own, np.outer(flat, flat) + rng.normal(0, sigma, (3, 3)), sigma)
        for i, j in itertools.combinations(range(columns), 2)
    ]

    def dependence() -> float:
        rows = draw_rows([one(flat)] * columns, pairs, 5000.0, 5000, seed=1)
        tables = [shares_of(rows, *pair.columns) for pair in pairs]
        return float(np.mean([apart(t, np.outer(t.sum(1), t.sum(0))) for t in tables]))

    with_clear = dependence()
    monkeypatch.setattr(chain, "CLEAR", -np.inf)
    assert with_clear < dependence() / 2


def test_rows_meet_the_joint_in_less_than_a_draw_of_single_ones() -> None:
    """Rows of equal shares take turns: what is off is of single rows, not of their root."""
    rows = draw_rows([one([0.5, 0.3, 0.2]), one([0.7, 0.3])], [], 1.0, 10_000, seed=3)
    alone = np.outer([0.5, 0.3, 0.2], [0.7, 0.3])
    assert np.abs(shares_of(rows, 0) - alone.sum(1)).max() < 5e-4
    # Columns that nothing ties are drawn as if alone: a chi-square of 2 degrees of freedom.
    assert 10_000 * ((shares_of(rows, 0, 1) - alone) ** 2 / alone).sum() < 20


def test_classes_that_no_count_tells_apart_come_as_often_as_they_should() -> None:
    best = np.array([0.1, 0.3, 0.2, 0.4])
    group, own = np.array([0, 0, 1, 1]), np.arange(2)
    pair = TwoWay((0, 1), (group, own), np.array([[0.4, 0.0], [0.0, 0.6]]), 1e-6)
    rows = draw_rows([one(best), one([0.4, 0.6])], [pair], 1000.0, 40_000, seed=5)
    assert np.abs(shares_of(rows, 0) - best).max() < 0.005
    assert (group[rows[:, 0]] == rows[:, 1]).mean() > 0.999


def test_a_class_that_is_absent_is_never_drawn() -> None:
    """Not even in a column that is drawn after another, with counts that have it often."""
    ones = [one([0.5, 0.49, 0.00001], doubtful=(2,)), one([0.1, 0.2, 0.3, 0.4])]
    assert ones[0].absent.tolist() == [False, False, True]
    pair = TwoWay((0, 1), (np.arange(3), np.arange(4)), np.diag([0.1, 0.2, 0.7, 0])[:3], 1e-4)
    rows = draw_rows(ones, [pair], 1000.0, 50_000, seed=2)
    assert set(rows[:, 0].tolist()) == {0, 1}


def test_a_column_has_few_parents_those_that_stand_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second column says all of the third, the first one half of it."""
    monkeypatch.setattr(chain, "PARENTS", 1)
    same, half = np.eye(3) / 3, np.eye(3) / 6 + 1 / 18
    own = (np.arange(3), np.arange(3))
    weak, strong = TwoWay((0, 2), own, half, 1e-6), TwoWay((1, 2), own, same, 1e-6)
    rows = draw_rows([one([1 / 3] * 3)] * 3, [strong, weak], 1000.0, 5_000, seed=1)
    assert (rows[:, 2] == rows[:, 1]).mean() > 0.99
    assert (rows[:, 2] == rows[:, 0]).mean() < 0.5


def test_a_class_that_noise_hid_comes_if_pairs_show_it() -> None:
    """Its own count is below 0, that of the pair is not."""
    shares = np.array([[0.3, 0.1, 0.0], [0.1, 0.3, 0.0], [0.0, 0.0, 0.2]])
    hidden = OneWay.of(np.array([0.41, 0.4, -0.01]), np.full(3, 0.3), 1.0, False)
    pair = TwoWay((0, 1), (np.arange(3), np.arange(3)), shares, 1e-6)
    ones = agreed([one(shares.sum(1)), hidden], [pair])
    rows = draw_rows(ones, [pair], 1000.0, 20_000, seed=1)
    assert shares_of(rows, 1)[2] == pytest.approx(0.2, abs=0.01)


def test_a_seed_gives_the_same_rows_and_the_work_is_told() -> None:
    ones, counted = counts(joint(), 1e-3)
    told: list[float] = []
    first = draw_rows(ones, counted, 10.0, 200, 1, told.append)
    again, other = (draw_rows(ones, counted, 10.0, 200, seed) for seed in (1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert told == pytest.approx([1 / 3, 2 / 3, 1])
