"""What rules read of a table: numbers, whole microseconds of dates, texts, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthvae.metadata import Metadata
from synthvae.schema import Schema
from synthvae.table import Column, Table
from synthvae.written import EPOCH, PER_SECOND, Values, format_of, moments, numbers_of, unit_of

Mask = NDArray[np.bool_]
NUMBER, MOMENT, TEXT, MADE_UP = "number", "moment", "text", "made up"
_KINDS = {"numerical": NUMBER, "datetime": MOMENT, "categorical": TEXT, "boolean": TEXT}


@dataclass(frozen=True)
class Reader:
    """How one column is read: `kind`, the `format` of its dates, and texts that mean 'no value'."""

    kind: str
    missing: frozenset[str]
    format: str = ""

    def values(self, column: Column) -> Values:
        """Numbers, or microseconds since 1970, of every row [N]; NaN where there is none."""
        if self.kind == NUMBER:
            values = numbers_of(column.levels)
        elif self.kind == MOMENT:
            unit = unit_of(column.levels, self.format)
            values = moments(column.levels, self.format, unit) * (1e6 / PER_SECOND[unit])
        else:
            values = np.full(len(column.levels), np.nan)
        known = ~np.array([text in self.missing for text in column.texts], bool)
        return np.append(np.where(known, values, np.nan), np.nan)[column.codes]

    def absent(self, column: Column) -> Mask:
        """Which rows [N] are missing."""
        mask: Mask = np.array([*(text in self.missing for text in column.texts), True])[
            column.codes
        ]
        return mask

    def moment(self, text: str) -> float:
        """Microseconds since 1970 of a bound, in the column's format or as 2020-01-31. ValueError
        if it is neither."""
        try:
            stamp = pd.to_datetime(text, format=self.format)
        except ValueError:
            stamp = pd.Timestamp(text)
        if pd.isna(stamp):
            raise ValueError(f"'{text}' is no date")
        # Not the stamp's own nanoseconds: they end in 2262.
        moment = stamp.to_pydatetime(warn=False)
        since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
        return float(since // timedelta(microseconds=1))

    def to_json(self) -> list[Any]:
        return [self.kind, sorted(self.missing), self.format]

    @staticmethod
    def from_json(data: Sequence[Any]) -> Reader:
        return Reader(data[0], frozenset(data[1]), data[2])


Readers = Mapping[str, Reader]


def readers_of(schema: Schema, table: Table) -> dict[str, Reader]:
    """A reader for each column. Only those of the missing forms are kept that the table holds."""
    found = {}
    for column in schema.columns:
        held = {*table[column.name].compact().texts, ""} & column.missing
        kind = _KINDS.get(column.sdtype, MADE_UP)
        format = column.datetime_format
        if kind == MOMENT and not format:
            format = format_of(table[column.name].levels) or ""
        found[column.name] = Reader(kind, frozenset(held), format)
    return found


def readers_declared(metadata: Metadata) -> dict[str, Reader]:
    """A reader for each column that is declared, whatever stands in the table."""
    return {
        name: Reader(
            _KINDS.get(column.sdtype, MADE_UP),
            frozenset(),
            str(column.options.get("datetime_format") or ""),
        )
        for name, column in metadata.columns.items()
    }


def frame_of(table: Table, readers: Readers) -> pd.DataFrame:
    """What a predicate is shown: floats, datetime64, and texts with None for missing."""
    columns: dict[str, Any] = {}
    for column in table.columns:
        reader = readers[column.name]
        if reader.kind == NUMBER:
            columns[column.name] = reader.values(column)
        elif reader.kind == MOMENT:
            micros = reader.values(column)
            ticks = np.where(np.isnan(micros), 0, micros).astype("datetime64[us]")
            columns[column.name] = pd.Series(ticks).mask(np.isnan(micros))
        else:
            texts = [None if text in reader.missing else text for text in column.texts]
            columns[column.name] = np.array([*texts, None], object)[column.codes]
    return pd.DataFrame(columns)
