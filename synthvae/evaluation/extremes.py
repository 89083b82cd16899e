"""What means hide: the column that came out worst, and values that never come back.

A table of a hundred columns keeps its mean distance when one of them is constant, and a category
of half a percent vanishes without a trace in any distance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthvae.evaluation.fidelity import _column_distances, sides_of
from synthvae.evaluation.records import Interval, Metric
from synthvae.evaluation.stats import Floats, is_number

EXPECTED = 15
"""Rows of a value that fresh real rows would have on average: with 15 none is lacking by chance but
once in three million, and three or fewer once in five thousand."""
MOST_LEVELS = 20


def worst_column(
    real: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, seed: int
) -> Metric:
    """The distance of the column that lies farthest above its own floor, in percent.

    Distances, rows and intervals are those of `shape`, and the floor is the same column's. Being
    the worst of all columns it lies somewhat above its floor for fresh real rows too. `detail` is
    how far every column lies above its floor.
    """
    sides = sides_of("shape", holdout, synthetic, seed)
    found = [
        np.stack([_column_distances(real[name], side.rows[name], side.halves) for name in real])
        for side in sides
    ]
    above = 100 * (found[0][:, 0] - found[1][:, 0])
    worst = int(np.argmax(above))
    value, floor = (float(100 * each[worst, 0]) for each in found)
    interval, floor_interval = (
        side.halves.interval(100 * each[worst], 100.0)
        for side, each in zip(sides, found, strict=True)
    )
    return Metric(
        name="worst_column",
        value=value,
        interval=interval,
        floor=floor,
        floor_interval=floor_interval,
        ratio=value / floor if floor > 0 else None,
        better="closer",
        unit="percent",
        n=len(sides[0].rows),
        seed=seed,
        detail=dict(zip(map(str, real), map(float, above), strict=True)),
    )


def coverage(
    real: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, seed: int
) -> Metric:
    """The share of the real table's values that come back: 1 is all.

    Values are the levels of text, of numbers with at most 20 distinct ones, and 'missing' in any
    column; only those count of which as many fresh rows would have EXPECTED or more, so that none
    is lacking by chance. 1 where no column has values to ask for, NaN where there are values but so
    many of them, or so few rows, that none counts. The holdout is asked for what its own
    number of rows should show. The interval covers redrawing the rows: a value that stands in few
    of them might have stood in none. `detail` is the share of each column.
    """
    tables = {"synthetic": synthetic, "holdout": holdout}
    found = {what: _counts(real, table) for what, table in tables.items()}
    asks = any(_has_values(real[name]) for name in real)
    value, floor = (_share(counts, asks) for counts in found.values())
    interval, floor_interval = (_interval(counts, asks) for counts in found.values())
    return Metric(
        name="coverage",
        value=value,
        interval=interval,
        floor=floor,
        floor_interval=floor_interval,
        ratio=None,
        better="higher",
        unit="share of values",
        n=len(synthetic),
        seed=seed,
        detail={n: float((c > 0).mean()) for n, c in found["synthetic"].items() if len(c)},
    )


def _counts(real: pd.DataFrame, other: pd.DataFrame) -> dict[str, Floats]:
    """Of each column: how many rows of `other` hold each value that enough of them should."""
    return {
        str(name): _known(real[name], other[name], EXPECTED * len(real) / len(other))
        for name in real
    }


def _has_values(real: pd.Series) -> bool:
    """Whether there are levels to ask for; a few missing cells alone are none."""
    levels = real.nunique()
    return 0 < levels <= MOST_LEVELS or (levels > 0 and not is_number(real))


def _known(real: pd.Series, other: pd.Series, least: float) -> Floats:
    """Rows of `other` with each value that `least` real rows or more hold."""
    shares = real.value_counts(dropna=False)
    if is_number(real) and real.nunique() > MOST_LEVELS:
        shares = shares[shares.index.isna()]
    asked = shares.index[shares >= least]
    counts = other.value_counts(dropna=False)
    # 'missing' is NaN in one table and None in the other.
    lacking = float(other.isna().sum())
    return np.array([lacking if pd.isna(v) else counts.get(v, 0) for v in asked], np.float64)


def _all(counts: Mapping[str, Floats]) -> Floats:
    return np.concatenate(list(counts.values()))


def _share(counts: Mapping[str, Floats], asks: bool) -> float:
    every = _all(counts)
    return float((every > 0).mean()) if len(every) else _unasked(asks)


def _unasked(asks: bool) -> float:
    """Nothing is lacking where there is nothing to ask for; else it could not be measured."""
    return math.nan if asks else 1.0


def _interval(counts: Mapping[str, Floats], asks: bool) -> Interval:
    """A value of c rows would be lacking in others with a chance of e^-c; how many would be
    follows Poisson's law, whose 97.5 % quantile is the lower end. The upper end is the value: what
    is lacking, though fresh rows have it, is lacking."""
    every = _all(counts)
    if not len(every):
        return Interval(_unasked(asks), _unasked(asks))
    there = every[every > 0]
    rate, most = float(np.exp(-there).sum()), 0
    chance = total = math.exp(-rate)
    while total < 0.975:
        most += 1
        chance *= rate / most
        total += chance
    value = len(there) / len(every)
    return Interval(max(0.0, value - most / len(every)), value)
