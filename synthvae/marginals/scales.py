"""Counts on several scales: neighbours that are alike are merged two by two, again and again.

A cell of a fine count is mostly noise. Sums of many cells are not, and tell how columns go together
on the whole, which single cells then need not tell (as wavelets do, Xiao et al. 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthvae.marginals.axes import Classes
from synthvae.marginals.shares import Shares


@dataclass(frozen=True)
class Scale:
    """The place of each group [A], [B], ... of every side."""

    places: tuple[Classes, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(side.max()) + 1 for side in self.places)

    @property
    def grid(self) -> tuple[Classes, ...]:
        """Indices by which an array on this scale becomes one on the finest."""
        return np.ix_(*self.places)

    def merged(self, shares: Shares) -> Shares:
        """Sums of `shares` [A, B, ...] over groups in one place."""
        sums = np.zeros(self.shape)
        np.add.at(sums, self.grid, shares)
        return sums

    def sigmas(self, sigma: float) -> Shares:
        """Standard deviations of sums of cells with noise `sigma` each."""
        return sigma * np.sqrt(self.merged(np.ones([len(side) for side in self.places])))


def scales(shape: Sequence[int], ordered: Sequence[bool]) -> list[Scale]:
    """Of a table of `shape`, the finest first: sides that are not `ordered` stay as they are,
    others are halved until two places are left."""
    sides = tuple(np.arange(size) for size in shape)
    found = [Scale(sides)]
    while any(o and side[-1] > 1 for o, side in zip(ordered, sides, strict=True)):
        sides = tuple(
            side // 2 if o and side[-1] > 1 else side
            for o, side in zip(ordered, sides, strict=True)
        )
        found.append(Scale(sides))
    return found
