"""Fields as metadata declares them, before there is a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from synthvae.fields import Field
from synthvae.metadata import TODO, ColumnMetadata, Metadata

_UNKNOWN = ("",)  # nothing says that no value is missing


def declared_fields(metadata: Metadata) -> tuple[Field, ...]:
    """The fields of a table of `metadata`; what is not declared is not promised."""
    keys = {name for group in keys_of(metadata) if len(group) == 1 for name in group}
    return tuple(_declared(name, column, name in keys) for name, column in metadata.columns.items())


def keys_of(metadata: Metadata) -> list[tuple[str, ...]]:
    """The primary key, then the others, each of one column or several."""
    primary, others = metadata.keys.get("primary_key"), metadata.keys.get("alternate_keys") or []
    found = [primary, *others] if primary else list(others)
    return [tuple(map(str, key)) if isinstance(key, list) else (str(key),) for key in found]


def _declared(name: str, column: ColumnMetadata, unique: bool) -> Field:
    options = {key: value for key, value in column.options.items() if value != TODO}
    kind = _type(column.sdtype, options)
    nullable = options.get("range_is_nullable", not unique)
    categories = options.get("range_values") or options.get("order")
    known = tuple(v for v in categories if v is not None) if categories else None
    numeric = column.sdtype == "numerical"
    return Field(
        name,
        kind,
        pa.string(),
        missing=_UNKNOWN if nullable else (),
        categories=None if known is None else tuple(map(str, known)),
        values=known,
        low=_end(options.get("range_min")) if numeric else None,
        high=_end(options.get("range_max")) if numeric else None,
        format=str(options.get("datetime_format") or ""),
        pattern=str(options.get("regex_format") or ""),
        unique=unique,
    )


def _end(value: Any) -> float | None:
    return None if value is None else float(value)


def _type(sdtype: str, options: Mapping[str, Any]) -> pa.DataType:
    if sdtype == "boolean":
        return pa.bool_()
    if sdtype == "numerical":
        computer = str(options.get("computer_representation", ""))
        whole = computer.startswith(("Int", "UInt")) or options.get("decimal_places") == 0
        return pa.int64() if whole else pa.float64()
    values = options.get("range_values") or options.get("order") or ()
    if values and all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return pa.int64()
    return pa.string()
