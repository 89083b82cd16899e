"""Whether two tables hold the same rows, however they are kept."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthvae.schema import MISSING
from synthvae.table import Column, Table
from synthvae.written import numbers_of

_MIDNIGHT = " 00:00:00"
_ODD = np.uint64(0x9E3779B97F4A7C15)


def identity(table: Table) -> bytes:
    """The same for the same rows, whatever their order and that of the columns, and whether they
    come from CSV, Parquet or a frame, which write numbers, days and booleans in their own ways."""
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
    written = [_plain(text, number) for text, number in zip(column.texts, numbers, strict=True)]
    of_level = pd.util.hash_array(np.array([*written, ""], object), categorize=False)
    return np.asarray(of_level[column.codes])


def _plain(text: str, number: float) -> str:
    if text in MISSING:
        return ""
    if math.isfinite(number):
        return repr(number)
    lowered = text.lower()
    return lowered if lowered in ("true", "false") else text.removesuffix(_MIDNIGHT)
