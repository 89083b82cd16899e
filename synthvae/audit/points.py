"""Rows as points, so that near rows are alike. The synthetic table alone sets the scales.

A number is its distance from the median in units of the usual spread, pulled in by a logarithm, so
that an outlier stays apart from others without ruling the distance. A category of few levels is
one-hot, one of many a random direction for each level: two different levels are about 1 apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthvae.audit.hashing import column_hash
from synthvae.evaluation.stats import is_number
from synthvae.seeds import stream

Points = npt.NDArray[np.float32]
FEW_LEVELS = 16
WIDEST = 256


@dataclass(frozen=True)
class Space:
    """A map from frames to points, with the coordinates of each column."""

    columns: tuple[Callable[[pd.Series], Points], ...]
    names: tuple[str, ...]
    seed: int

    def points(self, frame: pd.DataFrame, names: Sequence[str] | None = None) -> Points:
        """Rows [n, D] in `names`, by default all columns; wider ones are projected at random.

        The projection keeps distances to a few per cent (Johnson & Lindenstrauss 1984).
        """
        wanted = self.names if names is None else names
        parts = [self.columns[self.names.index(name)](frame[name]) for name in wanted]
        joined = np.hstack(parts)
        if joined.shape[1] <= WIDEST:
            return joined
        rng = stream(self.seed, "audit", "projection", joined.shape[1])
        onto = rng.normal(0, 1 / math.sqrt(WIDEST), (joined.shape[1], WIDEST))
        return np.asarray(joined @ onto.astype(np.float32))


def space_of(synthetic: pd.DataFrame, seed: int) -> Space:
    """The scales and levels of `synthetic`."""
    made = [
        (_number if is_number(synthetic[name]) else _category)(synthetic[name], str(name))
        for name in synthetic
    ]
    return Space(tuple(made), tuple(map(str, synthetic)), seed)


def _number(column: pd.Series, name: str) -> Callable[[pd.Series], Points]:
    known = column.dropna().to_numpy(np.float64)
    known = known[np.isfinite(known)]
    middle = float(np.median(known)) if len(known) else 0.0
    low, high = np.quantile(known, [0.25, 0.75]) if len(known) else (0.0, 0.0)
    scale = float(high - low) or float(np.mean(np.abs(known - middle))) if len(known) else 1.0

    def points(values: pd.Series) -> Points:
        far = np.nan_to_num((values.to_numpy(np.float64) - middle) / (scale or 1.0), nan=0.0)
        pulled = np.sign(far) * np.log1p(np.abs(far))
        return np.column_stack([pulled, values.isna()]).astype(np.float32)

    return points


def _category(column: pd.Series, name: str) -> Callable[[pd.Series], Points]:
    levels = sorted(column.dropna().astype(str).unique())
    if len(levels) > FEW_LEVELS:
        return _directions(name)

    def points(values: pd.Series) -> Points:
        places = pd.Index([*levels, None]).get_indexer(pd.Index(values.where(values.notna(), None)))
        one_hot = np.eye(len(levels) + 2, dtype=np.float32)[places]  # the last one: a new level
        return np.asarray(one_hot / np.sqrt(np.float32(2)))

    return points


def _directions(name: str) -> Callable[[pd.Series], Points]:
    def points(values: pd.Series) -> Points:
        distinct, rows = np.unique(column_hash(values, name), return_inverse=True)
        # Bits of the hash are coins: a corner of the cube for each level.
        shifts = np.arange(FEW_LEVELS, dtype=np.uint64)
        corners = ((distinct[:, None] >> shifts) & np.uint64(1)).astype(np.float32) * 2 - 1
        return np.asarray((corners / np.float32(math.sqrt(2 * FEW_LEVELS)))[rows])

    return points
