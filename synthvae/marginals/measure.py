"""Which pairs of columns are counted, and how finely.

A score says how far a pair is from independence: by how many rows its counts differ from what
single columns make expected (McKenna et al. 2022 choose by it). One row stands in one cell, so it
moves a score by one, and scores of all pairs come out in one release that is far cheaper than their
counts. The farthest pairs are counted, in as many cells as their share of the noise allows.

An exponential mechanism would release names of pairs alone, for about as much, and how many would
have to be known beforehand. Noisy scores are Gaussian like all else here, so that costs add up
exactly, and say how many pairs are worth a count.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes
from synthvae.privacy.ledger import Ledger

Shares = NDArray[np.float64]
MEAN_ABS = math.sqrt(2 / math.pi)  # of a standard normal
SCORED = 12  # classes of a column in scores, at most
FEWEST = 9.0  # cells of a count
WORTH = 2.0  # a pair is counted if it is farther than the noise of so many counts of FEWEST cells
MOST_CHOSEN = 400
SURE = 5.0  # standard deviations: three are passed by the noise of one class in 740
_FAINT = 0.1  # of a count that is hardly more than noise
FINE_NOISE = 0.5  # of a count, as a share of the dependence that is being measured


@dataclass(frozen=True)
class OneWay:
    """Noisy shares [C] of one column's classes, and their standard deviations. `doubtful` [C]
    classes are absent unless their shares stand out from the noise."""

    shares: Shares
    sigmas: Shares
    doubtful: NDArray[np.bool_]
    ordered: bool

    @staticmethod
    def of(
        counts: Shares, sigmas: Shares, rows: float, ordered: bool, doubtful: Sequence[int] = ()
    ) -> OneWay:
        """Of `counts` among about so many `rows`."""
        mask = np.zeros(len(counts), bool)
        mask[list(doubtful)] = True
        return OneWay(counts / rows, sigmas / rows, mask, ordered)

    @cached_property
    def absent(self) -> NDArray[np.bool_]:
        """Classes [C] that never come."""
        absent = self.doubtful & (self.shares < SURE * self.sigmas)
        return absent & (not absent.all())

    @cached_property
    def best(self) -> Shares:
        """What the shares come to without negative ones; sums to 1."""
        best = np.where(self.shares > self.sigmas, self.shares, _FAINT * self.shares.clip(0))
        best = np.where(self.absent, 0.0, best)
        if not best.sum() > 0:
            best = np.where(self.absent, 0.0, 1.0)
        return np.asarray(best / best.sum())

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
    pairs = list(itertools.combinations(range(len(ones)), 2))
    if not pairs:
        return []
    far = _distances(ledger, classes, ones, pairs, rows, scores)
    chosen = choose(far, ledger.sigma(counts) / rows)
    sigma = ledger.sigma(counts, math.sqrt(len(chosen))) / rows
    views = []
    for at in chosen:
        cells = max(far[at] * FINE_NOISE / (0.5 * MEAN_ABS * sigma), FEWEST)
        views.append((pairs[at], _views(ones, pairs[at], cells)))
    return _count(ledger, views, classes, rows, counts)


def _distances(
    ledger: Ledger,
    classes: Classes,
    ones: Sequence[OneWay],
    pairs: Sequence[tuple[int, int]],
    rows: float,
    share: float,
) -> Shares:
    """Noisy total variation from independence of each of `pairs`. What chance and the noise of
    single columns make of it is left in: less of both, 5,000 rows came out worse (docs/log.md). So
    of many rows nearly all pairs are counted.

    In whole rows, so that one row moves a score by one exactly, whatever floats round."""
    groups = [one.groups(SCORED) for one in ones]
    scores = np.empty(len(pairs), np.int64)
    for at, (i, j) in enumerate(pairs):
        own = groups[i], groups[j]
        alone = np.rint(rows * _alone((i, j), own, ones)).astype(np.int64)
        scores[at] = np.abs(_table(classes, (i, j), own) - alone).sum()
    noisy = ledger.counts("pairs", "scores of all pairs", scores, share, math.sqrt(len(pairs)))
    return np.asarray(noisy.values / rows / 2)


def choose(far: Shares, sigma: float) -> Classes:
    """The pairs [m] to count of those that are `far` [M] from independence by a score, the
    farthest first: as many as are farther than what noise makes of WORTH small counts, where m of
    them share a budget that buys one of noise `sigma` a cell; MOST_CHOSEN at most. One at least: a
    share that is spent or not as the scores have it would be an unplanned cost."""
    order = np.argsort(-far)
    noise = 0.5 * MEAN_ABS * sigma * np.sqrt(np.arange(1, len(order) + 1))
    worth = np.flatnonzero(far[order] > WORTH * FEWEST * noise)
    return np.asarray(order[: min(worth.max(initial=0) + 1, MOST_CHOSEN)])


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
    views: Sequence[tuple[tuple[int, int], tuple[Classes, Classes]]],
    classes: Classes,
    rows: float,
    share: float,
) -> list[TwoWay]:
    """All tables in one release: a row is in one cell of each."""
    counts = [_table(classes, columns, groups) for columns, groups in views]
    stacked = np.concatenate([count.ravel() for count in counts])
    noisy = ledger.counts("pairs", "dependent pairs", stacked, share, math.sqrt(len(views)))
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
    off = np.abs(pair.shares - _alone(pair.columns, pair.groups, ones)).sum() / 2
    return float(off - 0.5 * MEAN_ABS * pair.sigma * pair.shares.size)


def _alone(
    columns: tuple[int, int], groups: tuple[Classes, Classes], ones: Sequence[OneWay]
) -> Shares:
    """Shares [A, B] of two columns that don't depend on each other."""
    first, second = (
        np.bincount(group, ones[column].best) for column, group in zip(columns, groups, strict=True)
    )
    return np.asarray(np.outer(first, second), np.float64)
