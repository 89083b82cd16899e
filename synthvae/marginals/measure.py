"""Counts of pairs of columns: which ones, how finely, in one release."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from synthvae.marginals.axes import Classes
from synthvae.marginals.choosing import FEWEST, candidates, choose
from synthvae.marginals.shares import MEAN_ABS, Columns, OneWay, TwoWay, table_of
from synthvae.privacy.ledger import Ledger

FINE_NOISE = 0.5  # of a count, as a share of the dependence that is being measured


def count_pairs(
    ledger: Ledger,
    classes: Classes,
    ones: Sequence[OneWay],
    rows: float,
    scores: float,
    counts: float,
) -> list[TwoWay]:
    """Noisy counts of pairs of columns of `classes` [N, d], most dependent first, for the shares
    `scores` and `counts` of the budget; `rows`: a noisy number of rows."""
    if len(ones) < 2:
        return []
    found = candidates(ledger, classes, ones, rows, scores)
    chosen = choose(found, ledger.sigma(counts) / rows)
    sigma = ledger.sigma(counts, math.sqrt(len(chosen))) / rows
    views = []
    for at in chosen:
        cells = max(found.far[at] * FINE_NOISE / (0.5 * MEAN_ABS * sigma), FEWEST)
        views.append((found.pairs[at], _views(ones, found.pairs[at], cells)))
    return _count(ledger, views, classes, rows, counts)


def _views(ones: Sequence[OneWay], columns: Columns, cells: float) -> tuple[Classes, Classes]:
    """Groups of two columns with about `cells` cells in all."""
    sizes = [len(ones[column].best) for column in columns]
    side = math.sqrt(cells)
    sides = [side, side]
    for own, other in ((0, 1), (1, 0)):
        if sizes[own] < side:
            sides[other] = cells / sizes[own]
    first, second = (
        ones[column].groups(_rounded(most)) for column, most in zip(columns, sides, strict=True)
    )
    return first, second


def _rounded(side: float) -> int:
    """One of few sizes, so that pairs share groups: 2, 3, 4, 6, 8, 12, 16, ..."""
    power = 1 << max(int(math.log2(max(side, 2.0))), 1)
    return power * 3 // 2 if side >= 1.5 * power else power


def _count(
    ledger: Ledger,
    views: Sequence[tuple[Columns, tuple[Classes, Classes]]],
    classes: Classes,
    rows: float,
    share: float,
) -> list[TwoWay]:
    """All tables in one release: a row is in one cell of each."""
    counts = [table_of(classes, columns, groups) for columns, groups in views]
    stacked = np.concatenate([count.ravel() for count in counts])
    noisy = ledger.counts("pairs", "dependent pairs", stacked, share, math.sqrt(len(views)))
    ends = np.cumsum([count.size for count in counts])[:-1]
    parts = np.split(noisy.values / rows, ends)
    return [
        TwoWay(columns, groups, part.reshape(count.shape), noisy.sigma / rows)
        for (columns, groups), part, count in zip(views, parts, counts, strict=True)
    ]
