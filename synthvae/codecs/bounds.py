"""The ends of a column, and the single values that hold many rows."""

from __future__ import annotations

import numpy as np

from synthvae.written import Values

OUTERMOST = 5
MAX_ATOMS = 256
ATOM_SHARE = 0.003


def outer_bounds(values: Values) -> tuple[float, float]:
    """Ends that no single row sets: the sixth lowest and sixth highest value of `values` [n]
    (of fewer than 600 values: without the outermost 1 %; of fewer than 100: the true ends)."""
    if not len(values):
        return 0.0, 0.0
    skip = min(OUTERMOST, len(values) // 100)
    ordered = np.partition(values, (skip, len(values) - 1 - skip))
    return float(ordered[skip]), float(ordered[len(values) - 1 - skip])


def spikes(values: Values, share: float, least: int = 20) -> Values:
    """Sorted values that hold at least `share` of the rows of `values` [n], and `least` rows."""
    levels, counts = np.unique(values, return_counts=True)
    return levels[counts >= max(share * len(values), least)]


def atoms_of(values: Values) -> Values:
    """Sorted values that become classes of their own: all, if they are few, else the spikes."""
    distinct = np.unique(values)
    few = len(distinct) <= MAX_ATOMS and len(distinct) * 2 <= len(values)
    return distinct if few or len(distinct) < 3 else spikes(values, ATOM_SHARE)
