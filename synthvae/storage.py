"""The types that columns are stored in outside CSV, by name, and values cast back to them."""

from __future__ import annotations

import re
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

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


def restore(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """`values` cast to `kind`; numbers out of its range stop at its ends."""
    if values.type == kind:
        return values
    if pa.types.is_integer(kind):
        low, high = _ends(kind)
        values = pc.min_element_wise(pc.max_element_wise(values, low), high)
    return values.cast(kind, safe=False)


def _ends(kind: pa.DataType) -> tuple[int, int]:
    bits = kind.bit_width
    if pa.types.is_signed_integer(kind):
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, min(2**bits, 2**63) - 1
