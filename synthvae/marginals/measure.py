"""Tables of several columns: how finely, in one release."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthvae.marginals.axes import Classes
from synthvae.marginals.shares import Columns, Groups, Joint, OneWay, Shares, table_of
from synthvae.privacy.ledger import Ledger


@dataclass(frozen=True)
class View:
    """Some columns, and how their classes are grouped where they are counted together."""

    columns: Columns
    groups: Groups

    def table(self, classes: Classes) -> Classes:
        """Rows of `classes` [N, d] in each cell [A, B, ...]."""
        return table_of(classes, self.columns, self.groups)


def view(ones: Sequence[OneWay], columns: Columns, cells: float) -> View:
    """Columns with about `cells` cells in all; those of few classes leave more to the others."""
    sizes = [len(ones[column].best) for column in columns]
    groups: dict[int, Classes] = {}
    for at in sorted(range(len(columns)), key=sizes.__getitem__):
        side = cells ** (1 / (len(columns) - len(groups)))
        groups[at] = ones[columns[at]].groups(_rounded(side))
        cells /= int(groups[at].max()) + 1
    return View(columns, tuple(groups[at] for at in range(len(columns))))


def count(
    ledger: Ledger,
    stage: str,
    what: str,
    views: Sequence[View],
    classes: Classes,
    rows: float,
    share: float,
) -> list[Joint]:
    """All tables in one release: a row is in one cell of each. `rows`: a noisy number of rows."""
    counts = [view.table(classes) for view in views]
    stacked = np.concatenate([count.ravel() for count in counts])
    noisy = ledger.counts(stage, what, stacked, share, math.sqrt(len(views)))
    ends = np.cumsum([count.size for count in counts])[:-1]
    parts: list[Shares] = np.split(noisy.values / rows, ends)
    return [
        Joint(view.columns, view.groups, part.reshape(count.shape), noisy.sigma / rows)
        for view, part, count in zip(views, parts, counts, strict=True)
    ]


def _rounded(side: float) -> int:
    """One of few sizes, so that tables share groups: 2, 3, 4, 6, 8, 12, 16, ..."""
    power = 1 << max(int(math.log2(max(side, 2.0))), 1)
    return power * 3 // 2 if side >= 1.5 * power else power
