"""The written form of numbers: text to float64 and back, decimals and specials as they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthvae import storage
from synthvae.codecs.grid import Grid, reach
from synthvae.codecs.specials import Specials, describe, stands_apart
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import Values, numbers_of

_MAX_PLACES = 15
_MAX_FAR = 10  # distinct values that are told apart
_APART = 1e6  # times the largest of the others


@dataclass(frozen=True)
class NumberForm:
    """How numbers of a column are written.

    `decimals`: places always written, -1 for as few as it takes; `point_zero`: whole numbers are
    written '3.0'; `exponents`: 'e' or 'E' if very large and small ones are written '1e-05', as
    Python does, '' if not. `storage` as in Column.
    """

    grid: Grid
    specials: Specials
    decimals: int
    point_zero: bool
    exponents: str
    storage: str

    kind = "number"

    @staticmethod
    def fit(column: Column, missing: frozenset[str]) -> NumberForm:
        """From the levels of `column`; whatever is no number becomes a special."""
        values = numbers_of(column.levels)
        is_number = ~(np.isnan(values) | stands_apart(column, missing))
        needed = _needed(column.levels, is_number)
        if (far := _far(values, is_number, needed)).any():
            is_number &= ~far
            needed = _needed(column.levels, is_number)
        numbers = pc.utf8_trim_whitespace(column.levels.filter(pa.array(is_number)))
        others = column.levels.filter(pa.array(~is_number)).to_pylist()
        specials = Specials.of(column, others, missing)
        grid = Grid.fit(values[is_number], needed) if needed <= _MAX_PLACES else Grid(0, 0)
        if pa.types.is_floating(storage.type_of(column.storage)):
            # Arrow's own texts of floats say nothing about how a person would write them.
            return NumberForm(grid, specials, -1, True, "e", column.storage)
        places = _places(numbers)
        found = (e for e in "eE" if pc.any(pc.match_substring(numbers, e)).as_py())
        exponents = next(found, "")
        same = grid.step > 0 and not exponents and (places == places[0]).all()
        decimals = int(places[0]) if same else -1
        point_zero = bool(pc.any(pc.match_substring_regex(numbers, r"\.0$")).as_py())
        return NumberForm(grid, specials, decimals, point_zero, exponents, column.storage)

    def unstepped(self) -> NumberForm:
        """The same on a grid of all numbers of its decimal places: for values that are computed,
        which may stand between those of the table."""
        if not self.grid.step:
            return self
        places = max(self.grid.places, self.decimals, int(self.point_zero))
        return replace(self, grid=Grid(places, 1))

    def parse(self, column: Column) -> tuple[Values, NDArray[np.int32]]:
        """(values, specials), each [N]: NaN where a special stands, -1 where a value stands."""
        special = self.specials.index(column.texts)
        values = np.append(numbers_of(column.levels), np.nan)
        return np.where(special < 0, values, np.nan)[column.codes], special[column.codes]

    def snap(self, values: Values) -> Values:
        return self.grid.snap(values)

    def render(self, values: Values, special: NDArray[np.int32], view: View) -> pa.Array:
        """Arrow array [n] of drawn `values`: as written, or in the type of `typed_as`."""
        values = np.where(special < 0, values, 0.0)
        if view == "text":
            return self.specials.overlay(self._written(values), special, self.specials.written)
        body = self._written(values) if self.typed_as == pa.string() else self._typed(values)
        return self.specials.overlay(body, special, self.specials.typed.cast(body.type))

    @property
    def typed_as(self) -> pa.DataType:
        """The Arrow type outside CSV: what a reader would infer from the text, or the original."""
        if self.storage != "text":
            return storage.type_of(self.storage)
        if not self.specials.has_codes:
            return pa.int64() if self.is_whole and self.decimals == 0 else pa.float64()
        return pa.string() if np.isnan(numbers_of(self.specials.codes)).any() else pa.float64()

    @property
    def is_whole(self) -> bool:
        return self.grid.places == 0 and self.grid.step > 0

    def _typed(self, values: Values) -> pa.Array:
        """In the type of `typed_as`, at whose ends they stop."""
        kind = self.typed_as
        if pa.types.is_decimal(kind) and self.grid.step:
            places = self.grid.places
            most = 10 ** min(kind.precision - kind.scale + places, 18) - 1
            ticks = np.clip(self.grid.ticks(values), -most, most)
            exact = pa.decimal128(38, max(places, kind.scale))
            return _fixed(ticks, places, places).cast(exact).cast(kind, safe=False)
        numbers = self.grid.ticks(values) if self.is_whole else self.snap(values)
        return storage.restore(numbers, kind)

    def _written(self, values: Values) -> pa.Array:
        if not self.grid.step and pa.types.is_integer(self.typed_as):
            return self._typed(values).cast(pa.string())
        if self.decimals >= 0:
            return _fixed(self.grid.ticks(values), self.grid.places, self.decimals)
        if self.exponents or not self.grid.step:
            text = _shortest(self.snap(values), self.exponents)
        else:
            text = _fixed(self.grid.ticks(values), self.grid.places, self.grid.places)
            text = pc.utf8_rtrim(_trimmed(text), characters=".")
        if not self.point_zero:
            return text
        whole = pc.match_substring_regex(text, r"^-?\d+$")
        return pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)

    def describe(self) -> Mapping[str, Any]:
        return {"step": self.grid.unit or None, **describe(self.specials)}

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "grid": [self.grid.places, self.grid.step, self.grid.origin],
            "specials": self.specials.to_json(),
            "decimals": self.decimals,
            "point_zero": self.point_zero,
            "exponents": self.exponents,
            "storage": self.storage,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> NumberForm:
        specials = Specials.from_json(data["specials"])
        grid = Grid(*data["grid"])
        flags = (data[key] for key in ("decimals", "point_zero", "exponents", "storage"))
        return NumberForm(grid, specials, *flags)


def _needed(levels: pa.StringArray, is_number: NDArray[np.bool_]) -> int:
    """The decimal places that it takes to write the numbers among `levels` [L]."""
    numbers = pc.utf8_trim_whitespace(levels.filter(pa.array(is_number)))
    return int(_places(_trimmed(numbers)).max())


def _far(values: Values, is_number: NDArray[np.bool_], places: int) -> NDArray[np.bool_]:
    """Which levels [L] are words rather than numbers, as 9223372036854775807 among ages is: a few
    that no grid reaches, far from all others."""
    limit = reach(places) if places <= _MAX_PLACES else np.inf
    far = is_number & (np.abs(values) >= limit)
    near = np.abs(values[is_number & ~far])
    apart = len(near) > 0 and 0 < far.sum() <= _MAX_FAR and near.max() * _APART < limit
    return far if apart else np.zeros_like(far)


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
        exponent = Decimal(numbers[int(i)].as_py()).as_tuple().exponent
        places[i] = max(-exponent, 0) if isinstance(exponent, int) else 0
    return places


def _shortest(values: Values, exponents: str) -> pa.Array:
    """The fewest digits that tell each value [n] from its neighbours. Arrow turns to exponents at
    other sizes than Python, and always; so the sizes where they differ are written here."""
    text = pa.array(values).cast(pa.string())
    size = np.abs(values)
    odd = np.flatnonzero((size >= 1e9) | ((size < 1e-4) & (size > 0)))
    if not len(odd):
        return text
    written = np.array(text.to_pylist(), object)
    written[odd] = [_odd(value, exponents) for value in values[odd].tolist()]
    return pa.array(written, pa.string())


def _odd(value: float, exponents: str) -> str:
    if exponents:
        return repr(value).removesuffix(".0").replace("e", exponents)
    return str(int(value)) if value.is_integer() else np.format_float_positional(value)


def _fixed(ticks: NDArray[np.int64], places: int, decimals: int) -> pa.Array:
    """Whole numbers of 10^-places [n] with exactly `decimals` places, at least `places`."""
    if not decimals:
        return pa.array(ticks).cast(pa.string())
    whole, rest = (pa.array(a).cast(pa.string()) for a in np.divmod(np.abs(ticks), 10**places))
    sign = pc.if_else(pa.array(ticks < 0), "-", "")
    fraction = pc.utf8_rpad(pc.utf8_lpad(rest, places, "0"), decimals, "0")
    return pc.binary_join_element_wise(sign, whole, ".", fraction, "")
