"""Metadata from a table: what each column seems to be. Never a value of the table is written,
unless ranges are asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.metadata import DECLARABLE, TODO, ColumnMetadata, Metadata
from synthvae.schema import MAX_CODE_LENGTH, MAX_CODES, MISSING, values_of
from synthvae.storage import type_of
from synthvae.table import Column, Table
from synthvae.written import format_of, moments, numbers_of, unit_of

BOOLEANS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
NEARLY_UNIQUE = 0.9
ROWS_PER_LEVEL = 20
_CAMEL_ID = re.compile(r"[a-z](Id|ID|UUID)$")
_SNAKE_ID = re.compile(r"(^|[_\W])(id|uuid|guid|key)$", re.IGNORECASE)
_NUMBERED_ID = re.compile(
    r"(account|card|passport|licen[cs]e)[_\W]?(no|nr|num|number)$", re.IGNORECASE
)
_PERSONAL_NAMES = {
    "name": "name",
    "full_name": "name",
    "fullname": "name",
    "first_name": "first_name",
    "firstname": "first_name",
    "given_name": "first_name",
    "last_name": "last_name",
    "lastname": "last_name",
    "surname": "last_name",
    "family_name": "last_name",
    "phone": "phone_number",
    "phone_number": "phone_number",
    "telephone": "phone_number",
    "address": "address",
    "street_address": "street_address",
    "iban": "iban",
    "ssn": "ssn",
}
_NUMBERS_OF_PERSONS = ("phone_number", "iban", "ssn")  # numbers in name only

_NEVER_CATEGORIES = ("first_name", "last_name", "phone_number", "iban", "ssn")
"""Where a column is called so, few distinct texts are as personal as many."""


def detect(table: Table, publish_ranges: bool = False) -> Metadata:
    """Metadata of `table`, safe to commit. `publish_ranges` adds the values that V2 has room for:
    smallest and largest numbers and moments, and the categories."""
    columns = {c.name: _detect(c) for c in table.columns}
    if publish_ranges:
        columns = {c.name: _with_range(c, columns[c.name]) for c in table.columns}
    keys = [
        c.name
        for c in table.columns
        if columns[c.name].sdtype == "id" and len(c.levels) == len(c.codes) and not c.n_null
    ]
    return Metadata(columns, keys={"primary_key": keys[0]} if keys else {})


def to_declare(metadata: Metadata) -> Metadata:
    """`metadata` with a TODO for all that a private fit would else pay for."""
    columns = {
        name: ColumnMetadata(
            column.sdtype,
            {**column.options, **dict.fromkeys(DECLARABLE.get(column.sdtype, ()), TODO)},
        )
        for name, column in metadata.columns.items()
    }
    return replace(metadata, columns=columns)


def _detect(column: Column) -> ColumnMetadata:
    values = values_of(column, MISSING)
    if pa.types.is_boolean(type_of(column.storage)):
        return ColumnMetadata("boolean")
    if not len(values):
        return ColumnMetadata("categorical")
    if {text.lower() for text in values[:3].to_pylist()} in BOOLEANS and len(values) == 2:
        return ColumnMetadata("boolean")
    if _is_numerical(column, values):
        return _number(column, values)
    if format := format_of(values):
        return ColumnMetadata("datetime", {"datetime_format": format})
    return _text(column, values)


def _number(column: Column, values: pa.StringArray) -> ColumnMetadata:
    """Identifiers and numbers that belong to persons are numbers in name only."""
    if _is_number_id(column, values):
        return ColumnMetadata("id")
    if _personal(column) in _NUMBERS_OF_PERSONS and _are_long(values):
        return ColumnMetadata("id")
    return ColumnMetadata("numerical")


def _personal(column: Column) -> str | None:
    """What persons have that the column is called after, if anything."""
    return _PERSONAL_NAMES.get(re.sub(r"\W+", "_", column.name.lower()))


def _are_long(values: pa.StringArray) -> bool:
    """Whether most of the values are whole numbers of seven digits and more."""
    fits = pc.match_substring_regex(values, r"^\d{7,}$").cast(pa.float64())
    return bool(pc.mean(fits).as_py() > 0.5)


def _is_numerical(column: Column, values: pa.StringArray) -> bool:
    """Mostly numbers, at most a few short codes, and no leading zeros (those are codes)."""
    numbers = numbers_of(values)
    codes = values.filter(pa.array(np.isnan(numbers)))
    if len(codes) > MAX_CODES or len(codes) >= len(values):
        return False
    if pc.any(pc.match_substring_regex(values, r"^[+-]?0\d")).as_py():
        return False
    if len(codes) and pc.max(pc.utf8_length(codes)).as_py() > MAX_CODE_LENGTH:
        return False
    other = int(column.counts[pc.is_in(column.levels, codes).to_numpy(zero_copy_only=False)].sum())
    return 2 * other <= int(column.counts.sum())


def _is_number_id(column: Column, values: pa.StringArray) -> bool:
    """A number whose name says id, and nearly every one of whose values is new."""
    named = any(form.search(column.name) for form in (_CAMEL_ID, _SNAKE_ID, _NUMBERED_ID))
    whole = not pc.any(pc.match_substring_regex(values, r"\D")).as_py()
    return named and whole and _is_nearly_unique(column, values)


def _is_nearly_unique(column: Column, values: pa.StringArray) -> bool:
    rows = int(column.counts[pc.is_in(column.levels, values).to_numpy(zero_copy_only=False)].sum())
    return len(values) > NEARLY_UNIQUE * rows and len(values) > 20


def _text(column: Column, values: pa.StringArray) -> ColumnMetadata:
    """Personal data if the content says so, identifiers, free text, or categories."""
    if pc.all(pc.match_substring_regex(values, r"^[^@\s]+@[^@\s]+\.[^@\s]+$")).as_py():
        return ColumnMetadata("email", {"pii": True})
    rows = int(column.counts.sum())
    many = len(values) > 20 and len(values) * 2 > rows
    named = _personal(column)
    if named and (many or len(values) > 50 or named in _NEVER_CATEGORIES):
        return ColumnMetadata(named, {"pii": True})
    spaced = pc.mean(pc.match_substring(values, " ").cast(pa.float64())).as_py() > 0.5
    rare = len(values) > 200 and len(values) * ROWS_PER_LEVEL > rows
    digits = pc.mean(pc.match_substring_regex(values, r"\d").cast(pa.float64())).as_py() > 0.9
    if (many or (rare and digits)) and not spaced:
        return ColumnMetadata("id")
    return ColumnMetadata("unknown", {"pii": True}) if many else ColumnMetadata("categorical")


def _with_range(column: Column, found: ColumnMetadata) -> ColumnMetadata:
    values = values_of(column, MISSING)
    options: dict[str, Any] = dict(found.options)
    if not len(values):
        return found
    if found.sdtype == "numerical":
        numbers = numbers_of(values)
        options |= {
            "range_min": float(np.nanmin(numbers)),
            "range_max": float(np.nanmax(numbers)),
        }
    elif found.sdtype == "datetime":
        format = str(options["datetime_format"])
        order = np.argsort(moments(values, format, unit_of(values, format)))
        options |= {
            "range_min": values[int(order[0])].as_py(),
            "range_max": values[int(order[-1])].as_py(),
        }
    elif found.sdtype == "categorical":
        options |= {"range_values": sorted(values.to_pylist())}
    if found.sdtype in ("numerical", "datetime", "categorical", "boolean"):
        options["range_is_nullable"] = bool(
            column.n_null or len(values) < (column.counts > 0).sum()
        )
    return ColumnMetadata(found.sdtype, options)
