"""The written form of numbers: text to float64 and back, decimals and specials as they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
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
from synthvae.written import numbers_of

_MAX_PLACES = 15


@dataclass(frozen=True)
class NumberForm:
    """How numbers of a column are written.

    `decimals`: places always written, -1 for as few as it takes; `point_zero`: whole numbers are
    written '3.0'. `storage` as in Column.
    """

    grid: Grid
    specials: Specials
    decimals: int
    point_zero: bool
    storage: str

    kind = "number"

    @staticmethod
    def fit(column: Column, missing: frozenset[str]) -> NumberForm:
        """From the levels of `column`; whatever is no number becomes a special."""
        values = numbers_of(column.levels)
        is_number = ~np.isnan(values)
        numbers = column.levels.filter(pa.array(is_number))
        others = column.levels.filter(pa.array(~is_number)).to_pylist()
        specials = Specials.of(others, missing, column.n_null > 0)
        grid = Grid.fit(values[is_number], min(int(_places(_trimmed(numbers)).max()), _MAX_PLACES))
        if column.storage != "text":
            floating = pa.types.is_floating(storage.type_of(column.storage))
            return NumberForm(grid, specials, -1, floating, column.storage)
        places = _places(numbers)
        decimals = int(places[0]) if (places == places[0]).all() else -1
        point_zero = bool(pc.any(pc.match_substring_regex(numbers, r"\.0$")).as_py())
        return NumberForm(grid, specials, decimals, point_zero, "text")

    def parse(self, column: Column) -> tuple[Values, NDArray[np.int32]]:
        """(values, specials), each [N]: NaN where a special stands, -1 where a value stands."""
        values = np.append(numbers_of(column.levels), np.nan)
        special = self.specials.index(column.texts)
        return values[column.codes], special[column.codes]

    def snap(self, values: Values) -> Values:
        return self.grid.snap(values)

    def render(self, values: Values, special: NDArray[np.int32], view: View) -> pa.Array:
        """Arrow array [n] of drawn `values`: as written, or in the type of `typed_as`."""
        values = np.where(special < 0, values, 0.0)
        if view == "text" or self.typed_as == pa.string():
            text = self.specials.overlay(self._written(values), special, text=True)
            return text if view == "text" else self.specials.without_missing(text, special)
        body = pa.array(self.grid.ticks(values) if self.is_whole else self.snap(values))
        return self.specials.overlay(storage.restore(body, self.typed_as), special, text=False)

    @property
    def typed_as(self) -> pa.DataType:
        """The Arrow type outside CSV: what a reader would infer from the text, or the original."""
        if self.storage != "text":
            return storage.type_of(self.storage)
        if self.specials.has_codes:
            return pa.string()
        return pa.int64() if self.is_whole and self.decimals == 0 else pa.float64()

    @property
    def is_whole(self) -> bool:
        return self.grid.places == 0 and self.grid.step > 0

    def _written(self, values: Values) -> pa.Array:
        if self.decimals < 0 or not self.grid.step:
            return _shortest(self.snap(values), self.point_zero)
        ticks = self.grid.ticks(values) * 10 ** (self.decimals - self.grid.places)
        return _fixed(ticks, self.decimals)

    def describe(self) -> Mapping[str, Any]:
        return {"step": self.grid.unit or None, **describe(self.specials)}

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "grid": [self.grid.places, self.grid.step, self.grid.origin],
            "specials": self.specials.to_json(),
            "decimals": self.decimals,
            "point_zero": self.point_zero,
            "storage": self.storage,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> NumberForm:
        specials = Specials.from_json(data["specials"])
        grid = Grid(*data["grid"])
        return NumberForm(grid, specials, data["decimals"], data["point_zero"], data["storage"])


def _trimmed(numbers: pa.StringArray) -> pa.StringArray:
    """Without the zeros that only pad decimals: '3.50' -> '3.5', '3.0' -> '3.'."""
    decimal = pc.match_substring_regex(numbers, r"^[^eE]*\.[^eE]*$")
    return pc.if_else(decimal, pc.utf8_rtrim(numbers, characters="0"), numbers)


def _places(numbers: pa.StringArray) -> NDArray[np.int64]:
    """Decimal places of each text [L] (0 if there are no texts)."""
    if not len(numbers):
        return np.zeros(1, np.int64)
    point = pc.find_substring(numbers, ".").to_numpy()
    length = pc.utf8_length(numbers).to_numpy()
    places = np.where(point < 0, 0, length - point - 1).astype(np.int64)
    for i in np.flatnonzero(
        pc.match_substring_regex(numbers, "[eE]").to_numpy(zero_copy_only=False)
    ):
        exponent = Decimal(numbers[int(i)].as_py().strip()).as_tuple().exponent
        places[i] = max(-exponent, 0) if isinstance(exponent, int) else 0
    return places


def _shortest(values: Values, point_zero: bool) -> pa.Array:
    text = pa.array(values).cast(pa.string())
    if not point_zero:
        return text
    whole = pc.match_substring_regex(text, r"^-?\d+$")
    return pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)


def _fixed(ticks: NDArray[np.int64], decimals: int) -> pa.Array:
    """Whole numbers of 10^-decimals [n] with exactly that many places: Arrow's decimals are
    128-bit integers, made here from their low and high words."""
    if not decimals:
        return pa.array(ticks).cast(pa.string())
    words = np.stack([ticks, ticks >> 63], axis=1)
    buffers = [None, pa.py_buffer(np.ascontiguousarray(words))]
    return pa.Array.from_buffers(pa.decimal128(38, decimals), len(ticks), buffers).cast(pa.string())
