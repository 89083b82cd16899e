"""The synthetic table itself, held against what its metadata declares -> readings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae import metadata as metadatas
from synthvae.errors import ArtifactError, Problems, SchemaError
from synthvae.gate.records import Reading, Readings
from synthvae.metadata import Metadata
from synthvae.reading import read_table
from synthvae.schema import MISSING, ColumnSchema, resolve, values_of
from synthvae.table import Column, Table
from synthvae.written import Values, format_of, moments, numbers_of

_TYPE = "computer_representation"
_WHOLE = re.compile(r"(U?)Int(8|16|32|64)")
_ROUNDING = 1e-9


def of_table(
    path: str, metadata: Path | None, evidence: Mapping[str, str | None] = MappingProxyType({})
) -> Readings:
    """Rows, and with metadata the share of its columns that are as declared. `evidence`: by kind
    the hash of the table that it is of, if it says so; ArtifactError if that is another one."""
    table = read_table(path)
    problems, own = Problems(), table.fingerprint()
    for kind, of in evidence.items():
        if of not in (None, own):
            problems.add(
                f"evidence is of the table that is judged, but the {kind} is of other rows than "
                f"'{path}' holds, or of another file of them; make it again"
            )
    problems.raise_as(ArtifactError)
    found = {"rows": Reading.exact(float(len(table)))}
    if metadata is not None:
        found["schema.valid"] = validity(table, metadatas.read(metadata))
    return found


def validity(table: Table, metadata: Metadata) -> Reading:
    """The share of columns that are there and hold what is declared; one that is not declared is
    wrong. Words name the reasons."""
    wrong: dict[str, str] = {}
    for name in metadata.columns:
        reason = (
            _reason(table[name], metadata)
            if name in table.names
            else f"there is no column '{name}'"
        )
        if reason:
            wrong[name] = reason
    for name in table.names:
        if name not in metadata.columns:
            wrong[name] = f"column '{name}' is not in the metadata"
    for key in _keys(metadata):
        if len(key) > 1 and (again := _again(table, key)):
            wrong.setdefault(
                key[0], f"columns {', '.join(key)}: a key, but {again:,} rows repeat it"
            )
    count = len({*metadata.columns, *table.names})
    return Reading.exact((count - len(wrong)) / count, "; ".join(wrong.values()))


def _reason(column: Column, metadata: Metadata) -> str:
    """What is wrong with one column, or ''."""
    declared = metadata.columns[column.name]
    try:
        schema = resolve(Metadata({column.name: declared}), Table((column,)))[column.name]
    except SchemaError as error:
        return str(error.reasons[0])
    return (
        _lacking(column, declared.options)
        or _beyond(column, schema, declared.options)
        or _too_fine(column, schema, declared.options)
        or _unknown(column, declared.options)
        or _malformed(column, schema.regex_format)
        or _repeated(column, metadata)
    )


def _lacking(column: Column, options: Any) -> str:
    """Missing values where every row has one."""
    if options.get("range_is_nullable") is not False:
        return ""
    known = pc.is_in(column.levels, pa.array(values_of(column, MISSING)))
    rows = len(column.codes) - int(column.counts[known.to_numpy(zero_copy_only=False)].sum())
    return f"column '{column.name}': {rows:,} values are missing" if rows else ""


def _too_fine(column: Column, schema: ColumnSchema, options: Any) -> str:
    """Numbers of more decimal places than declared, or that the declared type can't hold."""
    if schema.sdtype != "numerical":
        return ""
    places, found = options.get("decimal_places"), _WHOLE.fullmatch(str(options.get(_TYPE)))
    values = numbers_of(column.levels)
    wrong = np.zeros(len(values), bool)
    if found or places is not None:
        scaled = values * 10.0 ** (0 if found else int(places))
        wrong |= np.abs(scaled - np.rint(scaled)) > _ROUNDING * np.maximum(np.abs(scaled), 1.0)
    if found:
        ends = np.iinfo(f"{found[1].lower()}int{found[2]}")
        wrong |= (values < ends.min) | (values > ends.max)
    rows = int(column.counts[wrong].sum())
    return f"column '{column.name}': {rows:,} numbers are not of the declared form" if rows else ""


def _beyond(column: Column, schema: ColumnSchema, options: Any) -> str:
    """Numbers and moments outside of the declared range."""
    ends = {key: options.get(key) for key in ("range_min", "range_max")}
    if schema.sdtype not in ("numerical", "datetime") or list(ends.values()) == [None, None]:
        return ""
    low, high = (_place(end, schema) for end in ends.values())
    for (key, end), place in zip(ends.items(), (low, high), strict=True):
        if end is not None and math.isnan(place):
            return f"column '{column.name}': {key} {end!r} can't be read, so nothing is within it"
    places = _places(column.levels, schema)
    rows = int(column.counts[(places < low) | (places > high)].sum())
    return (
        f"column '{column.name}': {rows:,} rows are outside of the declared range" if rows else ""
    )


def _places(levels: pa.StringArray, schema: ColumnSchema) -> Values:
    """Where each text stands, NaN for codes and missing ones."""
    if schema.sdtype == "numerical":
        return numbers_of(levels)
    return moments(levels, schema.datetime_format, "us")


def _place(end: Any, schema: ColumnSchema) -> float:
    """Where a declared end stands, in the unit of `_places`; NaN if none is declared."""
    if end is None:
        return math.nan
    text = pa.array([str(end)], pa.string())
    place = _places(text, schema)[0]
    if math.isnan(place) and schema.sdtype == "datetime":
        # A day where the column has times, or as YAML writes dates; others could be either of two.
        form = format_of(text)
        if form and (form.startswith("%Y-%m-%d") or schema.datetime_format.startswith(form)):
            place = moments(text, form, "us")[0]
    return float(place)


def _unknown(column: Column, options: Any) -> str:
    """Categories that were not declared."""
    known = options.get("range_values")
    known = options.get("order") if known is None else known
    if known is None:
        return ""
    texts = {str(value) for value in known} | MISSING
    others = [
        text for text, n in zip(column.texts, column.counts, strict=True) if n and text not in texts
    ]
    return f"column '{column.name}': {len(others):,} values are not declared" if others else ""


def _malformed(column: Column, pattern: str | None) -> str:
    """Identifiers of another form."""
    if pattern is None:
        return ""
    try:
        form = re.compile(pattern)
    except re.error as error:
        return f"column '{column.name}': regex_format is no regular expression ({error})"
    texts = values_of(column, MISSING).to_pylist()
    wrong = sum(form.fullmatch(text) is None for text in texts)
    return f"column '{column.name}': {wrong:,} values are not of the declared form" if wrong else ""


def _keys(metadata: Metadata) -> list[list[str]]:
    """The columns of each key."""
    found = [metadata.keys.get("primary_key"), *(metadata.keys.get("alternate_keys") or [])]
    return [[key] if isinstance(key, str) else list(key) for key in found if key]


def _repeated(column: Column, metadata: Metadata) -> str:
    """A key's values that stand twice, or are missing."""
    if [column.name] not in _keys(metadata):
        return ""
    known = len(values_of(column, MISSING))
    again = len(column.codes) - known
    return f"column '{column.name}': a key, but {again:,} rows repeat or lack it" if again else ""


def _again(table: Table, key: Sequence[str]) -> int:
    """Rows that repeat the values of a key of several columns; 0 where one is not there."""
    if not set(key) <= set(table.names):
        return 0
    codes = np.stack([table[name].codes for name in key])
    return len(table) - len(np.unique(codes, axis=1)[0])
