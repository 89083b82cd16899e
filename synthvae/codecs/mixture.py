"""Gaussian mixtures of many columns at once.

A column is squeezed into at most 512 weighted points first (means of equal-count bins; exact where
there are fewer distinct values), and the EM steps of all columns run as one array operation: the
cost is columns x 512 x components a step, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthvae.written import Values

POINTS = 512
COMPONENTS = 10
STEPS = 150
MIN_WEIGHT = 0.005  # as in Xu et al. 2019: lighter components are dropped
_FLOOR = 1e-3  # smallest standard deviation, in standard deviations of the column

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """Weights, means and standard deviations [K] of one column, in its own units."""

    weights: Array
    means: Array
    stds: Array

    def responsibilities(self, values: Values) -> Array:
        """p(component | value) [n, K]."""
        scores = _log_joint(values[:, None], self.weights, self.means, self.stds)
        scores -= scores.max(axis=1, keepdims=True)
        likely = np.exp(scores)
        total: Array = likely / likely.sum(axis=1, keepdims=True)
        return total


def squeeze(values: Values) -> tuple[Array, Array]:
    """At most `POINTS` (points, weights) that stand for `values` [n], n >= 1."""
    points, counts = np.unique(values, return_counts=True)
    if len(points) > POINTS:
        ordered = np.sort(values)
        ends = np.linspace(0, len(ordered), POINTS + 1).astype(int)
        counts = np.diff(ends)
        points = np.add.reduceat(ordered, ends[:-1]) / counts
    return points, counts / counts.sum()


def fit_mixtures(columns: Sequence[Values]) -> list[Mixture]:
    """One mixture per column of values (each [n] >= 1 value)."""
    if not columns:
        return []
    squeezed = [squeeze(values) for values in columns]
    shift = np.array([np.average(p, weights=w) for p, w in squeezed])
    scale = np.array([_spread(p, w) for p, w in squeezed])
    points, weights = np.zeros((2, len(columns), max(len(p) for p, _ in squeezed)))
    for i, (p, w) in enumerate(squeezed):
        points[i, : len(p)] = (p - shift[i]) / scale[i]
        weights[i, : len(w)] = w
    shares, means, stds = _em(points, weights)
    return [
        _kept(shares[i], means[i] * scale[i] + shift[i], stds[i] * scale[i])
        for i in range(len(columns))
    ]


def _spread(points: Array, weights: Array) -> float:
    variance = np.average((points - np.average(points, weights=weights)) ** 2, weights=weights)
    return float(np.sqrt(variance)) or 1.0


def _em(points: Array, weights: Array) -> tuple[Array, Array, Array]:
    """EM on weighted points [C, M] -> shares, means, stds, each [C, K]."""
    cumulative = np.cumsum(weights, axis=1)
    quantiles = (np.arange(COMPONENTS) + 0.5) / COMPONENTS
    start = (cumulative[:, :, None] < quantiles).sum(axis=1).clip(max=points.shape[1] - 1)
    means = np.take_along_axis(points, start, axis=1)
    stds = np.full_like(means, 1.0 / COMPONENTS)
    shares = np.full_like(means, 1.0 / COMPONENTS)
    for _ in range(STEPS):
        scores = _log_joint(points[:, :, None], shares[:, None], means[:, None], stds[:, None])
        scores -= scores.max(axis=2, keepdims=True)
        likely = np.exp(scores)
        likely *= (weights / likely.sum(axis=2))[:, :, None]
        mass = likely.sum(axis=1) + 1e-12
        means = np.einsum("cmk,cm->ck", likely, points) / mass
        square = np.einsum("cmk,cm->ck", likely, points**2) / mass
        stds = np.sqrt(np.maximum(square - means**2, _FLOOR**2))
        shares = mass / mass.sum(axis=1, keepdims=True)
    return shares, means, stds


def _log_joint(points: Array, weights: Array, means: Array, stds: Array) -> Array:
    joint: Array = np.log(weights) - np.log(stds) - 0.5 * ((points - means) / stds) ** 2
    return joint


def _kept(weights: Array, means: Array, stds: Array) -> Mixture:
    keep = weights > MIN_WEIGHT
    return Mixture(weights[keep] / weights[keep].sum(), means[keep], stds[keep])
