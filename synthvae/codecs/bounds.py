"""The ends of a column, the single values that hold many rows, and how many hold what.

Where `units` [n] say whose each row is (-1: no one's, a row that counts for itself), all rows of
one count once: whoever has many rows is still one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthvae.written import Values

OUTERMOST = 5
MAX_ATOMS = 256
ATOM_SHARE = 0.003
SPIKE = 20  # rows of a spike, at least
Units = NDArray[np.int32] | None


def holders(codes: NDArray[np.int32], levels: int, units: Units = None) -> NDArray[np.int64]:
    """How many rows, or units, hold each level [levels]; code -1 is none."""
    there = codes >= 0
    if units is None:
        return np.bincount(codes[there], minlength=levels)
    pairs = np.unique(np.stack([codes[there], _who(units)[there]]), axis=1)
    return np.bincount(pairs[0], minlength=levels)


def _who(units: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.where(units >= 0, units, -1 - np.arange(len(units)))


def outer_bounds(values: Values, units: Units = None) -> tuple[float, float]:
    """Ends that no single row sets: the sixth lowest and sixth highest value of `values` [n]
    (of fewer than 600 values: without the outermost 1 %; of fewer than 100: the true ends)."""
    if not len(values):
        return 0.0, 0.0
    lowest = highest = values
    if units is not None:
        _, unit = np.unique(_who(units), return_inverse=True)
        lowest, highest = np.full((2, unit.max() + 1), np.inf)
        np.minimum.at(lowest, unit, values)
        np.minimum.at(highest, unit, -values)
        highest = -highest
    skip = min(OUTERMOST, len(lowest) // 100)
    last = len(lowest) - 1 - skip
    return float(np.partition(lowest, skip)[skip]), float(np.partition(highest, last)[last])


def spikes(values: Values, share: float, least: int = SPIKE, units: Units = None) -> Values:
    """Sorted values that hold at least `share` of the rows of `values` [n], and `least` rows."""
    levels, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    many = holders(index.astype(np.int32), len(levels), units) >= least
    return levels[many & (counts >= share * len(values))]


def atoms_of(values: Values, least: int = 0, units: Units = None) -> Values:
    """Sorted values that become classes of their own: all, if they are few and `least` hold each,
    else the spikes."""
    distinct = np.unique(values)
    few = len(distinct) <= MAX_ATOMS and len(distinct) * 2 <= len(values)
    if len(distinct) < 3 or (few and len(spikes(values, 0.0, least, units)) == len(distinct)):
        return distinct
    return spikes(values, ATOM_SHARE, max(least, SPIKE), units)
