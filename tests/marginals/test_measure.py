"""Classes are grouped, pairs are chosen by what they err, a row is in one cell of each table."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.marginals import measure
from synthvae.marginals.measure import MOST_CHOSEN, OneWay, choose, count_pairs

RNG = np.random.default_rng(3)


def one(counts: Any, sigma: float = 0.01, ordered: bool = False, doubtful: Any = ()) -> OneWay:
    counts = np.asarray(counts, float)
    return OneWay.of(counts, np.full(len(counts), sigma), counts.sum(), ordered, doubtful)


def table(rows: int = 4000) -> Any:
    """Classes [rows, 4]: the second follows the first, the third partly, the fourth none."""
    first = RNG.integers(0, 20, rows)
    partly = np.where(RNG.random(rows) < 0.3, first % 5, RNG.integers(0, 5, rows))
    return np.stack([first, (first + 1) % 20, partly, RNG.integers(0, 3, rows)], 1)


def ones(classes: Any) -> list[OneWay]:
    return [one(np.bincount(column), ordered=i < 2) for i, column in enumerate(classes.T)]


def test_shares_sum_to_1_and_hold_nothing_negative() -> None:
    found = OneWay.of(np.array([50.0, 49.0, -3.0, 0.5]), np.full(4, 1.0), 100.0, False)
    assert found.best.sum() == pytest.approx(1)
    assert (found.best >= 0).all()
    assert found.best[0] > found.best[1] > 0.45
    assert found.shares.tolist() == [0.5, 0.49, -0.03, 0.005]


def test_a_doubtful_class_is_absent_unless_it_stands_out() -> None:
    faint = one([60, 38, 4.9, 2], sigma=1.0, doubtful=(2, 3))
    assert faint.absent.tolist() == [False, False, True, True]
    assert faint.best[2:].tolist() == [0, 0]
    assert not one([60, 30, 5, 5], sigma=1.0, doubtful=(2, 3)).absent.any()


def test_nothing_but_noise_is_spread_over_what_may_be() -> None:
    found = OneWay.of(np.array([-2.0, -1.0, 0.5]), np.full(3, 1.0), 1.0, False, (2,))
    assert found.best.tolist() == [0.5, 0.5, 0]
    lone = OneWay.of(np.array([0.5]), np.full(1, 1.0), 1.0, False, (0,))
    assert lone.best.tolist() == [1]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 19, 20, 50])
def test_groups_are_as_many_as_said(most: int) -> None:
    counts = RNG.integers(1, 100, 20)
    for ordered in (True, False):
        groups = one(counts, ordered=ordered).groups(most)
        assert sorted(set(groups.tolist())) == list(range(groups.max() + 1))
        assert groups.max() + 1 <= most or most >= 20
        assert groups.max() + 1 >= min(most, 20) - 4


def test_groups_of_ordered_classes_are_neighbours_of_like_mass() -> None:
    groups = one(np.full(100, 7.0), ordered=True).groups(4)
    assert (np.diff(groups) >= 0).all()
    assert np.bincount(groups).tolist() == [25, 25, 25, 25]


def test_the_largest_categories_stay_on_their_own() -> None:
    assert one([5, 1, 9, 2, 7]).groups(3).tolist() == [2, 2, 0, 2, 1]


def test_pairs_that_depend_most_are_chosen_and_fewer_if_noise_is_high() -> None:
    far = np.array([0.01, 0.4, -0.02, 0.2, 0.05])
    assert choose(far, 1e-6).tolist() == [1, 3, 4, 0]
    few = choose(far, 0.012).tolist()
    assert few == [1, 3, 4, 0][: len(few)]
    assert 1 <= len(few) < 4
    assert len(choose(np.full(1000, 0.5), 1e-9)) == MOST_CHOSEN


def test_as_many_are_chosen_as_their_noise_allows() -> None:
    """What a pair must depend by grows with the root of how many share the budget."""
    sigma = 0.01
    least = [18 * 0.5 * np.sqrt(2 / np.pi) * sigma * np.sqrt(m) for m in range(1, 31)]
    assert len(choose(np.full(30, least[9] * 1.001), sigma)) == 10
    assert len(choose(np.array([*[1.0] * 20, least[20] * 0.999]), sigma)) == 20


@pytest.mark.parametrize("far", [[-0.1, -0.2], [0.0], [1e-9, 0.0]])
def test_one_pair_is_chosen_at_least(far: list[float]) -> None:
    assert choose(np.array(far), 10.0).tolist() == [0]


def test_counts_without_noise_are_those_of_the_rows(make_ledger: Callable[..., Any]) -> None:
    classes = table()
    ledger = make_ledger(20.0)
    counted = count_pairs(ledger, classes, ones(classes), 4000.0, 0.25, 0.5)
    assert counted[0].columns == (0, 1)
    assert {pair.columns for pair in counted[1:3]} == {(0, 2), (1, 2)}
    for pair in counted:
        (i, j), (a, b) = pair.columns, pair.groups
        exact = np.zeros(pair.shares.shape)
        np.add.at(exact, (a[classes[:, i]], b[classes[:, j]]), 1 / 4000)
        assert pair.shares == pytest.approx(exact, abs=1e-12)
    assert ledger.spent == pytest.approx(0.75)


def test_scores_are_distances_from_independence(
    make_ledger: Callable[..., Any],
) -> None:
    rows = 40_000
    classes = table(rows)
    ledger = make_ledger(20.0)
    pairs = list(itertools.combinations(range(4), 2))
    found = measure._distances(ledger, classes, ones(classes), pairs, float(rows), 0.1)
    assert found[0] > 0.8  # one follows the other
    assert 0.15 < found[1] < 0.35  # partly
    assert found[[2, 4, 5]].max() < 0.02  # of the last column nothing is told but by chance
    assert ledger.asked[0].counts.dtype.kind == "i"


def test_the_whole_share_is_spent_whatever_is_found(make_ledger: Callable[..., Any]) -> None:
    independent = np.stack([RNG.integers(0, 3, 500) for _ in range(4)], 1)
    ledger = make_ledger(0.1, scale=1.0)
    count_pairs(ledger, independent, ones(independent), 500.0, 0.25, 0.5)
    assert ledger.spent == pytest.approx(0.75)


def test_a_single_column_has_no_pairs(make_ledger: Callable[..., Any]) -> None:
    ledger = make_ledger()
    counted = count_pairs(ledger, table()[:, :1], ones(table()[:, :1]), 4000.0, 0.25, 0.5)
    assert (counted, ledger.spent) == ([], 0)


def test_a_row_is_in_one_cell_of_each_table(
    make_ledger: Callable[..., Any], make_door: Callable[..., Any]
) -> None:
    """A row that is added moves m stacked tables, or m scores, by sqrt(m), which is what is
    declared."""
    classes = table(500)
    known = ones(classes)
    first = make_ledger(60.0, scale=1.0)
    count_pairs(first, classes, known, 500.0, 0.25, 0.5)
    asked = [a.sensitivity**2 for a in first.asked]
    assert asked[0] == pytest.approx(6)
    assert asked[1] >= 2
    for row in ([0, 0, 0, 0], [19, 0, 4, 2], [7, 8, 2, 1]):
        second = make_door(first.budget, 0.1, first)
        count_pairs(second, np.vstack([classes, row]), known, 500.0, 0.25, 0.5)
        for before, after in zip(first.asked, second.asked, strict=True):
            moved = after.counts - before.counts
            assert before.public == after.public
            assert np.linalg.norm(moved) == pytest.approx(before.sensitivity)
            assert set(moved.tolist()) <= {-1, 0, 1}
