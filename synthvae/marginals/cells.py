"""Cells of a column: classes that no count tells apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes
from synthvae.marginals.shares import OneWay, Shares

TINY = 1e-6  # share of a class that was not seen in the noise
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Cells:
    """Classes that no view tells apart are one cell: `of_class` [C] says which, `likely` [C] how
    often each comes. Of the cells [G]: likely `shares`, noisy ones and their sigmas, and which
    never come. `ordered`: neighbouring cells are alike."""

    of_class: Classes
    likely: Shares
    shares: Shares
    noisy: Shares
    sigmas: Shares
    never: NDArray[np.bool_]
    ordered: bool

    @staticmethod
    def of(one: OneWay, groups: Iterable[Classes]) -> Cells:
        """By the `groups` [C] of all views of a column."""
        distinct = {group.tobytes(): group for group in groups}.values()
        stacked = np.stack([np.zeros(len(one.best), np.int64), *distinct])
        cell = np.unique(stacked, axis=1, return_inverse=True)[1].reshape(-1)
        best, noisy, variances, there = (
            np.bincount(cell, values).astype(np.float64)
            for values in (one.best, one.shares, one.sigmas**2, ~one.absent)
        )
        likely = np.where(one.absent, 0.0, np.maximum(one.best, TINY))
        sigmas = np.sqrt(variances)
        return Cells(cell, likely, best, noisy, sigmas, there == 0, one.ordered)

    def grouped(self, group: Classes) -> Classes:
        """The group [G] of each cell, from that of each class."""
        found = np.zeros(len(self.shares), np.int64)
        found[self.of_class] = group
        return found

    def classes(self, cells: Classes, rng: np.random.Generator) -> Classes:
        """A class [n] in each of `cells` [n]."""
        order = np.argsort(self.of_class, kind="stable")
        ends = self.of_class[order] + _cumulative(self.likely[order], self.of_class[order])
        at = np.searchsorted(ends, cells + spread(cells, rng), side="right")
        found: Classes = order[at.clip(max=len(order) - 1)]
        return found


def spread(key: NDArray[np.generic], rng: np.random.Generator) -> Shares:
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
    return np.asarray(np.minimum(sums / np.maximum(last, TINY**2), 1.0))
