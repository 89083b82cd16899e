"""The written form of dates and times: text to whole seconds or microseconds and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthvae import storage
from synthvae.codecs.grid import Grid, Values
from synthvae.codecs.specials import Specials, describe
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import moments, unit_of, unpadded, write_moments

_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}


@dataclass(frozen=True)
class DatetimeForm:
    """How moments of a column are written. Values are whole `unit`s since 1970 (UTC).

    `padded`: '05/01/2014' rather than '5/1/2014'. `storage` as in Column.
    """

    format: str
    unit: str
    grid: Grid
    specials: Specials
    padded: bool
    storage: str

    kind = "datetime"

    @staticmethod
    def fit(column: Column, missing: frozenset[str], format: str) -> DatetimeForm:
        """From the levels of `column`; whatever is no moment becomes a special."""
        unit = unit_of(column.levels, format)
        values = moments(column.levels, format, unit)
        is_moment = ~np.isnan(values)
        others = column.levels.filter(pa.array(~is_moment)).to_pylist()
        specials = Specials.of(others, missing, column.n_null > 0)
        grid = Grid.fit(values[is_moment], 0)
        texts = column.levels.filter(pa.array(is_moment))
        padded = bool(
            pc.all(pc.equal(write_moments(values[is_moment], format, unit), texts)).as_py()
        )
        return DatetimeForm(format, unit, grid, specials, padded, column.storage)

    def parse(self, column: Column) -> tuple[Values, NDArray[np.int32]]:
        """(values, specials), each [N]: NaN where a special stands, -1 where a value stands."""
        values = np.append(moments(column.levels, self.format, self.unit), np.nan)
        special = self.specials.index(column.texts)
        return values[column.codes], special[column.codes]

    def snap(self, values: Values) -> Values:
        return self.grid.snap(values)

    def render(self, values: Values, special: NDArray[np.int32], view: View) -> pa.Array:
        """Arrow array [n] of drawn `values`: as written, or in the type of `typed_as`."""
        values = self.snap(np.where(special < 0, values, 0.0))
        if view == "text" or self.typed_as == pa.string():
            text = write_moments(values, self.format, self.unit)
            text = self.specials.overlay(text if self.padded else unpadded(text), special, True)
            return text if view == "text" else self.specials.without_missing(text, special)
        stamps = pa.array(values.astype(np.int64)).cast(pa.timestamp(self.unit))
        if pa.types.is_timestamp(self.typed_as) and self.typed_as.tz:
            stamps = stamps.cast(pa.timestamp(self.unit, "UTC"))
        return self.specials.overlay(stamps.cast(self.typed_as, safe=False), special, text=False)

    @property
    def typed_as(self) -> pa.DataType:
        """The Arrow type outside CSV: the original; dates in text stay text in their format."""
        return storage.type_of(self.storage)

    def describe(self) -> Mapping[str, Any]:
        step = self.grid.unit / _UNITS[self.unit]
        return {"format": self.format, "step_seconds": step, **describe(self.specials)}

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "format": self.format,
            "unit": self.unit,
            "grid": [self.grid.places, self.grid.step, self.grid.origin],
            "specials": self.specials.to_json(),
            "padded": self.padded,
            "storage": self.storage,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> DatetimeForm:
        grid, specials = Grid(*data["grid"]), Specials.from_json(data["specials"])
        return DatetimeForm(
            data["format"], data["unit"], grid, specials, data["padded"], data["storage"]
        )
