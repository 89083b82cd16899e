"""A table in memory: every column a dictionary of distinct texts and one integer code a row.

Whatever a table came from, its values are met as *written forms*: all analysis looks at the
distinct forms once, and rows are integers. `storage` remembers how a column was stored, so that it
can be written back the same way: `text` for CSV, else the name of an Arrow type.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthvae import storage
from synthvae.errors import Problems, TableError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Column:
    """`codes` [N] index into `levels`, distinct written forms; -1 stands for null."""

    name: str
    codes: NDArray[np.int32]
    levels: pa.StringArray
    storage: str = "text"

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each level [len(levels)]."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    @property
    def n_null(self) -> int:
        return int((self.codes < 0).sum())

    @property
    def texts(self) -> list[str]:
        texts: list[str] = self.levels.to_pylist()
        return texts

    def first_row(self, level: int) -> int:
        """Row number, counted from 1 without the header, where `level` first stands."""
        return int(np.argmax(self.codes == level)) + 1

    def rows(self, index: Any) -> Column:
        """The same column at other rows; the levels stay, so codes keep their meaning."""
        return Column(self.name, self.codes[index], self.levels, self.storage)

    def compact(self) -> Column:
        """The same column without the levels that no row has, such as those of rows left out."""
        used = self.counts > 0
        if used.all():
            return self
        places = np.append(np.cumsum(used) - 1, -1).astype(np.int32)
        levels = self.levels.filter(pa.array(used))
        return Column(self.name, places[self.codes], levels, self.storage)


@dataclass(frozen=True)
class Table:
    """Columns of equal length. `frame_dtypes` is set when the table came from pandas."""

    columns: tuple[Column, ...]
    frame_dtypes: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns[0].codes) if self.columns else 0

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def rows(self, index: Any) -> Table:
        return Table(tuple(column.rows(index) for column in self.columns), self.frame_dtypes)

    def fingerprint(self) -> str:
        """A hash of all values, to tell whether a checkpoint belongs to this table."""
        digest = hashlib.blake2b(digest_size=16)
        for column in self.columns:
            digest.update(repr((column.name, column.storage, len(column.levels))).encode())
            digest.update("\x1f".join(column.texts).encode())
            digest.update(np.ascontiguousarray(column.codes).tobytes())
        return digest.hexdigest()


def from_arrow(table: pa.Table, source: str) -> Table:
    """A Table from typed Arrow columns. TableError names every column that can't be one."""
    problems = Problems()
    columns = []
    for name, values in zip(table.column_names, table.columns, strict=True):
        kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        if not storage.is_supported(kind):
            problems.add(
                f"column '{name}' of {source}: a column holds numbers, text, booleans, dates or "
                f"times, but this one is of type {kind}; convert it or leave it out"
            )
            continue
        columns.append(_typed_column(name, values, str(kind)))
    problems.raise_as(TableError)
    return checked(Table(tuple(columns)), source)


def _typed_column(name: str, values: pa.ChunkedArray, kind: str) -> Column:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    if pa.types.is_timestamp(values.type):
        values = _short(values)
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    if pa.types.is_floating(values.type):
        values = _whole(pc.if_else(pc.is_nan(values), None, values))
    encoded = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Column(name, codes, encoded.dictionary.cast(pa.string()), kind)


def _whole(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats that are all whole as integers: their texts are free of exponents."""
    largest = pc.max(pc.abs(values)).as_py()
    if (
        largest is None
        or largest >= 2**53
        or not pc.all(pc.equal(pc.trunc(values), values)).as_py()
    ):
        return values
    return values.cast(pa.int64())


def _short(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments without a zone (UTC), in whole seconds where none has a fraction."""
    for unit in ("s", "ms"):
        coarse = moments.cast(pa.timestamp(unit, moments.type.tz), safe=False)
        if pc.all(pc.equal(coarse.cast(moments.type), moments)).as_py() is not False:
            return coarse.cast(pa.timestamp(unit))
    return moments.cast(pa.timestamp("us", moments.type.tz), safe=False).cast(pa.timestamp("us"))


def from_frame(frame: pd.DataFrame, one_by_one: bool = False) -> Table:
    """A Table from a pandas DataFrame; the index is not part of the table. `one_by_one`: objects
    are texts, each of which follows from the object alone, whatever else is in its column."""
    from pandas import DataFrame

    if not isinstance(frame, DataFrame):
        raise TableError(
            f"a table is a pandas DataFrame, but it is a {type(frame).__name__}; read it into one"
        )
    plain = _as_texts if one_by_one else _as_plain
    columns: list[Column] = []
    dtypes: dict[str, str] = {}
    problems = Problems()
    if not frame.columns.is_unique:
        twice = sorted({str(n) for n in frame.columns[frame.columns.duplicated()]})
        raise TableError(_duplicates("the frame", twice))
    for label in frame.columns:
        series = frame[label]
        name = str(label)
        dtypes[name] = str(series.dtype)
        try:
            values = pa.chunked_array([pa.array(plain(series), from_pandas=True)])
            columns.extend(from_arrow(pa.table({name: values}), "the frame").columns)
        except (pa.ArrowException, OverflowError) as error:
            problems.add(f"column '{name}' of the frame: a column holds single values; {error}")
        except TableError as error:
            problems.reasons.extend(r for r in error.reasons if r not in problems.reasons)
    problems.raise_as(TableError)
    return checked(Table(tuple(columns), dtypes), "the frame")


def _as_plain(series: pd.Series[Any]) -> pd.Series[Any]:
    """Objects of several types are met as text, since pandas itself makes such columns."""
    if series.dtype != object:
        return series
    kinds = set(series.dropna().map(type).unique())
    single = all(issubclass(kind, (str, Number, np.bool_)) for kind in kinds)
    apart = any(issubclass(kind, (str, bool, np.bool_)) for kind in kinds)
    if len(kinds) > 1 and single and apart:
        return series.map(str, na_action="ignore")
    return series


def _as_texts(series: pd.Series[Any]) -> pd.Series[Any]:
    if series.dtype != object:
        return series
    return series.map(_text, na_action="ignore").astype("string")


def _text(value: object) -> str:
    """As Arrow writes the values of a column that has one type."""
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, (float, np.floating)) and math.isfinite(value):
        return np.format_float_positional(value + 0.0, trim="-")
    return str(value)


def checked(table: Table, source: str) -> Table:
    """`table` if it has rows and every column has values; TableError with all reasons if not."""
    if not table.columns:
        raise TableError(f"a table has columns, but {source} has none; check the file")
    names = list(table.names)
    if len(set(names)) < len(names):
        raise TableError(_duplicates(source, sorted({n for n in names if names.count(n) > 1})))
    if len(table) == 0:
        raise TableError(f"a table has rows, but {source} has a header only; add rows")
    return table


def _duplicates(source: str, twice: list[str]) -> str:
    return f"column names are unique, but {source} has these twice: {twice}; rename them"
