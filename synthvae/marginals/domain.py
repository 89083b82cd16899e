"""What metadata declares about each column, for a private fit: public, so free of cost."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs.datetimes import DatetimeForm
from synthvae.codecs.grid import Grid
from synthvae.codecs.numbers import NumberForm
from synthvae.codecs.specials import Specials
from synthvae.errors import Problems, SchemaError, hint
from synthvae.marginals.axes import Ticks
from synthvae.marginals.lacking import lacking
from synthvae.metadata import TODO, ColumnMetadata, Metadata
from synthvae.schema import MISSING, unknown_sdtype
from synthvae.written import PER_SECOND, moments, write_moments

# The range of moments if none is declared: of those with a year, of those with a day of it, of
# times of day. What a form does not say is read as of the first of January 1900.
RANGES = (("yYGcx", "2100-01-01"), ("mdbBjUWVaAu", "1901-01-01"), ("", "1900-01-02"))
MOST_CELLS = 1 << 24
MOST_PLACES = 6
MOST_NUMBER = 1e18
# However a table spells yes and no; each once, since a row counts for one of them.
BOOLEANS = tuple(
    dict.fromkeys(
        spelled
        for yes, no in (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"), ("1", "0"))
        for word in (yes, no)
        for spelled in (word, word.capitalize(), word.upper())
    )
)
_STEPS = (("%f", 0.0), ("%S", 1.0), ("%M", 60.0), ("%H", 3600.0), ("%I", 3600.0))


@dataclass(frozen=True)
class Declared:
    """One column: `levels` of a category; `low`, `high` and decimal `places` of a number; None for
    what is not declared. `missing`: texts that mean 'no value'; `nullable`: whether a row may have
    none. `default`: an end of a moment's range is that of any table's."""

    name: str
    sdtype: str
    missing: frozenset[str]
    levels: tuple[str, ...] | None = None
    low: float | None = None
    high: float | None = None
    places: int | None = None
    format: str = ""
    nullable: bool = True
    default: bool = False

    @property
    def kind(self) -> str:
        """`category`, `number`, `moment` or `made up`."""
        kinds = {"numerical": "number", "datetime": "moment"}
        kinds |= dict.fromkeys(("categorical", "boolean"), "category")
        return kinds.get(self.sdtype, "made up")


def declared(
    metadata: Metadata, names: Collection[str], missing: Collection[str] = ()
) -> list[Declared]:
    """Of each column of a table with these `names`, in their order. SchemaError with every reason;
    nothing of it depends on the rows."""
    problems = Problems()
    for name in metadata.columns:
        if name not in names:
            problems.add(
                f"metadata describes the columns of the table, but the table has no column "
                f"'{name}'; {hint(name, names)}"
            )
    forms = MISSING | frozenset(missing)
    found = []
    for name in names:
        column = metadata.columns.get(name)
        if column is None:
            problems.add(
                f"every column is described, but column '{name}' is not in the metadata; add it, "
                "or leave the column out of the table"
            )
            continue
        open_ends = [key for key, value in column.options.items() if _open(value)]
        if open_ends:
            problems.add(
                f"column '{name}': what is public is declared, but there is still a {TODO} for "
                f"{', '.join(open_ends)}; write it, or delete the line to have it found under "
                "noise"
            )
        if not open_ends:
            nullable = _nullable(name, column.options, problems)
            known = _declared(name, column, forms, problems)
            found.append(replace(known, nullable=nullable))
    if to_paste := lacking(metadata, names):
        problems.add(to_paste)
    problems.raise_as(SchemaError)
    return found


def _declared(
    name: str, column: ColumnMetadata, missing: frozenset[str], problems: Problems
) -> Declared:
    options, sdtype = column.options, column.sdtype
    if sdtype == "categorical":
        levels = _levels(name, options, problems)
        return Declared(name, sdtype, missing - set(levels or ()), levels)
    if sdtype == "boolean":
        return Declared(name, sdtype, missing)
    if sdtype == "numerical":
        low, high = (_number(name, options, key, problems) for key in ("range_min", "range_max"))
        _rising(name, low, high, problems)
        return Declared(name, sdtype, missing, None, low, high, _places(name, options, problems))
    if sdtype == "datetime":
        return _moment(name, options, missing, problems)
    problems.reasons.extend(unknown_sdtype(name, sdtype))
    return Declared(name, sdtype, missing)


def _open(value: Any) -> bool:
    return value == TODO or (isinstance(value, list | tuple) and TODO in value)


def _nullable(name: str, options: Mapping[str, Any], problems: Problems) -> bool:
    given = options.get("range_is_nullable", True)
    if not isinstance(given, bool):
        problems.add(
            f"column '{name}': range_is_nullable is true or false, but it is {given!r}; correct it"
        )
    return bool(given)


def _levels(name: str, options: Mapping[str, Any], problems: Problems) -> tuple[str, ...] | None:
    given = (key for key in ("range_values", "order") if options.get(key) is not None)
    key = next(given, None)
    if key is None:
        return None
    if not isinstance(options[key], (list, tuple)):
        problems.add(
            f"column '{name}': {key} is a list of categories, but it is {options[key]!r}; "
            "write a list"
        )
        return ()
    if not options[key]:
        problems.add(
            f"column '{name}': {key} lists categories, but it is empty, and all rows would be "
            "__other__; list them, or delete the line to have them found under noise"
        )
    return tuple(dict.fromkeys(str(value) for value in options[key]))


def discovers(metadata: Metadata) -> bool:
    """Whether there are categories that are not declared, whose discovery costs delta."""
    return any(
        column.sdtype == "categorical" and _levels(name, column.options, Problems()) is None
        for name, column in metadata.columns.items()
    )


def _number(name: str, options: Mapping[str, Any], key: str, problems: Problems) -> float | None:
    value = options.get(key)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if abs(number) <= MOST_NUMBER:
        return number
    problems.add(
        f"column '{name}': {key} is a number of size {MOST_NUMBER:g} at most, but it is {value!r}; "
        "correct it"
    )
    return None


def _rising(name: str, low: float | None, high: float | None, problems: Problems) -> None:
    if low is not None and high is not None and low > high:
        problems.add(
            f"column '{name}': range_min is at most range_max, but {low:g} is above {high:g}; "
            "swap them"
        )


def _places(name: str, options: Mapping[str, Any], problems: Problems) -> int | None:
    places = options.get("decimal_places")
    if places is None:
        whole = str(options.get("computer_representation", "")).lower().lstrip("u")
        return 0 if whole.startswith("int") else None
    if not isinstance(places, int) or not 0 <= places <= MOST_PLACES:
        problems.add(
            f"column '{name}': decimal_places is a whole number from 0 to {MOST_PLACES}, but it is "
            f"{places!r}; correct it"
        )
        return 0
    return places


def _moment(
    name: str, options: Mapping[str, Any], missing: frozenset[str], problems: Problems
) -> Declared:
    format = str(options.get("datetime_format") or "")
    if not format:
        problems.add(
            f"column '{name}': a private fit reads moments in a declared form, but no "
            "datetime_format is declared; add one, such as '%Y-%m-%d'"
        )
        return Declared(name, "datetime", missing)
    if not _is_format(format):
        problems.add(
            f"column '{name}': a datetime_format is made of strptime's codes, and what it writes "
            f"it reads, but '{format}' does not; correct it"
        )
        return Declared(name, "datetime", missing)
    last = next(end for codes, end in RANGES if not codes or _has(format, codes))
    low, high = (
        _end(name, format, key, options.get(key), default, problems)
        for key, default in (("range_min", "1900-01-01"), ("range_max", last))
    )
    _rising(name, low, high, problems)
    default = None in (options.get("range_min"), options.get("range_max"))
    return Declared(name, "datetime", missing, None, low, high, 0, format, default=default)


def _has(format: str, codes: str) -> bool:
    return any(f"%{code}" in format for code in codes)


def _is_format(format: str) -> bool:
    unit = counted_in(format)
    try:
        written = write_moments(np.zeros(1), format, unit)
        return not np.isnan(moments(written, format, unit)).any()
    except (ValueError, re.error):
        return False


def _end(name: str, format: str, key: str, text: Any, default: str, problems: Problems) -> float:
    """An end of a range of moments, in the units that `ticks_of` counts."""
    written, form = (default, "%Y-%m-%d") if text is None else (str(text), format)
    at = float(moments(pa.array([written]), form, counted_in(format))[0])
    if math.isnan(at):
        problems.add(
            f"column '{name}': {key} is written in the column's datetime_format '{format}', but "
            f"'{text}' is not; correct it"
        )
    return at


def counted_in(format: str) -> str:
    """The unit of moments of a form, from 1970 on: `s` or `us`."""
    return "us" if "%f" in format else "s"


def ticks_of(column: Declared, low: float, high: float, places: int) -> Ticks:
    """The grid of a number or moment between `low` and `high`: its own, or a wider one if it has
    more than MOST_CELLS points."""
    if column.kind == "moment":
        unit = counted_in(column.format)
        seconds = next((step for code, step in _STEPS if code in column.format), 86_400.0)
        step = max(seconds * PER_SECOND[unit], 1.0)
        form: Any = DatetimeForm(column.format, unit, Grid(0, 1), Specials(), True, "text")
    else:
        step = 10.0**-places
        form = NumberForm(Grid(places, 1), Specials(), places, False, "", "text")
        low = round(math.floor(low / step) * step, places)
    cells = math.floor((high - low) / step + 1e-6) + 1
    if cells > MOST_CELLS:
        step *= math.ceil((cells - 1) / (MOST_CELLS - 1))
        cells = min(math.floor((high - low) / step) + 1, MOST_CELLS)
    return Ticks(form, low, step, cells, column.missing, column.nullable)
