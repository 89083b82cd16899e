"""Whether two tables hold the same rows, however they are kept."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthvae.schema import MISSING
from synthvae.table import Column, Table

_MIDNIGHT = " 00:00:00"
_ZONES = ("+00:00", "Z")
_ODD = np.uint64(0x9E3779B97F4A7C15)


def identity(table: Table) -> bytes:
    """The same for the same rows, whatever their order and that of the columns, and whether they
    come from CSV, Parquet or a frame, which write numbers, days and booleans in their own ways.
    Takes some microseconds for each distinct value."""
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
    written = [_plain(text) for text in column.texts]
    of_level = pd.util.hash_array(np.array([*written, ""], object), categorize=False)
    return np.asarray(of_level[column.codes])


def _plain(text: str) -> str:
    """As all of them would write it, or nearly: readers differ in the last digit of a number, and
    in whether codes of digits keep their zeros. Rather too many are alike than too few."""
    if text in MISSING:
        return ""
    try:
        return f"{float(text) + 0.0:.12g}"
    except ValueError:
        pass
    for zone in _ZONES:
        text = text.removesuffix(zone)
    return text.lower().removesuffix(_MIDNIGHT)


def fingerprints(table: Table) -> list[bytes]:
    """What a history knows the rows of `table` by, and what it knew them by before."""
    return [identity(table), table.fingerprint().encode()]
