"""Cells and rows as 64-bit hashes: equality of values by sorting, at any number of rows.

Two different values share a hash with probability 5e-20; among a million rows of each of two
tables one false match is expected in 2e7 audits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthvae.evaluation.stats import Ints, is_number
from synthvae.seeds import derive

Hashes = npt.NDArray[np.uint64]


def column_hash(column: pd.Series, name: str) -> Hashes:
    """Of each value [n]; missing values are equal to each other. Depends on the column's name."""
    if is_number(column):
        values = column.to_numpy(np.float64) + 0.0  # -0.0 becomes 0.0
        bits = np.where(np.isnan(values), np.nan, values).view(np.uint64)
    else:
        texts = column.astype(object).where(column.notna(), "\x00missing").astype(str)
        bits = pd.util.hash_array(texts.to_numpy(dtype=object))
    return mixed(bits ^ np.uint64(derive(0, "column", name)))


def rows_hash(frame: pd.DataFrame) -> Hashes:
    """Of each row [n]: the sum of its cells' hashes, so that one column can be taken away."""
    total = np.zeros(len(frame), np.uint64)
    for name in frame:
        total += column_hash(frame[name], str(name))
    return total


def mixed(bits: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the input (splitmix64)."""
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def counts_of(keys: npt.NDArray[np.generic], among: npt.NDArray[np.generic]) -> Ints:
    """How often each key [n] stands in `among` [m]."""
    ordered = np.sort(among)
    return np.searchsorted(ordered, keys, "right") - np.searchsorted(ordered, keys, "left")
