"""Columns as cells: what an attacker knows of a number is its range, of a category its level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthvae.audit.hashing import Hashes, column_hash
from synthvae.evaluation.stats import is_number

MANY = 50


def cell_hashes(synthetic: pd.DataFrame, frame: pd.DataFrame, bins: int) -> dict[str, Hashes]:
    """Of each column of `frame`, the hash [n] of each row's cell.

    Numbers with more than MANY distinct values fall into `bins` quantiles of the synthetic table;
    all else is taken as it is.
    """
    hashes = {}
    for name in frame:
        values = frame[name]
        if is_number(values):
            known = synthetic[name].dropna().to_numpy(np.float64)
            if len(np.unique(known)) > MANY:
                edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
                cut = np.searchsorted(edges, values.to_numpy(np.float64), "right")
                values = pd.Series(np.where(values.isna(), np.nan, cut))
        hashes[str(name)] = column_hash(values, str(name))
    return hashes


def summed(hashes: Mapping[str, Hashes], names: Sequence[str]) -> Hashes:
    """Of each row's cells in the columns `names` together, [n]."""
    return np.asarray(np.sum([hashes[name] for name in names], axis=0, dtype=np.uint64))
