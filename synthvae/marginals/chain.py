"""Rows from noisy counts, column by column, each given the earlier ones.

Many counts of hardly more than noise would add up, whatever keeps each of them small: they are left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from synthvae.marginals.axes import Classes
from synthvae.marginals.cells import Cells, spread
from synthvae.marginals.conditional import Clique, Conditional
from synthvae.marginals.shares import Joint, OneWay, Shares, stands_out
from synthvae.model.compute import rows_at_once, side_by_side

CLEAR = 1.0  # standard deviations of what noise adds to a pair's distance from independence
PARENTS = 24  # earlier columns on which one may depend: more tell hardly more (docs/log.md)
FITTED = 32_768  # rows drawn so far that a column is fitted on
_FITTED_VALUES = 1 << 24  # shares at once
_DRAWN_VALUES = 1 << 22


def draw_rows(
    ones: Sequence[OneWay],
    counted: Sequence[Joint],
    total: float,
    rows: int,
    seed: int,
    watch: Callable[[float], None] = lambda _: None,
) -> Classes:
    """Classes [rows, d] by noisy shares of `total` rows: of columns, and of several together that
    were `counted`, most dependent first. `watch` is told the share of the work that is done. Takes
    time in proportion to rows, columns, their parents and their classes."""
    rng = np.random.default_rng(seed)
    views = [joint for joint in counted if stands_out(joint, ones, CLEAR)]
    cells = [Cells.of(one, _groups(views, at)) for at, one in enumerate(ones)]
    order = sorted(range(len(ones)), key=lambda at: -len(cells[at].shares))
    drawn = np.zeros((rows, len(ones)), np.int64)
    with side_by_side(1):
        for done, at in enumerate(order):
            column = Conditional(cells[at], _cliques(views, at, order[:done], cells), total)
            size = len(cells[at].shares)
            column.fit(drawn[: rows_at_once(size, _FITTED_VALUES, 4096, FITTED)])
            step = rows_at_once(size, _DRAWN_VALUES, 256, FITTED)
            for start in range(0, rows, step):
                some = slice(start, start + step)
                drawn[some, at] = _evenly(column.shares(drawn[some]), rng)
            watch((done + 1) / len(order))
    return np.stack([cells[at].classes(drawn[:, at], rng) for at in range(len(ones))], 1)


def _groups(views: Sequence[Joint], at: int) -> Iterator[Classes]:
    for view in views:
        yield from (g for c, g in zip(view.columns, view.groups, strict=True) if c == at)


def _cliques(
    views: Sequence[Joint], at: int, earlier: Collection[int], cells: Sequence[Cells]
) -> list[Clique]:
    """Views of a column and of others that were all drawn `earlier`, PARENTS of them at most."""
    found: list[Clique] = []
    for view in views:
        parents = [column for column in view.columns if column != at]
        if at not in view.columns or len(found) == PARENTS or not set(parents) <= set(earlier):
            continue
        own = view.columns.index(at)
        order = [*(i for i in range(len(view.columns)) if i != own), own]
        groups = [cells[view.columns[i]].grouped(view.groups[i]) for i in order]
        ordered = [cells[view.columns[i]].ordered for i in order]
        found.append(Clique(parents, groups, view.shares.transpose(order), view.sigma, ordered))
    return found


def _evenly(shares: Shares, rng: np.random.Generator) -> Classes:
    """A cell of each row [N] by its `shares` [N, G]. Rows alike get cells as often as they should,
    nearly: what a draw adds is less than what independent ones do."""
    ends = shares.cumsum(1)
    place = spread(shares @ np.arange(shares.shape[1]), rng) * ends[:, -1]
    return np.asarray((ends <= place[:, None]).sum(1).clip(max=shares.shape[1] - 1))
