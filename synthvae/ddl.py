"""Fields as the statement that creates their table in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from synthvae.errors import UsageError, hint
from synthvae.fields import Field


@dataclass(frozen=True)
class Dialect:
    """Names of types; `decimal` takes (precision, scale)."""

    integer: str
    number: str
    boolean: str
    date: str
    timestamp: str
    zoned: str
    decimal: str = "NUMERIC({}, {})"


DIALECTS: Mapping[str, Dialect] = {
    "postgres": Dialect(
        "BIGINT", "DOUBLE PRECISION", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"
    ),
    # SQLite has no types of moments; text that sorts is what its own functions take.
    "sqlite": Dialect("INTEGER", "REAL", "BOOLEAN", "TEXT", "TEXT", "TEXT"),
    "duckdb": Dialect("BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPTZ"),
}


def create_table(
    fields: Sequence[Field],
    table: str,
    dialect: str,
    keys: Sequence[Sequence[str]] = (),
    categories: bool = True,
) -> str:
    """A CREATE TABLE statement. `keys`: the primary key, then others; those that the fields don't
    promise to be unique are left out. Without `categories` no value of a column is listed."""
    if dialect not in DIALECTS:
        raise UsageError(
            f"a dialect is one of {', '.join(DIALECTS)}, but --dialect asks for '{dialect}'; "
            f"{hint(dialect, DIALECTS)}"
        )
    types = DIALECTS[dialect]
    lines = [_column(field, types, categories) for field in fields]
    lines += _keys(fields, keys)
    return f"CREATE TABLE {_name(table)} (\n" + ",\n".join(f"  {line}" for line in lines) + "\n);\n"


def _keys(fields: Sequence[Field], keys: Sequence[Sequence[str]]) -> list[str]:
    unique = {field.name: field.nullable for field in fields if field.unique}
    primary = next(
        (key[0] for key in keys[:1] if len(key) == 1 and not unique.get(key[0], True)), ""
    )
    lines = [f"PRIMARY KEY ({_name(primary)})"] if primary else []
    return lines + [f"UNIQUE ({_name(name)})" for name in unique if name != primary]


def _column(field: Field, types: Dialect, categories: bool) -> str:
    parts = [_name(field.name), _type(field.plain_type, types)]
    if not field.nullable:
        parts.append("NOT NULL")
    if check := _check(field, categories):
        parts.append(f"CHECK ({check})")
    return " ".join(parts)


def _check(field: Field, categories: bool) -> str:
    name, kind = _name(field.name), field.plain_type
    if field.categories is not None:
        if not categories or pa.types.is_boolean(kind) or not field.values:
            return ""
        return f"{name} IN ({', '.join(map(_literal, field.values))})"
    if field.format or pa.types.is_string(kind):
        return ""
    ends = (("<=", field.high), (">=", field.low))
    shown = pa.types.is_integer(kind)
    return " AND ".join(
        f"{name} {sign} {int(end) if shown else repr(end)}"
        for sign, end in reversed(ends)
        if end is not None
    )


def _type(kind: pa.DataType, types: Dialect) -> str:
    known: list[tuple[Callable[[pa.DataType], bool], str]] = [
        (pa.types.is_boolean, types.boolean),
        (pa.types.is_integer, types.integer),
        (pa.types.is_floating, types.number),
        (pa.types.is_date, types.date),
    ]
    for is_kind, name in known:
        if is_kind(kind):
            return name
    if pa.types.is_decimal(kind):
        return types.decimal.format(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return types.zoned if kind.tz else types.timestamp
    return "TEXT"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"
