"""Moments by the calendar: ISO year, week and weekday, then hour, minute and second, each a class.

On one scale of years an hour is nothing: what other columns say of the weekday, the season or the
time of day would be lost in it. Each part is drawn given those before it, so that any date can come
out and no date comes out that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthvae.codecs.allowed import Allowed, ValueSet
from synthvae.codecs.datetimes import DatetimeForm
from synthvae.codecs.parts import Draw, Numeric, OfForm, parse_known
from synthvae.layout import Block, Encoded
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import PER_SECOND, Values

YEARS = 200  # a column that spans more of them holds moments that stand for something else
ROWS_PER_CLASS = 500  # of years and weeks; fewer tell them apart worse than a density does
SPIKY = 0.5  # of the rows: where single moments hold as much, they are better classes themselves
_WEEKS, _WEEKDAYS, _SECONDS = 53, 7, 86_400
_CLOCK = {"hour": (24, 3600), "minute": (60, 60), "second": (60, 1)}
_NAMED = frozenset({"weekday"})  # what has no place on a scale
_YEAR, _DAY = "datetime64[Y]", "datetime64[D]"

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class CalendarCodec(OfForm):
    """Classes of the year block: specials, then years from `first` on. In the other blocks the last
    class stands for 'no moment', if there are specials. `clock`: the parts of the time of day that
    have blocks, and what the others always are. Moments lie within `bounds`."""

    name: str
    form: DatetimeForm
    first: int
    years: int
    clock: Mapping[str, int | None]
    bounds: tuple[float, float]

    kind = "calendar"

    @property
    def blocks(self) -> tuple[Block, ...]:
        special = len(self.form.specials)
        year = Block(
            f"{self.name}:year",
            self.name,
            "categorical",
            special + self.years,
            (*(0.0,) * special, *_places(self.years)),
        )
        return (year, *(self._block(part, size) for part, size in self._sizes.items()))

    @property
    def _sizes(self) -> dict[str, int]:
        clock = {part: _CLOCK[part][0] for part, fixed in self.clock.items() if fixed is None}
        return {"week": _WEEKS, "weekday": _WEEKDAYS} | clock

    def _block(self, part: str, size: int) -> Block:
        none = bool(len(self.form.specials))
        places = () if part in _NAMED else (*_places(size), *(0.0,) * none)
        return Block(f"{self.name}:{part}", self.name, "categorical", size + none, places)

    def encode(self, column: Column, rng: np.random.Generator) -> Encoded:
        values, special = parse_known(self.form, column)
        there = special < 0
        inside = np.where(there, values, self.bounds[0]).clip(*self.bounds)
        year, parts = _parts(inside, self.form.unit)
        codes = [np.where(there, len(self.form.specials) + year - self.first, special)]
        codes += [np.where(there, parts[part], size) for part, size in self._sizes.items()]
        return Encoded(
            np.stack(codes, axis=1).astype(np.int32), np.empty((len(values), 0), np.float32)
        )

    @property
    def _day(self) -> int:
        return _SECONDS * PER_SECOND[self.form.unit]

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        specials = len(self.form.specials)
        first = encoded.codes[:, 0]
        year = np.maximum(first - specials, 0) + self.first
        part = {
            name: np.minimum(encoded.codes[:, at], size - 1).astype(np.int64)
            for at, (name, size) in enumerate(self._sizes.items(), start=1)
        }
        seconds = _day_of(year, part["week"], part["weekday"]) * _SECONDS
        for name, fixed in self.clock.items():
            seconds = seconds + _CLOCK[name][1] * (part[name] if fixed is None else fixed)
        per_second = PER_SECOND[self.form.unit]
        values: Values = (seconds * per_second).astype(np.float64)
        if self.form.grid.unit < per_second:
            values += np.floor(draw.within(self.name, len(values)) * per_second)
        inside = values.clip(*self.bounds)
        return self.form.render(inside, np.where(first < specials, first, -1), view)

    def allow(self, wanted: ValueSet) -> Allowed:
        """What a part may be follows from the days that are wanted in part."""
        low, high = (int(end // self._day) for end in self.bounds)
        inside = (wanted.spans[:, 1] >= self.bounds[0]) & (wanted.spans[:, 0] <= self.bounds[1])
        spans = np.floor_divide(wanted.spans[inside].clip(*self.bounds), self._day) - low
        first, last = spans.T.astype(np.int64)
        opened, closed = (np.bincount(at, minlength=high - low + 2) for at in (first, last + 1))
        year, week, weekday = np.indices((self.years, _WEEKS, _WEEKDAYS))
        days = _day_of(self.first + year, week, weekday).clip(low, high)
        held = (np.cumsum(opened - closed) > 0)[days - low]
        parts = {"week": held.any(axis=(0, 2)), "weekday": held.any(axis=(0, 1))}
        absent = np.full(int(bool(len(self.form.specials))), wanted.forms.any())
        classes = [np.concatenate([wanted.forms, held.any(axis=(1, 2))])]
        for part, size in self._sizes.items():
            own = parts.get(part, np.full(size, held.any()))
            classes.append(np.concatenate([own, absent]))
        return Allowed(tuple(classes))

    def describe(self) -> Mapping[str, Any]:
        return {
            **self.form.describe(),
            "bounds": list(self.bounds),
            "years": [self.first, self.first + self.years - 1],
            "parts": list(self._sizes),
            "always": {part: fixed for part, fixed in self.clock.items() if fixed is not None},
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "form": self.form.to_json(),
            "first": self.first,
            "years": self.years,
            "clock": dict(self.clock),
            "bounds": list(self.bounds),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any], form: DatetimeForm) -> CalendarCodec:
        low, high = data["bounds"]
        return CalendarCodec(
            data["name"], form, data["first"], data["years"], data["clock"], (low, high)
        )


def fit_calendar(column: Numeric) -> CalendarCodec | None:
    """The codec of a column of moments; None where its values are better taken as numbers: if they
    are few, far apart, on one day or on the first of a month, or no moments at all, or if there are
    too few rows to learn years and weeks as classes."""
    form, values = column.form, column.values
    if not isinstance(form, DatetimeForm) or not len(values):
        return None
    if np.isin(values, column.atoms).mean() >= SPIKY:
        return None
    low, high = (float(form.snap(np.array([end]))[0]) for end in column.bounds)
    inside = values.clip(low, high)
    year, parts = _parts(inside, form.unit)
    first, years = int(year.min()), int(np.ptp(year)) + 1
    if years > YEARS or len(values) < ROWS_PER_CLASS * (years + _WEEKS):
        return None
    days = _day_of(year, parts["week"], parts["weekday"])
    if len(np.unique(days - _month_of(days))) < 2:
        return None
    clock = {part: _fixed(parts[part]) for part in _CLOCK}
    return CalendarCodec(column.name, form, first, years, clock, (low, high))


def _parts(values: Values, unit: str) -> tuple[Whole, dict[str, Whole]]:
    """Whole `unit`s since 1970 [n] -> ISO years, and the other parts [n]."""
    days, rest = np.divmod(values.astype(np.int64), _SECONDS * PER_SECOND[unit])
    year, week, weekday = _iso(days)
    seconds = rest // PER_SECOND[unit]
    clock = {part: seconds // length % size for part, (size, length) in _CLOCK.items()}
    return year, {"week": week, "weekday": weekday} | clock


def _fixed(part: Whole) -> int | None:
    """What a part [n] always is, or None."""
    return None if np.ptp(part) else int(part[0])


def _iso(days: Whole) -> tuple[Whole, Whole, Whole]:
    """Days since 1970 [n] -> ISO 8601 years, weeks from 0 and weekdays from 0 (Monday), each [n]. A
    week belongs to the year of its Thursday."""
    weekday = (days + 3) % _WEEKDAYS
    thursday = days - weekday + 3
    year = thursday.astype(_DAY).astype(_YEAR)
    week = (thursday - year.astype(_DAY).astype(np.int64)) // _WEEKDAYS
    return year.astype(np.int64) + 1970, week, weekday


def _day_of(year: Whole, week: Whole, weekday: Whole) -> Whole:
    """The inverse of `_iso`; a 53rd week that a year lacks is the first of the next."""
    fourth = (year - 1970).astype(_YEAR).astype(_DAY).astype(np.int64) + 3  # always in week 0
    days: Whole = fourth - (fourth + 3) % _WEEKDAYS + week * _WEEKDAYS + weekday
    return days


def _month_of(days: Whole) -> Whole:
    """The first day of each day's month."""
    months = days.astype(_DAY).astype("datetime64[M]")
    first: Whole = months.astype(_DAY).astype(np.int64)
    return first


@cache
def _places(size: int) -> tuple[float, ...]:
    """Where `size` classes stand on the normal scale: evenly, whatever the rows say."""
    scale = NormalDist()
    return tuple(round(scale.inv_cdf((i + 0.5) / size), 3) for i in range(size))
