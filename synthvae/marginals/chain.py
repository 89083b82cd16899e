"""Rows from noisy counts, column by column: p(x_j | earlier ones) is a softmax of a weight for each
class and one for each cell of a counted pair.

Of all distributions whose counts of pairs are those that were counted, it has the most entropy,
given the columns before (Berger et al. 1996): what pairs don't tell of three columns stays as
simple as it can be. Fitting a column meets rows that were drawn so far, never real ones, and so
makes up for what their draw left off.

A weight of size 1 may move a count by CAUTION standard deviations of its noise (a penalty of
CAUTION * sigma on half its square; Dudik et al. 2007), so that noise makes no single one large.
Many would add up all the same: pairs that are hardly more than noise are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import embedding_bag

from synthvae.marginals.axes import Classes
from synthvae.marginals.shares import OneWay, Shares, TwoWay, stands_out
from synthvae.model.compute import rows_at_once, side_by_side

CAUTION = 0.75
CLEAR = 1.0  # standard deviations of what noise adds to a pair's distance from independence
PARENTS = 24  # earlier columns on which one may depend: more tell hardly more (docs/log.md)
FITTED = 32_768  # rows drawn so far that a column is fitted on
ITERATIONS = 60
_ENOUGH = 1e-9  # relative gain of an iteration
_GOLDEN = (5**0.5 - 1) / 2
_FITTED_VALUES = 1 << 24  # shares at once
_DRAWN_VALUES = 1 << 22
_TINY = 1e-6  # share of a class that was not seen in the noise
_NEVER = -1e9


def draw_rows(
    ones: Sequence[OneWay],
    counted: Sequence[TwoWay],
    total: float,
    rows: int,
    seed: int,
    watch: Callable[[float], None] = lambda _: None,
) -> Classes:
    """Classes [rows, d] by noisy shares of `total` rows: of columns, and of pairs that were
    `counted`, most dependent first. `watch` is told the share of the work that
    is done. Takes time in proportion to rows, columns, their parents and their classes."""
    rng = np.random.default_rng(seed)
    # Pairs that are hardly more than noise would add up where columns are many.
    views = [pair for pair in counted if stands_out(pair, ones, CLEAR)]
    cells = [_Cells.of(one, _groups(views, at)) for at, one in enumerate(ones)]
    order = sorted(range(len(ones)), key=lambda at: -len(cells[at].shares))
    drawn = np.zeros((rows, len(ones)), np.int64)
    with side_by_side(1):
        for done, at in enumerate(order):
            column = _Conditional(at, _pairs(views, at, order[:done], cells), cells, total)
            size = len(cells[at].shares)
            column.fit(drawn[: rows_at_once(size, _FITTED_VALUES, 4096, FITTED)])
            step = rows_at_once(size, _DRAWN_VALUES, 256, FITTED)
            for start in range(0, rows, step):
                some = slice(start, start + step)
                drawn[some, at] = _evenly(column.shares(drawn[some]), rng)
            watch((done + 1) / len(order))
    return np.stack([cells[at].classes(drawn[:, at], rng) for at in range(len(ones))], 1)


@dataclass(frozen=True)
class _Cells:
    """Classes that no view tells apart are one cell: `of_class` [C] says which, `likely` [C] how
    often each comes. Of the cells [G]: likely `shares`, noisy ones and their sigmas, and which
    never come."""

    of_class: Classes
    likely: Shares
    shares: Shares
    noisy: Shares
    sigmas: Shares
    never: NDArray[np.bool_]

    @staticmethod
    def of(one: OneWay, groups: Iterable[Classes]) -> _Cells:
        distinct = {group.tobytes(): group for group in groups}.values()
        stacked = np.stack([np.zeros(len(one.best), np.int64), *distinct])
        cell = np.unique(stacked, axis=1, return_inverse=True)[1].reshape(-1)
        best, noisy, variances, there = (
            np.bincount(cell, values).astype(np.float64)
            for values in (one.best, one.shares, one.sigmas**2, ~one.absent)
        )
        likely = np.where(one.absent, 0.0, np.maximum(one.best, _TINY))
        return _Cells(cell, likely, best, noisy, np.sqrt(variances), there == 0)

    def grouped(self, group: Classes) -> Classes:
        """The group [G] of each cell, from that of each class."""
        found = np.zeros(len(self.shares), np.int64)
        found[self.of_class] = group
        return found

    def classes(self, cells: Classes, rng: np.random.Generator) -> Classes:
        """A class [n] in each of `cells` [n]."""
        order = np.argsort(self.of_class, kind="stable")
        ends = self.of_class[order] + _cumulative(self.likely[order], self.of_class[order])
        at = np.searchsorted(ends, cells + _spread(cells, rng), side="right")
        found: Classes = order[at.clip(max=len(order) - 1)]
        return found


@dataclass(frozen=True)
class _Pair:
    """Noisy shares [A, B] of groups of a parent's cells, `rows` [G], and of a column's own."""

    parent: int
    rows: Tensor
    columns: Tensor
    shares: Shares
    sigma: float


def _groups(views: Sequence[TwoWay], at: int) -> Iterator[Classes]:
    for view in views:
        yield from (g for c, g in zip(view.columns, view.groups, strict=True) if c == at)


def _pairs(
    views: Sequence[TwoWay], at: int, earlier: Collection[int], cells: Sequence[_Cells]
) -> list[_Pair]:
    """Views of a column and one of those that were drawn `earlier`, PARENTS of them at most."""
    found: list[_Pair] = []
    for view in views:
        if at not in view.columns or len(found) == PARENTS:
            continue
        own = view.columns.index(at)
        parent = view.columns[1 - own]
        if parent not in earlier:
            continue
        rows, columns = (
            torch.from_numpy(cells[view.columns[side]].grouped(view.groups[side]))
            for side in (1 - own, own)
        )
        shares = view.shares if own else view.shares.T
        found.append(_Pair(parent, rows, columns, shares, view.sigma))
    return found


class _Conditional:
    """A column's cells given those of its parents."""

    def __init__(
        self, at: int, pairs: Sequence[_Pair], cells: Sequence[_Cells], total: float
    ) -> None:
        self.own, self.pairs, self.total = cells[at], pairs, total
        self.parents = [pair.parent for pair in pairs]
        self.starts = np.cumsum([0, *(len(cells[parent].shares) for parent in self.parents)])[:-1]
        sigmas = [
            self.own.sigmas,
            *(np.full(pair.shares.shape, pair.sigma) for pair in pairs),
        ]
        self.shapes = [sigma.shape for sigma in sigmas]
        self.penalty = CAUTION * _flat(sigmas) * total
        likely = np.log(np.maximum(self.own.shares, _TINY))
        self.base = torch.from_numpy(np.where(self.own.never, _NEVER, likely)).float()
        self.bias, self.table = self.base, torch.zeros(0, len(self.base))

    def fit(self, drawn: Classes) -> None:
        """Weights, by rows [N, d] that were drawn so far."""
        if not self.pairs:
            return
        index = self._index(drawn)
        counts = _flat([self.own.noisy, *(pair.shares for pair in self.pairs)]) * self.total
        scale = torch.rsqrt(counts.clamp(min=0) + self.penalty + 1)  # by curvature, about

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            free = torch.from_numpy(flat).float().requires_grad_()
            weights = free * scale
            bias, table = self._laid_out(weights)
            nats = torch.logsumexp(embedding_bag(index, table, mode="sum") + bias, 1).mean()
            told = counts @ weights - self.penalty @ weights.square() / 2
            value = nats - told / self.total
            value.backward()  # type: ignore[no-untyped-call]
            assert free.grad is not None
            return float(value.detach()), free.grad.double().numpy()

        options = {"maxiter": ITERATIONS, "ftol": _ENOUGH, "gtol": 0.0}
        start = np.zeros(len(counts))
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
        self.bias, self.table = self._laid_out(torch.from_numpy(found.x).float() * scale)

    def shares(self, drawn: Classes) -> Shares:
        """Of the cells [N, G], given earlier columns of rows [N, d]."""
        if not self.pairs:
            return np.tile(self.bias.double().softmax(0).numpy(), (len(drawn), 1))
        logits = embedding_bag(self._index(drawn), self.table, mode="sum") + self.bias
        return np.asarray(logits.double().softmax(1).numpy())

    def _index(self, drawn: Classes) -> Tensor:
        """Rows of `table` that a row adds up."""
        return torch.from_numpy(drawn[:, self.parents] + self.starts)

    def _laid_out(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """A bias [G], and weights [cells of all parents, G]."""
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        own, *rest = torch.split(weights, sizes)
        wide = [
            part.reshape(shape)[pair.rows][:, pair.columns]
            for pair, part, shape in zip(self.pairs, rest, self.shapes[1:], strict=True)
        ]
        return self.base + own, torch.cat(wide)


def _evenly(shares: Shares, rng: np.random.Generator) -> Classes:
    """A cell of each row [N] by its `shares` [N, G]. Rows alike get cells as often as they should,
    nearly: what a draw adds is less than what independent ones do."""
    ends = shares.cumsum(1)
    place = _spread(shares @ np.arange(shares.shape[1]), rng) * ends[:, -1]
    return np.asarray((ends <= place[:, None]).sum(1).clip(max=shares.shape[1] - 1))


def _spread(key: NDArray[np.generic], rng: np.random.Generator) -> Shares:
    """Numbers from 0 to 1 for each row, even among those whose keys are near each other: steps by
    the golden ratio (Weyl), rows of equal keys in random order."""
    mixed = rng.permutation(len(key))
    order = mixed[np.argsort(key[mixed], kind="stable")]
    places = np.empty(len(key))
    places[order] = (np.arange(len(key)) * _GOLDEN + rng.random()) % 1.0
    return places


def _cumulative(shares: Shares, cell: Classes) -> Shares:
    """Sums within each of sorted cells, as shares of the last one."""
    sums = shares.cumsum()
    first = np.searchsorted(cell, cell)
    sums = sums - np.concatenate([[0.0], sums])[first]
    last = sums[np.searchsorted(cell, cell, side="right") - 1]
    return np.asarray(np.minimum(sums / np.maximum(last, _TINY**2), 1.0))


def _flat(parts: Sequence[Shares]) -> Tensor:
    return torch.from_numpy(np.concatenate([part.ravel() for part in parts])).float()
