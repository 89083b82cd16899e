"""Counts of pairs are those of the rows, and a row is in one cell of each table."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.marginals import choosing
from synthvae.marginals.measure import count_pairs
from synthvae.marginals.shares import OneWay

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


def test_the_whole_share_is_spent_whatever_is_found(make_ledger: Callable[..., Any]) -> None:
    independent = np.stack([RNG.integers(0, 3, 500) for _ in range(4)], 1)
    ledger = make_ledger(0.1, scale=1.0)
    count_pairs(ledger, independent, ones(independent), 500.0, 0.25, 0.5)
    assert ledger.spent == pytest.approx(0.75)


def test_a_single_column_has_no_pairs(make_ledger: Callable[..., Any]) -> None:
    ledger = make_ledger()
    counted = count_pairs(ledger, table()[:, :1], ones(table()[:, :1]), 4000.0, 0.25, 0.5)
    assert (counted, ledger.spent) == ([], 0)


@pytest.mark.parametrize("partners", [99, 1])
def test_a_row_is_in_one_cell_of_each_table(
    partners: int,
    make_ledger: Callable[..., Any],
    make_door: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row that is added moves m stacked tables, or m scores, by sqrt(m), which is what is
    declared; and each of the scores by which partners are chosen by 1."""
    monkeypatch.setattr(choosing, "PARTNERS", partners)
    classes = table(500)
    known = ones(classes)
    first = make_ledger(60.0, scale=1.0)
    count_pairs(first, classes, known, 500.0, 0.25, 0.5)
    kinds = [a.kind for a in first.asked]
    assert kinds == (["counts"] * 2 if partners > 1 else ["best", "counts", "counts"])
    asked = [a.sensitivity**2 for a in first.asked]
    assert asked[0] == pytest.approx(6 if partners > 1 else 1)
    assert asked[1] >= 2
    for row in ([0, 0, 0, 0], [19, 0, 4, 2], [7, 8, 2, 1]):
        second = make_door(first.budget, 0.1, first)
        count_pairs(second, np.vstack([classes, row]), known, 500.0, 0.25, 0.5)
        for before, after in zip(first.asked, second.asked, strict=True):
            moved = after.counts - before.counts
            assert before.public == after.public
            norm = np.inf if before.kind == "best" else 2
            assert np.linalg.norm(moved.ravel(), norm) == pytest.approx(before.sensitivity)
            assert set(moved.ravel().tolist()) <= {-1, 0, 1}
