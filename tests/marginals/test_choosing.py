"""Pairs are chosen by how far they are from independence, and none of a column is forgotten."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.marginals import choosing
from synthvae.marginals.choosing import MOST_CHOSEN, PARTNERS, Candidates, candidates, choose
from synthvae.marginals.shares import OneWay

ROWS = 4000
RNG = np.random.default_rng(3)


def table(columns: int) -> Any:
    """Classes [ROWS, columns] of which each pair of neighbours, from the first on, is alike in
    nine rows of ten."""
    classes = RNG.integers(0, 4, (ROWS, columns))
    like = RNG.random((ROWS, columns)) < 0.9
    for own in range(1, columns, 2):
        classes[:, own] = np.where(like[:, own], classes[:, own - 1], classes[:, own])
    return classes


def ones(classes: Any) -> list[OneWay]:
    counts = [np.bincount(column, minlength=4) for column in classes.T]
    return [OneWay.of(count, np.full(4, 0.01), count.sum(), False) for count in counts]


def found(far: Any) -> Candidates:
    """Pairs that share no column, as far as said."""
    return Candidates([(2 * i, 2 * i + 1) for i in range(len(far))], np.asarray(far))


def test_pairs_that_depend_most_are_chosen_and_fewer_if_noise_is_high() -> None:
    far = found([0.01, 0.4, -0.02, 0.2, 0.05])
    assert choose(far, 1e-6).tolist() == [1, 3, 4, 0]
    few = choose(far, 0.012).tolist()
    assert few == [1, 3, 4, 0][: len(few)]
    assert 1 <= len(few) < 4
    assert len(choose(found(np.full(1000, 0.5)), 1e-9)) == MOST_CHOSEN


def test_as_many_are_chosen_as_their_noise_allows() -> None:
    """What a pair must depend by grows with the root of how many share the budget."""
    sigma = 0.01
    least = [18 * 0.5 * np.sqrt(2 / np.pi) * sigma * np.sqrt(m) for m in range(1, 31)]
    assert len(choose(found(np.full(30, least[9] * 1.001)), sigma)) == 10
    assert len(choose(found(np.array([*[1.0] * 20, least[20] * 0.999])), sigma)) == 20


@pytest.mark.parametrize("far", [[-0.1, -0.2], [0.0], [1e-9, 0.0]])
def test_one_pair_is_chosen_at_least(far: list[float]) -> None:
    assert choose(found(far), 10.0).tolist() == [0]


def test_the_best_partner_of_each_column_comes_before_the_second_best_of_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Column 4 depends on all others a little; those on each other more."""
    pairs = list(itertools.combinations(range(5), 2))
    far = np.array([0.04 if 4 in pair else 0.9 - 0.01 * at for at, pair in enumerate(pairs)])
    far[pairs.index((2, 4))] = 0.05
    monkeypatch.setattr(choosing, "MOST_CHOSEN", 4)
    chosen = [pairs[at] for at in choose(Candidates(pairs, far), 1e-9)]
    assert chosen == [(0, 1), (0, 2), (0, 3), (2, 4)]


def test_scores_are_distances_from_independence(make_ledger: Callable[..., Any]) -> None:
    classes = table(4)
    ledger = make_ledger(20.0)
    told = candidates(ledger, classes, ones(classes), float(ROWS), 0.1)
    far = dict(zip(told.pairs, told.far, strict=True))
    assert list(far) == list(itertools.combinations(range(4), 2))
    assert far[0, 1] == pytest.approx(0.9 * 0.75, abs=0.03)
    assert far[2, 3] == pytest.approx(0.9 * 0.75, abs=0.03)
    assert max(far[pair] for pair in [(0, 2), (0, 3), (1, 2), (1, 3)]) < 0.05
    assert [(a.kind, a.terms, a.counts.dtype.kind) for a in ledger.asked] == [
        ("counts", (0.1,), "i")
    ]


def test_of_many_columns_only_the_likeliest_partners_have_scores(
    make_ledger: Callable[..., Any],
) -> None:
    columns = 2 * PARTNERS + 4
    classes = table(columns)
    ledger = make_ledger(20.0)
    told = candidates(ledger, classes, ones(classes), float(ROWS), 0.1)
    assert [(a.kind, a.terms) for a in ledger.asked] == [
        ("best", (0.05, PARTNERS)),
        ("counts", (0.05,)),
    ]
    assert ledger.asked[0].counts.shape == (columns, columns - 1)
    assert ledger.asked[1].sensitivity == pytest.approx(np.sqrt(len(told.pairs)))
    pairs = set(told.pairs)
    assert len(pairs) == len(told.pairs) < columns * (columns - 1) / 2
    assert all(first < second for first, second in pairs)
    of_each = [sum(column in pair for pair in pairs) for column in range(columns)]
    assert min(of_each) >= PARTNERS
    assert {(own - 1, own) for own in range(1, columns, 2)} <= pairs
    for (first, second), far in zip(told.pairs, told.far, strict=True):
        alike = second == first + 1 and second % 2
        assert far == pytest.approx(0.9 * 0.75 if alike else 0.03, abs=0.03)


def test_of_26_columns_twelve_partners_are_chosen(make_ledger: Callable[..., Any]) -> None:
    """As docs/privacy.md says."""
    ledger = make_ledger(20.0)
    candidates(ledger, table(26), ones(table(26)), float(ROWS), 0.1)
    assert ledger.asked[0].terms[1] == 12


def test_few_columns_need_no_choice(make_ledger: Callable[..., Any]) -> None:
    columns = 25
    ledger = make_ledger(20.0)
    told = candidates(ledger, table(columns), ones(table(columns)), float(ROWS), 0.1)
    assert [a.kind for a in ledger.asked] == ["counts"]
    assert len(told.pairs) == columns * (columns - 1) / 2
