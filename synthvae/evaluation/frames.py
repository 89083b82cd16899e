"""Tables as the frames that evaluation and audit take: numbers or text, missing as NaN or None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthvae.schema import ColumnSchema
from synthvae.table import Column, Table
from synthvae.written import format_of, moments, numbers_of, unit_of


def frame(table: Table, columns: Sequence[ColumnSchema]) -> pd.DataFrame:
    """float64 for numbers and moments, text for the rest; missing is NaN or None.

    Text has the written forms of the table, so `007` and `7` differ; booleans go lower case.
    """
    return pd.DataFrame({c.name: _values(table[c.name], c) for c in columns})


def _values(column: Column, schema: ColumnSchema) -> np.ndarray[Any, Any]:
    absent = np.array([text in schema.missing for text in column.texts], bool)
    if schema.sdtype == "numerical":
        numbers = np.where(absent, np.nan, numbers_of(column.levels))
        return np.append(numbers, np.nan)[column.codes]
    if schema.sdtype == "datetime":
        seconds = np.where(absent, np.nan, _moments(column, schema))
        return np.append(seconds, np.nan)[column.codes]
    fold = str.lower if schema.sdtype == "boolean" else str
    texts = [None if text in schema.missing else fold(text) for text in column.texts]
    return np.array([*texts, None], dtype=object)[column.codes]


def _moments(column: Column, schema: ColumnSchema) -> np.ndarray[Any, Any]:
    """Seconds since 1970 of each level; a typed file may write moments in another format."""
    format = schema.datetime_format
    seconds = moments(column.levels, format, "s")
    if np.isnan(seconds).all():
        format = format_of(column.levels) or format
        seconds = moments(column.levels, format, unit_of(column.levels, format))
    return seconds
