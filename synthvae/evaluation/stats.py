"""Columns as arrays, and 95 % intervals that are cheap enough for every number.

Two kinds of interval serve the whole package:

- Distances between histograms (KS, total variation) are biased: a resample is always further away
  than the sample it came from, so percentiles of a bootstrap lie above the value itself. Here only
  the *spread* over half samples is used, centred on the measured value (the delete-half jackknife;
  Shao & Wu 1989, Annals of Statistics 17, 1176). It covers the distance that redrawing as many
  rows would give on average, the real table held fixed. Near the floor it is somewhat too wide,
  because a half sample of noise is noisier than the noise itself.
- Means over rows, and AUCs, have an influence function: the interval is value +- 1.96 standard
  errors of it. For the AUC this is DeLong et al. (1988), Biometrics 44, 837, in the
  cross-validated form of LeDell et al. (2015), Electronic Journal of Statistics 9, 1583. It takes
  the fitted models as given. With complete separation it shrinks to the point 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthvae.evaluation.records import Interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Distance = Callable[[Floats], Floats]
"""Counts [R, size] to distances [R]."""

QUANTILE_BINS = 10
TOP_LEVELS = 100
GROUPS = 32
HALVES = 64
_COUNTS_AT_ONCE = 250_000
_MOST_CATEGORIES = 254  # the trees take 255 categories, and one is for levels not seen before
_Z = NormalDist().inv_cdf(0.975)


def is_number(column: pd.Series) -> bool:
    """Whether a column is compared as numbers; everything else is compared as text."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def pick(frame: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """At most `rows` rows of `frame`, drawn without replacement."""
    if len(frame) <= rows:
        return frame
    return frame.iloc[rng.permutation(len(frame))[:rows]]


def tree_codes(
    reference: pd.DataFrame, frames: Sequence[pd.DataFrame]
) -> tuple[list[Floats], list[bool]]:
    """Every frame as an array [rows, columns] for trees, and which columns are categories.

    Text becomes its rank by frequency in `reference`; a level that it lacks comes after the last
    one; missing stays NaN. Text with more levels than the trees can take as categories is left to
    them as a number.
    """
    arrays = [np.empty(frame.shape) for frame in frames]
    categorical = []
    for at, name in enumerate(reference):
        if is_number(reference[name]):
            categorical.append(False)
            for array, frame in zip(arrays, frames, strict=True):
                array[:, at] = frame[name]
            continue
        counts = reference[name].value_counts()
        # Ties go by the text itself: the order of rows may tell where a level came from.
        levels = counts.index[np.lexsort((counts.index.astype(str), -counts.to_numpy()))]
        categorical.append(len(levels) <= _MOST_CATEGORIES)
        for array, frame in zip(arrays, frames, strict=True):
            codes = levels.get_indexer(pd.Index(frame[name]))
            array[:, at] = np.where(codes < 0, len(levels), codes)
            array[frame[name].isna(), at] = np.nan
    return arrays, categorical


@dataclass(frozen=True)
class Cells:
    """One column cut into cells that the real table fixes."""

    size: int
    real: Ints
    others: tuple[Ints, ...]  # of the synthetic rows, of the holdout rows


def cut_cells(real: pd.Series, others: Sequence[pd.Series]) -> Cells:
    """Numbers by quantile bins (by value if few), text by top levels and a rest; missing last."""
    if is_number(real):
        values = real.dropna().to_numpy(np.float64)
        levels = np.unique(values)
        shares = np.linspace(0, 1, QUANTILE_BINS + 1)
        few = len(levels) <= QUANTILE_BINS
        edges = levels if few else np.unique(np.quantile(values, shares))
        last = len(edges) + 1

        def cut(column: pd.Series) -> Ints:
            return np.searchsorted(edges, column.to_numpy(np.float64), "right")
    else:
        top = real.value_counts().index[:TOP_LEVELS]
        last = len(top) + 1

        def cut(column: pd.Series) -> Ints:
            codes = top.get_indexer(pd.Index(column))
            return np.where(codes < 0, len(top), codes)

    first, *rest = (np.where(column.isna(), last, cut(column)) for column in (real, *others))
    return Cells(last + 1, first, tuple(rest))


@dataclass(frozen=True)
class HalfSamples:
    """Random halves of one table's rows, shared by all its columns and column pairs.

    Rows fall into groups once and every half is made of whole groups, so counting each group once
    gives the counts of all halves by one small matrix product.
    """

    groups: Ints  # [n], the group of each row
    weights: npt.NDArray[np.float32]  # [1 + HALVES, groups], 0 or 1; the first row takes all rows

    @classmethod
    def draw(cls, rows: int, rng: np.random.Generator) -> HalfSamples:
        """Halves of `rows` >= 2 rows."""
        count = min(GROUPS, rows)
        groups = rng.permutation(np.arange(rows) % count)
        halves = np.argsort(rng.random((HALVES, count)), axis=1) < count // 2
        weights = np.vstack([np.ones((1, count)), halves]).astype(np.float32)
        return cls(groups, weights)

    def distances(self, cells: Ints, size: int, distance: Distance) -> Floats:
        """`distance` of all rows and of each half, [1 + HALVES].

        `cells` [n] are below `size`. Costs O(n + size * GROUPS * HALVES).
        """
        groups = self.weights.shape[1]
        counts = np.bincount(self.groups * size + cells, minlength=groups * size)
        # float32 holds counts exactly up to 16 million and makes the product twice as fast.
        table = counts.reshape(groups, size).astype(np.float32)
        step = max(1, _COUNTS_AT_ONCE // size)
        parts = [
            distance((self.weights[start : start + step] @ table).astype(np.float64))
            for start in range(0, len(self.weights), step)
        ]
        return np.concatenate(parts)

    def interval(self, distances: Floats, high: float) -> Interval:
        """Around `distances[0]`, from the spread of the others; within 0 and `high`."""
        groups = self.weights.shape[1]
        spread = subsample_error(distances[1:], groups // 2, groups)
        margin = spread * t_quantile(groups - 1)
        return around(float(distances[0]), margin, 0.0, high)


def kolmogorov_smirnov(real: Floats, other: Floats) -> tuple[Ints, int, Distance]:
    """The cells of `other`, their number, and the distance to `real` of counts in these cells.

    A cell is a distinct value; the last one is for missing values, whose share is one more atom:
    the distance is the larger of both gaps.
    """
    known, seen = np.sort(real[~np.isnan(real)]), ~np.isnan(other)
    values, places = np.unique(other[seen], return_inverse=True)
    cells = np.full(len(other), len(values))
    cells[seen] = places
    at = np.searchsorted(known, values, "right") / max(len(known), 1)
    before = np.searchsorted(known, values, "left") / max(len(known), 1)
    missing = 1 - len(known) / len(real)

    def distance(counts: Floats) -> Floats:
        present = counts[:, :-1].sum(axis=1)
        cdf = np.cumsum(counts[:, :-1], axis=1) / np.maximum(present, 1)[:, None]
        # It is ahead by most at one of its values, and behind by most just before the next one.
        ahead = (cdf - at).max(axis=1, initial=0.0)
        behind = (before[1:] - cdf[:, :-1]).max(axis=1, initial=np.max(before[:1], initial=0.0))
        gap = np.maximum(ahead, behind)
        gap[(present > 0) != (len(known) > 0)] = 1.0
        return np.asarray(np.maximum(gap, np.abs(counts[:, -1] / counts.sum(axis=1) - missing)))

    return cells, len(values) + 1, distance


def total_variation(reference: Ints, size: int) -> Distance:
    """The distance of counts [R, size] to the shares of the `reference` cells."""
    shares = np.bincount(reference, minlength=size) / len(reference)

    def distance(counts: Floats) -> Floats:
        gaps: Floats = np.abs(counts / counts.sum(axis=1, keepdims=True) - shares)
        return np.asarray(gaps.sum(axis=1) / 2)

    return distance


def subsample_error(values: Floats, kept: int, rows: int) -> float:
    """Standard error at `rows` rows, from values on subsamples of `kept` of them.

    A subsample without replacement varies by 1 / kept - 1 / rows about the whole, where the whole
    varies by 1 / rows about the truth.
    """
    return float(np.std(values, ddof=1)) * math.sqrt(kept / (rows - kept))


def t_quantile(degrees: int) -> float:
    """The 97.5 % quantile of Student's t, by Abramowitz & Stegun 26.7.5 (within 1 % from 3 on)."""
    z, v = _Z, degrees
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3


def around(value: float, margin: float, low: float, high: float) -> Interval:
    """`value` +- `margin`, cut at `low` and `high`; NaN stays NaN."""
    ends = np.clip([value - margin, value + margin], low, high)
    return Interval(float(ends[0]), float(ends[1]))


def auc(positive: Bools, scores: Floats) -> tuple[float, Floats]:
    """Area under the ROC curve and its influence function [n]; ties count half.

    `positive` [n] holds both classes. The influence of a row is how far its own share of won
    comparisons lies from the AUC, over the share of its class; it averages to zero.
    """
    won, lost = np.sort(scores[positive]), np.sort(scores[~positive])
    above = _share_below(lost, scores[positive])
    below = 1.0 - _share_below(won, scores[~positive])
    value = float(above.mean())
    influence = np.empty(len(scores))
    influence[positive] = (above - value) / positive.mean()
    influence[~positive] = (below - value) / (~positive).mean()
    return value, influence


def influence_interval(value: float, influence: Floats, low: float, high: float) -> Interval:
    """From the influence function [n] of `value`; within `low` and `high`."""
    margin = _Z * math.sqrt(float(np.mean(influence**2)) / len(influence))
    return around(value, margin, low, high)


def _share_below(ordered: Floats, values: Floats) -> Floats:
    """The share of `ordered` below each value, equal ones counting half."""
    places = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(places / (2 * len(ordered)), dtype=np.float64)
