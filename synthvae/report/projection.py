"""Points of a latent space in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthvae.evaluation.fidelity import pair
from synthvae.evaluation.records import Metric
from synthvae.evaluation.stats import Floats
from synthvae.report.cells import LEAST

GRID = 28
_TAIL = 0.002

Points = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Projection:
    """Two dimensions of a latent space, cut into `edges` [2, GRID + 1]. `real` and `synthetic`
    [GRID, GRID] are shares of points in per mille, 0 where fewer than 10 points are. `explained`:
    share of the variance of real points along either axis."""

    edges: Floats
    real: Floats
    synthetic: Floats
    explained: tuple[float, float]
    rows: tuple[int, int]
    metric: Metric

    def to_json(self) -> dict[str, Any]:
        return {
            "x": np.round(self.edges[0], 3).tolist(),
            "y": np.round(self.edges[1], 3).tolist(),
            "real": np.round(self.real, 1).tolist(),
            "synthetic": np.round(self.synthetic, 1).tolist(),
            "explained": [round(share, 3) for share in self.explained],
            "rows": list(self.rows),
        }


def project(real: Points, holdout: Points, synthetic: Points, seed: int) -> Projection:
    """Points [n, Z], [h, Z] and [m, Z] on the two principal axes of the real ones.

    The metric is the distance of synthetic from real points on these axes, as `pair` measures that
    of two columns; its floor is that of holdout points.
    """
    axes, explained = _axes(real)
    center = real.mean(axis=0)
    sides = [np.asarray(points - center, float) @ axes for points in (real, holdout, synthetic)]
    frames = [pd.DataFrame(side, columns=["first", "second"]) for side in sides]
    metric = replace(pair(frames[0], frames[1], frames[2], seed), name="projection", parts={})
    low, high = np.quantile(sides[0], (_TAIL, 1 - _TAIL), axis=0)
    span = np.maximum(high - low, 1e-9)
    edges = np.linspace(low - 0.1 * span, high + 0.1 * span, GRID + 1).T
    grids = [_grid(side, edges) for side in (sides[0], sides[2])]
    return Projection(
        edges, grids[0], grids[1], explained, (len(real), len(synthetic)), metric
    )  # fmt: skip


def _axes(points: Points) -> tuple[Floats, tuple[float, float]]:
    """[Z, 2], and the shares of variance along them; a second axis of nothing if Z is 1."""
    size = points.shape[1]
    covariance = np.atleast_2d(np.cov(np.asarray(points, float), rowvar=False))
    values, vectors = np.linalg.eigh(covariance)
    axes = np.zeros((size, 2))
    kept = min(size, 2)
    axes[:, :kept] = vectors[:, ::-1][:, :kept]
    # The sign of an axis is arbitrary: its largest part points up.
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    shares = np.append(values[::-1], 0.0)[:2] / max(values.sum(), 1e-12)
    return axes, (float(shares[0]), float(shares[1]))


def _grid(points: Floats, edges: Floats) -> Floats:
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=[edges[0], edges[1]])
    return np.where(counts >= LEAST, 1000 * counts / len(points), 0.0)
