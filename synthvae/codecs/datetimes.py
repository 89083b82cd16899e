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
from synthvae.codecs.grid import Grid
from synthvae.codecs.specials import Specials, describe, stands_apart
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import PER_SECOND, Values, is_written, moments, unit_of, write_moments


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
        fits = ~np.isnan(moments(column.levels, format, "s"))
        is_moment = pa.array(fits & ~stands_apart(column, missing))
        others = column.levels.filter(pc.invert(is_moment)).to_pylist()
        specials = Specials.of(column, others, missing)
        texts = column.levels.filter(is_moment)
        unit = unit_of(texts, format)
        values = moments(texts, format, unit)
        padded = is_written(texts, values, format, unit, True) or not is_written(
            texts, values, format, unit, False
        )
        return DatetimeForm(format, unit, Grid.fit(values, 0), specials, padded, column.storage)

    def parse(self, column: Column) -> tuple[Values, NDArray[np.int32]]:
        """(values, specials), each [N]: NaN where a special stands, -1 where a value stands."""
        special = self.specials.index(column.texts)
        values = np.append(moments(column.levels, self.format, self.unit), np.nan)
        return np.where(special < 0, values, np.nan)[column.codes], special[column.codes]

    def snap(self, values: Values) -> Values:
        return self.grid.snap(values)

    def render(self, values: Values, special: NDArray[np.int32], view: View) -> pa.Array:
        """Arrow array [n] of drawn `values`: as written, or in the type of `typed_as`."""
        values = self.snap(np.where(special < 0, values, 0.0))
        typed = self.specials.typed
        if view == "text" or not pa.types.is_temporal(self.typed_as):
            body = write_moments(values, self.format, self.unit, self.padded)
            if view == "text":
                return self.specials.overlay(body, special, self.specials.written)
            body = storage.parse(body, self.typed_as)  # 20151125 may be a number
            return self.specials.overlay(body, special, typed.cast(self.typed_as))
        forms = self._stamps(moments(typed.fill_null(""), self.format, self.unit))
        return self.specials.overlay(self._stamps(values), special, forms)

    def _stamps(self, values: Values) -> pa.Array:
        """Whole units since 1970 [n] in the type of `typed_as`; NaN is null."""
        absent = np.isnan(values)
        ticks = pa.array(np.where(absent, 0, values).astype(np.int64), mask=absent)
        stamps = ticks.cast(pa.timestamp(self.unit))
        if pa.types.is_timestamp(self.typed_as) and self.typed_as.tz:
            stamps = stamps.cast(pa.timestamp(self.unit, "UTC"))
        return stamps.cast(self.typed_as, safe=False)

    @property
    def typed_as(self) -> pa.DataType:
        """The Arrow type outside CSV: the original; dates in text stay text in their format."""
        return storage.type_of(self.storage)

    def describe(self) -> Mapping[str, Any]:
        step = self.grid.unit / PER_SECOND[self.unit]
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
