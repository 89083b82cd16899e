"""Noisy shares of columns and of several together, and how far these are from independence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes

Shares = NDArray[np.float64]
Columns = tuple[int, ...]  # their numbers
Groups = tuple[Classes, ...]  # [C] of each, the group of every class
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
class Joint:
    """Noisy shares [A, B, ...] of the groups of several columns, and their standard deviation."""

    columns: Columns
    groups: Groups
    shares: Shares
    sigma: float


def table_of(classes: Classes, columns: Columns, groups: Groups) -> NDArray[np.int64]:
    """Rows of `classes` [N, d] in each cell [A, B, ...] of the groups of some columns."""
    shape = tuple(int(group.max()) + 1 for group in groups)
    places = tuple(group[classes[:, column]] for column, group in zip(columns, groups, strict=True))
    flat = np.bincount(np.ravel_multi_index(places, shape), minlength=math.prod(shape))
    return flat.reshape(shape)


def stands_out(joint: Joint, ones: Sequence[OneWay], least: float) -> bool:
    """Whether columns are farther from independence than noise makes them, by `least` standard
    deviations of that."""
    spread = 0.5 * joint.sigma * math.sqrt(joint.shares.size * (1 - MEAN_ABS**2))
    return dependence(joint, ones) > least * spread


def dependence(joint: Joint, ones: Sequence[OneWay]) -> float:
    """Total variation from independence, less what noise makes of it."""
    off = np.abs(joint.shares - alone(joint.columns, joint.groups, ones)).sum() / 2
    return float(off - noise_of(joint.shares.size, joint.sigma))


def noise_of(cells: float, sigma: float) -> float:
    """What noise `sigma` of each cell's share makes of the total variation of so many cells."""
    return 0.5 * MEAN_ABS * sigma * cells


def alone(columns: Columns, groups: Groups, ones: Sequence[OneWay]) -> Shares:
    """Shares [A, B, ...] of columns that don't depend on each other."""
    sides = (
        np.bincount(group, ones[column].best) for column, group in zip(columns, groups, strict=True)
    )
    return np.asarray(reduce(np.multiply.outer, sides), np.float64)
