"""Whether two tables hold the same rows, however they are kept."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthvae.schema import MISSING
from synthvae.table import Column, Table
from synthvae.written import numbers_of

_ODD = np.uint64(0x9E3779B97F4A7C15)


def identity(table: Table) -> bytes:
    """The same for the same rows, whatever their order and that of the columns, and whether a
    number is written 7, 7.0 or 7e0: CSV, Parquet and frames write it in their own ways."""
    total = np.zeros(len(table), np.uint64)
    names = sorted(table.names)
    for name in names:
        total = total * _ODD + _values(table[name])
    total.sort()
    digest = hashlib.blake2b(repr(names).encode(), digest_size=16)
    digest.update(total.tobytes())
    return digest.digest()


def _values(column: Column) -> NDArray[np.uint64]:
    """A hash [N] of the value of each row."""
    numbers = numbers_of(column.levels).tolist()
    written = [
        "" if text in MISSING else repr(number) if np.isfinite(number) else text
        for text, number in zip(column.texts, numbers, strict=True)
    ]
    of_level = pd.util.hash_array(np.array([*written, ""], object), categorize=False)
    return np.asarray(of_level[column.codes])
