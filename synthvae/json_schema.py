"""Fields as JSON Schema (2020-12), for one line of JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from synthvae.fields import Field
from synthvae.storage import is_whole

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MOMENT = _DATE[:-1] + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"


def json_schema(fields: Sequence[Field], title: str, categories: bool = True) -> dict[str, Any]:
    """The schema of a row; without `categories` no value of a column is listed."""
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "properties": {field.name: _property(field, categories) for field in fields},
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }


def _property(field: Field, categories: bool) -> dict[str, Any]:
    kind = field.plain_type
    name = _type(kind)
    found: dict[str, Any] = {"type": [name, "null"] if field.nullable else name}
    values = _listed(field)
    if categories and values is not None and name != "boolean":
        found["enum"] = [*values, None] if field.nullable else values
    if name in ("integer", "number") and field.categories is None:
        for key, end in (("minimum", field.low), ("maximum", field.high)):
            if end is not None:
                found[key] = int(end) if name == "integer" else end
    if pa.types.is_date(kind):
        found["pattern"] = _DATE
    elif pa.types.is_timestamp(kind):
        found["pattern"] = f"{_MOMENT}{'Z' if kind.tz else ''}$"
    elif name == "string" and field.pattern and not field.codes:
        found["pattern"] = f"^({field.pattern})$"
    if field.unique:
        found["description"] = "no two rows have the same value"
    elif field.format:
        found["description"] = f"a moment, written {field.format}"
    return found


def _listed(field: Field) -> list[Any] | None:
    """The categories as JSON has them; None if there are none, or if they are no JSON values."""
    values = field.values
    if values is None or not all(isinstance(v, str | int | float) for v in values):
        return None
    return list(values)


def _type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if is_whole(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    return "string"
