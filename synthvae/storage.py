"""The types that columns are stored in outside CSV, by name, and values cast back to them."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Numbers = NDArray[np.float64] | NDArray[np.int64]
View = Literal["text", "typed"]

_TIMESTAMP = re.compile(r"timestamp\[(\w+), tz=(.+)\]")
_DECIMAL = re.compile(r"decimal128\((\d+), (-?\d+)\)")


def is_supported(kind: pa.DataType) -> bool:
    """Whether columns of this Arrow type can be learnt and written back."""
    types = pa.types
    return bool(
        types.is_boolean(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal128(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_null(kind)
        or types.is_date(kind)
        or types.is_timestamp(kind)
    )


def type_of(name: str) -> pa.DataType:
    """The Arrow type called `name`; all text is `string`."""
    if found := _TIMESTAMP.fullmatch(name):
        return pa.timestamp(found[1], found[2])
    if found := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(found[1]), int(found[2]))
    if name in ("text", "string", "large_string", "null"):
        return pa.string()
    return pa.type_for_alias(name)


def restore(values: Numbers, kind: pa.DataType) -> pa.Array:
    """Finite numbers [n] as `kind`; those out of its range stop at its ends."""
    if not pa.types.is_integer(kind):
        return pa.array(values).cast(kind, safe=False)
    whole = kind.to_pandas_dtype()
    low, high = ends(kind)
    # No float is 2^63 - 1, and one of 2^63 does not fit: what reaches the end is set to it.
    over = values >= float(high)
    inside = np.where(over, 0, np.maximum(values, low)).astype(whole)
    return pa.array(np.where(over, whole(high), inside))


def parse(texts: pa.StringArray, kind: pa.DataType) -> pa.Array:
    """Written forms [n] as `kind`; whole numbers out of its range stop at its ends."""
    if pa.types.is_timestamp(kind):
        # Written forms are in UTC and do not say so.
        return texts.cast(pa.timestamp(kind.unit)).cast(kind)
    if not is_whole(kind):
        return texts.cast(kind)
    low, high = ends(kind)
    numbers = (None if text is None else int(text) for text in texts.to_pylist())
    return pa.array([n if n is None else min(max(n, low), high) for n in numbers], kind)


def is_whole(kind: pa.DataType) -> bool:
    """Whether this is a type of whole numbers."""
    return bool(pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0))


def ends(kind: pa.DataType) -> tuple[int, int]:
    """The smallest and the largest number of a type of whole numbers."""
    if pa.types.is_decimal(kind):
        return 1 - 10**kind.precision, 10**kind.precision - 1
    limits = np.iinfo(kind.to_pandas_dtype())
    return int(limits.min), int(limits.max)
