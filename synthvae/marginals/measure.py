"""Which pairs of columns are counted, and how finely.

Every pair is counted once, coarsely: that tells which pairs depend on each other, and by how much.
The others are left at that; the dependent ones are counted again, in as many cells as their share
of the noise allows. Choosing by counts that were paid for anyway costs nothing, where an
exponential mechanism would (McKenna et al. 2022 choose so, round by round); all noise is Gaussian.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes
from synthvae.privacy.ledger import Ledger

Shares = NDArray[np.float64]
MEAN_ABS = math.sqrt(2 / math.pi)  # of a standard normal
COARSE_NOISE = 0.03  # total variation by noise alone that a coarse count may have
COARSE = (3, 12)  # classes of a column in coarse counts
MOST_CHOSEN = 400
SURE = 5.0  # standard deviations: three are passed by the noise of one class in 740
_FAINT = 0.1  # of a count that is hardly more than noise
FINE_NOISE = 0.5  # as a share of the dependence that is being measured


@dataclass(frozen=True)
class OneWay:
    """Noisy shares [C] of one column's classes, their standard deviations, and what they come to
    without negative ones: `best` [C], which sums to 1. `absent` [C]: classes that never come."""

    shares: Shares
    sigmas: Shares
    best: Shares
    absent: NDArray[np.bool_]
    ordered: bool

    @staticmethod
    def of(
        counts: Shares, sigmas: Shares, rows: float, ordered: bool, doubtful: Sequence[int] = ()
    ) -> OneWay:
        """`doubtful` classes are absent unless their counts stand out from the noise."""
        absent = np.zeros(len(counts), bool)
        absent[list(doubtful)] = True
        absent &= counts < SURE * sigmas
        absent &= not absent.all()
        shown = np.where(counts > sigmas, counts, _FAINT * np.maximum(counts, 0))
        shown = np.where(absent, 0.0, shown)
        if not shown.sum() > 0:
            shown = np.where(absent, 0.0, 1.0)
        return OneWay(counts / rows, sigmas / rows, shown / shown.sum(), absent, ordered)

    def groups(self, most: int) -> Classes:
        """The group [C] of each class, at most `most`: neighbours of about equal mass if ordered,
        else the largest each on its own and all others in one."""
        if len(self.best) <= most:
            return np.arange(len(self.best))
        if self.ordered:
            middle = np.cumsum(self.best) - self.best / 2
            cut = np.minimum((middle * most).astype(np.int64), most - 1)
            return np.asarray(np.unique(cut, return_inverse=True)[1])
        group = np.full(len(self.best), most - 1)
        group[np.argsort(-self.best)[: most - 1]] = np.arange(most - 1)
        return group


@dataclass(frozen=True)
class TwoWay:
    """Noisy shares [A, B] of the groups of two columns, and their standard deviation."""

    columns: tuple[int, int]
    groups: tuple[Classes, Classes]
    shares: Shares
    sigma: float


@dataclass(frozen=True)
class TwoWays:
    """Counts of `every` pair, all with the same groups of a column, and of `chosen` ones."""

    every: Sequence[TwoWay] = ()
    chosen: Sequence[TwoWay] = ()


def count_pairs(
    ledger: Ledger,
    classes: Classes,
    ones: Sequence[OneWay],
    rows: float,
    coarse: float,
    fine: float,
) -> TwoWays:
    """Noisy counts of pairs of columns of `classes` [N, d], for the shares `coarse` and `fine` of
    the budget; `rows`: a noisy number of rows."""
    pairs = list(itertools.combinations(range(len(ones)), 2))
    if not pairs:
        return TwoWays()
    first = _coarse(ledger, classes, ones, pairs, rows, coarse)
    excess = np.array([dependence(pair, ones) for pair in first])
    chosen = choose(excess, ledger.sigma(fine) / rows)
    sigma = ledger.sigma(fine, math.sqrt(len(chosen))) / rows
    views = []
    for at in chosen:
        cells = max(excess[at] * FINE_NOISE / (0.5 * MEAN_ABS * sigma), 9.0)
        views.append((first[at].columns, _views(ones, first[at].columns, cells)))
    return TwoWays(first, _count(ledger, "dependent pairs", classes, views, rows, fine))


def choose(excess: Shares, sigma: float) -> Classes:
    """The pairs [m] to count finely, most dependent first: as many as make the least error in
    all, MOST_CHOSEN at most. What is not counted errs by its dependence, what is by noise, which
    grows with how many there are: `sigma` sqrt(m) a cell. One at least: a share that is spent or
    not as the counts have it would be a cost that nobody planned."""
    order = np.argsort(-excess)
    ranked = excess[order].clip(0)
    best, kept = math.inf, 1
    for count in range(1, min(int((ranked > 0).sum()), MOST_CHOSEN) + 1):
        counted = ranked[:count]
        noise = 0.5 * MEAN_ABS * sigma * math.sqrt(count)
        errs = np.minimum(np.maximum(FINE_NOISE * counted, 9 * noise), counted)
        total = errs.sum() + ranked[count:].sum()
        if total < best:
            best, kept = total, count
    return order[:kept]


def _coarse(
    ledger: Ledger,
    classes: Classes,
    ones: Sequence[OneWay],
    pairs: Sequence[tuple[int, int]],
    rows: float,
    share: float,
) -> list[TwoWay]:
    sigma = ledger.sigma(share, math.sqrt(len(pairs))) / rows
    cells = COARSE_NOISE / (0.5 * MEAN_ABS * sigma)
    side = int(np.clip(math.sqrt(cells), *COARSE))
    groups = [one.groups(side) for one in ones]
    views = [((i, j), (groups[i], groups[j])) for i, j in pairs]
    return _count(ledger, "all pairs", classes, views, rows, share)


def _views(
    ones: Sequence[OneWay], columns: tuple[int, int], cells: float
) -> tuple[Classes, Classes]:
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
    what: str,
    classes: Classes,
    views: Sequence[tuple[tuple[int, int], tuple[Classes, Classes]]],
    rows: float,
    share: float,
) -> list[TwoWay]:
    """All tables in one release: a row is in one cell of each."""
    counts = [_table(classes, columns, groups) for columns, groups in views]
    stacked = np.concatenate([count.ravel() for count in counts])
    noisy = ledger.counts("pairs", what, stacked, share, math.sqrt(len(views)))
    ends = np.cumsum([count.size for count in counts])[:-1]
    parts = np.split(noisy.values / rows, ends)
    return [
        TwoWay(columns, groups, part.reshape(count.shape), noisy.sigma / rows)
        for (columns, groups), part, count in zip(views, parts, counts, strict=True)
    ]


def _table(
    classes: Classes, columns: tuple[int, int], groups: tuple[Classes, Classes]
) -> NDArray[np.int64]:
    first, second = (
        group[classes[:, column]] for column, group in zip(columns, groups, strict=True)
    )
    shape = (groups[0].max() + 1, groups[1].max() + 1)
    flat = np.bincount(first * shape[1] + second, minlength=shape[0] * shape[1])
    return flat.reshape(shape)


def stands_out(pair: TwoWay, ones: Sequence[OneWay], least: float) -> bool:
    """Whether a pair is farther from independence than noise makes it, by `least` standard
    deviations of that."""
    spread = 0.5 * pair.sigma * math.sqrt(pair.shares.size * (1 - MEAN_ABS**2))
    return dependence(pair, ones) > least * spread


def dependence(pair: TwoWay, ones: Sequence[OneWay]) -> float:
    """Total variation from independence, less what noise makes of it."""
    expected = [
        np.bincount(group, ones[column].best)
        for column, group in zip(pair.columns, pair.groups, strict=True)
    ]
    off = np.abs(pair.shares - np.outer(*expected)).sum() / 2
    return float(off - 0.5 * MEAN_ABS * pair.sigma * pair.shares.size)
