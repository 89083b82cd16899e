"""How strongly columns go with each other, in real and in synthetic rows."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthvae.evaluation.fidelity import distance_metric, sides_of
from synthvae.evaluation.records import Metric
from synthvae.evaluation.stats import Cells, Distance, Floats, Ints, cut_cells


@dataclass(frozen=True)
class Associations:
    """Cramér's V of all pairs, [D, D] each, with 1 on the diagonal and NaN where a column does not
    vary; `metric` is the mean difference from the real table, in percent of the whole range."""

    names: tuple[str, ...]
    real: Floats
    holdout: Floats
    synthetic: Floats
    metric: Metric


def association(
    real: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, seed: int
) -> Associations:
    """Cramér's V of every pair of columns, corrected for bias (Bergsma 2013, Journal of the Korean
    Statistical Society 42, 323): 0 for columns that tell nothing of each other, 1 for those that
    follow from each other.

    Cells are those of `pair`, so that V means the same for numbers and text; rows and intervals are
    those of `pair` too. Raises ValueError for fewer than two columns.
    """
    if real.shape[1] < 2:
        raise ValueError(
            "an association needs at least two columns; "
            f"the table has {real.shape[1]}; leave the association out"
        )
    sides = sides_of("association", holdout, synthetic, seed)
    cells = [cut_cells(real[name], [side.rows[name] for side in sides]) for name in real]
    matrices = [np.eye(len(cells)) for _ in range(3)]
    gaps: list[list[Floats]] = []
    for i, j in itertools.combinations(range(len(cells)), 2):
        first, second = cells[i], cells[j]
        size, measure = first.size * second.size, _cramer(first.size, second.size)
        truth = float(measure(_counts(first, second, size))[0])
        others = [
            side.halves.distances(a * second.size + b, size, measure)
            for side, a, b in zip(sides, first.others, second.others, strict=True)
        ]
        found = (truth, float(others[1][0]), float(others[0][0]))
        for matrix, value in zip(matrices, found, strict=True):
            matrix[i, j] = matrix[j, i] = value
        # A column that does not vary goes with nothing, there or here: no difference to count.
        gaps.append([np.nan_to_num(np.abs(each - truth)) for each in others])
    means = [np.mean([gap[at] for gap in gaps], axis=0) for at in (0, 1)]
    metric = distance_metric("association", sides, means, {}, seed)
    names = tuple(map(str, real))
    real_v, holdout_v, synthetic_v = matrices
    return Associations(names, real_v, holdout_v, synthetic_v, metric)


def _counts(first: Cells, second: Cells, size: int) -> Floats:
    codes: Ints = first.real * second.size + second.real
    return np.bincount(codes, minlength=size)[None, :].astype(np.float64)


def _cramer(rows: int, columns: int) -> Distance:
    """V of counts [R, rows * columns]; NaN where a column does not vary."""

    def measure(counts: Floats) -> Floats:
        table = counts.reshape(len(counts), rows, columns)
        n = table.sum(axis=(1, 2))
        down, across = table.sum(axis=2), table.sum(axis=1)
        expected = down[:, :, None] * across[:, None, :] / n[:, None, None]
        gaps = np.where(expected > 0, (table - expected) ** 2 / np.maximum(expected, 1e-12), 0.0)
        phi = gaps.sum(axis=(1, 2)) / n
        r, k = (down > 0).sum(axis=1), (across > 0).sum(axis=1)
        free = (r - 1) * (k - 1) / np.maximum(n - 1, 1)
        r, k = (each - (each - 1) ** 2 / np.maximum(n - 1, 1) for each in (r, k))
        least = np.minimum(r, k) - 1
        value = np.sqrt(np.maximum(phi - free, 0) / np.maximum(least, 1e-12))
        return np.where(least > 1e-9, np.minimum(value, 1.0), np.nan)

    return measure
