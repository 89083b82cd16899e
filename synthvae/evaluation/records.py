"""What an evaluation hands back: numbers that never stand alone.

Every value comes with an interval, the floor that fresh real rows reach, the number of rows and the
seed, so that a reader can tell a fault of the synthetic table from the noise of a finite sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Better = Literal["lower", "higher", "closer"]


def _number(value: float | None) -> float | None:
    """JSON knows neither NaN nor infinity: both become null."""
    return float(value) if value is not None and math.isfinite(value) else None


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; the function that made it says what it covers. NaN where undefined."""

    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """`{"low": ..., "high": ...}`, NaN as None."""
        return {"low": _number(self.low), "high": _number(self.high)}


@dataclass(frozen=True)
class Part:
    """One column's or one pair's own number, in the unit of the metric that it is a part of."""

    value: float
    interval: Interval
    floor: float
    floor_interval: Interval


@dataclass(frozen=True)
class Metric:
    """One measured number and all that is needed to judge it.

    `floor` is the same number with fresh real rows (the holdout) in the place of the synthetic
    ones, and `ratio` is value / floor where that makes sense. `better` says which way is good;
    `closer` means closer to the floor: a value far below it is copying or calibration, not
    quality. `n` counts the rows the value rests on. `detail` holds the parts the value is made
    of, or what explains it, each by name and in the metric's unit unless stated otherwise.
    `parts` has intervals and floors for those that have their own, and `curves` what is drawn
    rather than read; neither is in `to_json`.
    """

    name: str
    value: float
    interval: Interval
    floor: float | None
    floor_interval: Interval | None
    ratio: float | None
    better: Better
    unit: str
    n: int
    seed: int
    detail: Mapping[str, float]
    parts: Mapping[str, Part] = field(default_factory=dict)
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The fields by name, as plain JSON types; NaN and infinity become None."""
        return {
            "name": self.name,
            "value": _number(self.value),
            "interval": self.interval.to_json(),
            "floor": _number(self.floor),
            "floor_interval": self.floor_interval.to_json() if self.floor_interval else None,
            "ratio": _number(self.ratio),
            "better": self.better,
            "unit": self.unit,
            "n": int(self.n),
            "seed": int(self.seed),
            "detail": {str(name): _number(part) for name, part in self.detail.items()},
        }


@dataclass(frozen=True)
class Evaluation:
    """All records of one evaluation, with what it could not look at.

    `left_out` maps a column to the reason why it was not compared; `notes` are sentences on
    what was skipped or ignored. `tables`: by role the hash of all values of a table, if it was
    read from a file, to tell whose evidence this is.
    """

    records: tuple[Metric, ...]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]
    tables: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Metric:
        """The record called `name`. Raises KeyError, naming the records there are."""
        for record in self.records:
            if record.name == name:
                return record
        known = ", ".join(record.name for record in self.records)
        raise KeyError(f"no record is called {name!r}; known: {known}")

    def to_json(self) -> dict[str, object]:
        """Records, left-out columns, notes and hashes of tables, as plain JSON types."""
        return {
            "records": [record.to_json() for record in self.records],
            "left_out": dict(self.left_out),
            "notes": list(self.notes),
            "tables": dict(self.tables),
        }
