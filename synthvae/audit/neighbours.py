"""Exact nearest neighbours of many points among very many, on one core.

Trees don't help in fifty dimensions. Squared distances come from one matrix product; the nearest
of a block lie in the groups with the smallest minima, so only few distances are ever sorted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthvae.audit.points import Points
from synthvae.evaluation.stats import Floats, Ints

_GROUP = 64
_SPARE = 8
_AT_ONCE = 8_000_000


@dataclass(frozen=True)
class Neighbours:
    """Distances [n, k], nearest first, and the places [n, k] of the neighbours.

    `within` [n]: how many lie in the ball of the radius that was asked for.
    """

    distances: Floats
    places: Ints
    within: Ints

    def rows(self, chosen: npt.NDArray[np.generic]) -> Neighbours:
        return Neighbours(self.distances[chosen], self.places[chosen], self.within[chosen])

    def joined(self, others: Neighbours) -> Neighbours:
        """The k nearest of both sets; places of `others` are no longer told apart."""
        distances = np.hstack([self.distances, others.distances])
        places = np.hstack([self.places, others.places])
        k = self.distances.shape[1]
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return Neighbours(
            np.take_along_axis(distances, order, 1),
            np.take_along_axis(places, order, 1),
            self.within + others.within,
        )


def nearest(points: Points, among: Points, k: int, radius: float = 0.0) -> Neighbours:
    """The `k` nearest of `among` [m, D] to each of `points` [n, D]; fewer if m < k."""
    k = min(k, len(among))
    groups = -(-len(among) // _GROUP)
    spread = np.zeros((among.shape[1], groups * _GROUP), np.float32)
    spread[:, : len(among)] = -2 * among.T
    lengths = np.full(groups * _GROUP, np.inf, np.float32)
    lengths[: len(among)] = np.einsum("ij,ij->i", among, among)
    # The distances of a block, and the coordinates of the few that are computed again.
    widest = max(len(lengths), (k + _SPARE) * among.shape[1])
    step = max(1, _AT_ONCE // widest)
    parts = []
    for start in range(0, len(points), step):
        some = points[start : start + step]
        squares = some @ spread
        squares += lengths  # less the length of the point itself
        distances, places = _sorted(some, among, squares, k)
        own = np.einsum("ij,ij->i", some, some)
        within = (squares <= radius**2 - own[:, None]).sum(axis=1) if radius else 0 * places[:, 0]
        parts.append((distances, places, within))
    return Neighbours(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _sorted(points: Points, among: Points, squares: Points, k: int) -> tuple[Floats, Ints]:
    rows = np.arange(len(points))[:, None]
    grouped = squares.reshape(len(points), -1, _GROUP)
    least = grouped.min(axis=2)
    count = min(k + 1, least.shape[1])
    groups = np.argpartition(least, count - 1, axis=1)[:, :count]
    found = grouped[rows, groups].reshape(len(points), -1)
    kept = min(k + _SPARE, found.shape[1], len(among))
    best = np.argpartition(found, kept - 1, axis=1)[:, :kept]
    places = groups[rows, best // _GROUP] * _GROUP + best % _GROUP
    places = np.minimum(places, len(among) - 1)
    # Exact for the few: the product loses the digits that tell a copy from a close row.
    exact = np.square(points[:, None, :].astype(np.float64) - among[places]).sum(axis=2)
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    return np.sqrt(np.take_along_axis(exact, order, 1)), np.take_along_axis(places, order, 1)
