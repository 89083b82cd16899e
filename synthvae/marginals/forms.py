"""Written forms that follow from one value alone.

A typed column is met as texts that depend on all of its rows: one fraction among whole numbers, or
among whole seconds, and every other row is written otherwise. Counts of such texts would move by
far more than one row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.storage import type_of
from synthvae.table import Column
from synthvae.written import moments, numbers_of, write_moments


def declared_forms(levels: Sequence[str], storage: str) -> tuple[str, ...]:
    """Declared categories as the values of a column of this type are written: metadata has 1.0 and
    True where a column of floats has '1', and one of booleans 'true'."""
    kind = type_of(storage)
    if pa.types.is_boolean(kind):
        return tuple(level.lower() for level in levels)
    if not pa.types.is_floating(kind):
        return tuple(levels)
    texts = _short(_numbers(pa.array(levels, pa.string()), kind))
    return tuple(dict.fromkeys(texts.to_pylist()))


_LARGE = 2.0**24  # from here on the shortest text of a float32 is not all of it


def by_value(column: Column, format: str = "") -> Column:
    """`column` in forms of which each follows from its own value; moments in `format`, if one is
    declared, also of text that has another form but is written year-month-day. All other text is
    what it was."""
    kind, storage = type_of(column.storage), Column.storage
    if pa.types.is_floating(kind):  # whose forms are still numbers, and stay as they are
        texts, storage = _numbers(column.levels, kind), column.storage
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        texts = _moments(column.levels, format)
    elif format and pa.types.is_string(kind):
        texts = _in_format(column.levels, format)
    else:
        return column
    encoded = texts.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    codes = np.append(codes, -1).astype(np.int32)[column.codes]
    return Column(column.name, codes, encoded.dictionary, storage)


def _numbers(levels: pa.StringArray, kind: pa.DataType) -> pa.StringArray:
    """Without exponents and the sign of zero, large ones with all digits."""
    values = numbers_of(levels) + 0.0  # -0.0 + 0.0 is 0.0
    large = np.abs(values) >= _LARGE
    if kind != pa.float64():
        values = np.where(large, values.astype(np.float32), values)
    has_exponent = pc.match_substring(levels, "e").to_numpy(zero_copy_only=False)
    at = np.flatnonzero(large | has_exponent | (values == 0))
    texts = np.array(levels.to_pylist(), object)
    texts[at] = [np.format_float_positional(value, trim="-") for value in values[at].tolist()]
    return pa.array(texts, pa.string())


def _short(texts: pa.StringArray) -> pa.StringArray:
    """Without zeros that end a fraction."""
    short = pc.replace_substring_regex(texts, r"(\.\d*?)0+$", r"\1")
    return pc.if_else(pc.match_substring(texts, "."), pc.utf8_rtrim(short, characters="."), texts)


_ISO = r"^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d{1,6})?)?$"


def _in_format(levels: pa.StringArray, format: str) -> pa.StringArray:
    """Such as the dates that a frame holds as objects."""
    strange = np.isnan(moments(levels, format, "us"))
    strange &= pc.match_substring_regex(levels, _ISO).to_numpy(zero_copy_only=False)
    at = np.flatnonzero(strange)
    texts = np.array(levels.to_pylist(), object)
    texts[at] = _moments(levels.take(pa.array(at)), format).to_pylist()
    return pa.array(texts, pa.string())


def _moments(levels: pa.StringArray, format: str) -> pa.StringArray:
    """Without a fraction that is zero, or in `format`; null is what can't be written."""
    if not format:
        return _short(levels)
    has_time = pc.match_substring(levels, ":")
    full = pc.if_else(has_time, levels, pc.binary_join_element_wise(levels, "00:00:00", " "))
    has_fraction = pc.match_substring(levels, ".")
    full = pc.if_else(has_fraction, full, pc.binary_join_element_wise(full, "0", "."))
    values = moments(full, "%Y-%m-%d %H:%M:%S.%f", "us")
    absent = np.isnan(values)
    texts = write_moments(np.where(absent, 0.0, values), format, "us")
    return pc.if_else(pa.array(absent), None, texts)
