"""Metadata and table, held against each other: what each column is, or every reason why not."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from numbers import Number
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.errors import Problems, SchemaError, hint
from synthvae.metadata import CORE, ColumnMetadata, Metadata
from synthvae.storage import is_whole, type_of
from synthvae.table import Column, Table
from synthvae.written import format_of, moments, numbers_of, unit_of

OTHER = "__other__"  # of a category that has no name in a model
MISSING = frozenset(
    ["", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "NULL", "null", "None", "<NA>", "#N/A", "NaT"]
)
MAX_CODES, MAX_CODE_LENGTH = 10, 16


@dataclass(frozen=True)
class ColumnSchema:
    """A column as it will be learnt. `missing`: written forms that mean 'no value'."""

    name: str
    sdtype: str
    missing: frozenset[str]
    datetime_format: str = ""
    regex_format: str | None = None


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in its order."""

    columns: tuple[ColumnSchema, ...]

    def __getitem__(self, name: str) -> ColumnSchema:
        return next(column for column in self.columns if column.name == name)


def resolve(metadata: Metadata, table: Table, missing: Collection[str] = ()) -> Schema:
    """The schema of `table` under `metadata`; `missing` adds to the forms that mean 'no value'.

    Raises SchemaError with every reason at once.
    """
    problems = Problems()
    _compare(metadata, table, problems)
    forms = MISSING | frozenset(missing)
    columns = []
    for column in table.columns:
        declared = metadata.columns.get(column.name)
        if declared is not None:
            columns.append(_resolve(column, declared, forms, problems))
    problems.raise_as(SchemaError)
    return Schema(tuple(columns))


def _compare(metadata: Metadata, table: Table, problems: Problems) -> None:
    """Every column is described, and every description has its column. A misspelling is one
    problem, not two."""
    absent = [name for name in metadata.columns if name not in table.names]
    undescribed = [name for name in table.names if name not in metadata.columns]
    if table.names and len(undescribed) == len(table.names):
        problems.add(
            f"metadata describes the columns of the table, but none of its {len(absent)} columns "
            f"is among the {len(undescribed)} of the table; give the table's own metadata, or none"
        )
        return
    for name in absent:
        for meant in get_close_matches(name, undescribed, 1):
            undescribed.remove(meant)
        problems.add(
            f"metadata describes the columns of the table, but the table has no column "
            f"'{name}'; {hint(name, table.names)}"
        )
    for name in undescribed:
        problems.add(
            f"every column is described, but column '{name}' is not in the metadata; add it, or "
            "leave the column out of the table"
        )


def values_of(column: Column, missing: frozenset[str]) -> pa.StringArray:
    """The levels that occur and are values."""
    absent = pc.is_in(column.levels, pa.array(sorted(missing), pa.string()))
    return column.levels.filter(pc.and_(pc.invert(absent), pa.array(column.counts > 0)))


def _resolve(
    column: Column, declared: ColumnMetadata, missing: frozenset[str], problems: Problems
) -> ColumnSchema:
    name, sdtype, options = column.name, declared.sdtype, declared.options
    values = values_of(column, missing)
    format = str(options.get("datetime_format") or "")
    if not len(values):
        problems.add(
            f"column '{name}': a column has values, but all {len(column.codes):,} are missing; "
            "leave the column out"
        )
    elif sdtype == "numerical":
        problems.reasons.extend(_numerical(column, missing))
    elif sdtype == "datetime":
        if not format or column.storage != "text":
            format = format_of(values) or format
        problems.reasons.extend(_datetime(column, missing, format))
    elif sdtype == "boolean" and len(values) > 2:
        problems.add(
            f"column '{name}': a boolean has two values, but it holds {len(values):,}; "
            "declare it categorical"
        )
    elif sdtype not in ("categorical", "boolean"):
        problems.reasons.extend(_made_up(column, sdtype))
    return ColumnSchema(name, sdtype, missing, format, _text(options.get("regex_format")))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _numerical(column: Column, missing: frozenset[str]) -> list[str]:
    numbers = numbers_of(column.levels)
    known = np.array([text in missing for text in column.texts])
    infinite = np.isinf(numbers) & ~known & (column.counts > 0)
    if infinite.any():
        first = int(np.argmax(infinite))
        rows = int(column.counts[infinite].sum())
        return [
            f"column '{column.name}': numbers are finite, but {rows:,} of {len(column.codes):,} "
            f"are infinite, first '{column.texts[first]}' in row {column.first_row(first):,}; "
            "replace them, or list the text under missing_values"
        ]
    return _misfits(column, missing, np.isnan(numbers), "numerical", "text")


def _datetime(column: Column, missing: frozenset[str], format: str) -> list[str]:
    if not format:
        return [
            f"column '{column.name}': a datetime has a datetime_format, but none is declared and "
            "its values fit none that is known; declare one, such as '%d.%m.%Y'"
        ]
    try:
        unfit = np.isnan(moments(column.levels, format, unit_of(column.levels, format)))
    except (ValueError, re.error) as error:
        return [
            f"column '{column.name}': a datetime_format is made of strptime's codes, but "
            f"'{format}' is not ({error}); correct it"
        ]
    return _misfits(column, missing, unfit, f"datetime '{format}'", "of another form")


def _misfits(
    column: Column, missing: frozenset[str], unfit: np.ndarray[Any, Any], declared: str, what: str
) -> list[str]:
    """Few short codes among the values are states of their own; many are an error."""
    present = column.counts > 0
    misfits = [
        i
        for i in np.flatnonzero(unfit & present).tolist()
        if column.levels[i].as_py() not in missing
    ]
    rows = int(column.counts[misfits].sum())
    fits = int(column.counts[~unfit & present].sum())
    texts = [column.levels[i].as_py() for i in misfits]
    short = all(len(text) <= MAX_CODE_LENGTH for text in texts)
    if not misfits or (len(misfits) <= MAX_CODES and short and fits >= rows):
        return []
    first = min(misfits, key=column.first_row)
    text, row = column.levels[first].as_py(), column.first_row(first)
    return [
        f"column '{column.name}': declared {declared}, but {rows:,} of {len(column.codes):,} "
        f"values are {what}, first '{text}' in row {row:,}; "
        "declare it categorical, or list what means 'no value' under missing_values"
    ]


def _made_up(column: Column, sdtype: str) -> list[str]:
    """Values that are made up are text, so the column has to hold text (or whole ids)."""
    kind = type_of(column.storage)
    numbers = is_whole(kind) or pa.types.is_floating(kind)
    whole = numbers and pc.all(pc.match_substring_regex(column.levels, r"^-?\d+$")).as_py()
    if kind != pa.string() and not (sdtype == "id" and whole):
        return [
            f"column '{column.name}': an sdtype '{sdtype}' is made up as text, but the column "
            f"holds {kind}; declare it numerical, categorical or datetime, or store it as text"
        ]
    return unknown_sdtype(column.name, sdtype)


def unknown_sdtype(name: str, sdtype: str) -> list[str]:
    """What is wrong with an sdtype that is neither synthvae's nor Faker's."""
    if sdtype in CORE or _is_provider(sdtype):
        return []
    return [
        f"column '{name}': an sdtype is one of {', '.join(CORE)} or the name of a Faker provider, "
        f"but it is '{sdtype}'; {hint(sdtype, [*CORE, 'name', 'email', 'phone_number', 'address'])}"
    ]


def _is_provider(sdtype: str) -> bool:
    """Whether Faker makes single values under this name. It has other methods too, and the only
    way to tell is to call them."""
    from faker import Faker

    try:
        return isinstance(getattr(Faker(), sdtype)(), str | Number | date)
    except Exception:
        return False
