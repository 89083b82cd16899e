"""Noisy shares of columns and of pairs of them, and how far a pair is from independence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes

Shares = NDArray[np.float64]
Columns = tuple[int, int]  # their numbers
MEAN_ABS = math.sqrt(2 / math.pi)  # of a standard normal
SURE = 5.0  # standard deviations: three are passed by the noise of one class in 740
_FAINT = 0.1  # of a count that is hardly more than noise


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

    columns: Columns
    groups: tuple[Classes, Classes]
    shares: Shares
    sigma: float


def table_of(
    classes: Classes, columns: Columns, groups: tuple[Classes, Classes]
) -> NDArray[np.int64]:
    """Rows of `classes` [N, d] in each cell [A, B] of the groups of two columns."""
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
    off = np.abs(pair.shares - alone(pair.columns, pair.groups, ones)).sum() / 2
    return float(off - 0.5 * MEAN_ABS * pair.sigma * pair.shares.size)


def alone(columns: Columns, groups: tuple[Classes, Classes], ones: Sequence[OneWay]) -> Shares:
    """Shares [A, B] of two columns that don't depend on each other."""
    first, second = (
        np.bincount(group, ones[column].best) for column, group in zip(columns, groups, strict=True)
    )
    return np.asarray(np.outer(first, second), np.float64)
