"""An upper column as its difference to a lower one: drawn differences are not negative, so the
inequality holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.bounds import outer_bounds
from synthvae.codecs.datetimes import DatetimeForm
from synthvae.codecs.parts import Form
from synthvae.codecs.relations import Texts, column_of
from synthvae.constraints.checks import half_step
from synthvae.constraints.reading import MOMENT, Readers
from synthvae.constraints.rules import Inequality
from synthvae.table import Column, Table
from synthvae.written import PER_SECOND, Values, numbers_of


@dataclass(frozen=True)
class Difference:
    """The upper column of `rule` as its difference to the lower one, in decimals of `places` (-1:
    as many as it takes). Where the lower one is missing it is the difference to `reference`.
    Restored values stay between `bounds`."""

    rule: Inequality
    readers: Readers
    form: Form
    places: int
    reference: float
    bounds: tuple[float, float]

    kind = "difference"

    @staticmethod
    def fit(rule: Inequality, table: Table, readers: Readers, form: Form) -> Difference:
        high = readers[rule.high].values(table[rule.high])
        steps = [half_step(table[name]) for name in rule.columns]
        written = [text for name in rule.columns for text in table[name].texts]
        grid = form.grid.step > 0 and not any("e" in text.lower() for text in written)
        places = round(-np.log10(2 * min(steps))) if grid else -1
        if readers[rule.high].kind == MOMENT:
            places = 0
        middle = high[~np.isnan(high)]
        reference = round(float(np.median(middle)), max(places, 0)) if len(middle) else 0.0
        bounds = outer_bounds(middle)
        mine = {name: readers[name] for name in rule.columns}
        return Difference(rule, mine, form, places, reference, bounds)

    @property
    def restores(self) -> tuple[str, ...]:
        return (self.rule.high,)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.rule.low,)

    @property
    def learnt(self) -> tuple[tuple[str, str], ...]:
        return ((self.rule.high, "numerical"),)

    def forward(self, table: Table) -> list[Column]:
        column = table[self.rule.high]
        high = self.readers[self.rule.high].values(column)
        difference = self._rounded(high - self._base(self._low(table[self.rule.low])))
        there = ~np.isnan(difference)
        values, index = np.unique(difference[there] + 0.0, return_inverse=True)
        levels = pa.concat_arrays([pa.array(self._texts(values), pa.string()), column.levels])
        codes = np.where(column.codes < 0, -1, column.codes + len(values)).astype(np.int32)
        codes[there] = index
        return [Column(column.name, codes, levels).compact()]

    def backward(self, texts: Texts) -> Texts:
        column = column_of(self.rule.high, texts[self.rule.high])
        difference = np.append(numbers_of(column.levels), np.nan)[column.codes]
        low = self._low(column_of(self.rule.low, texts[self.rule.low]))
        high = self._within(low, difference)
        there = ~np.isnan(high)
        written = self.form.render(
            np.where(there, high, 0.0), np.full(len(high), -1, np.int32), "text"
        )
        own = texts[self.rule.high]
        return {self.rule.high: pc.if_else(pa.array(there), written, own)}

    def _within(self, low: Values, difference: Values) -> Values:
        """Upper values [n] in units of the form, on its grid."""
        scale = _scale(self.form)
        unit = self.form.grid.unit / scale  # the smallest step that there is
        high = np.clip(self._rounded(self._base(low) + difference), *self.bounds)
        least = low + (unit if self.rule.strict else 0.0)
        high = np.where((difference >= 0) & (high < least), least, high)
        there = ~np.isnan(high)
        high = np.where(there, self.form.snap(np.where(there, high, 0.0) * scale), np.nan)
        below = (high / scale < least) & (difference >= 0)
        return np.where(below, high + self.form.grid.unit, high)

    def _low(self, column: Column) -> Values:
        return self.readers[self.rule.low].values(column)

    def _base(self, low: Values) -> Values:
        return np.where(np.isnan(low), self.reference, low)

    def _rounded(self, values: Values) -> Values:
        return values if self.places < 0 else np.round(values, self.places)

    def _texts(self, values: Values) -> list[str]:
        if self.places < 0:
            return [repr(value) for value in values.tolist()]
        return [f"{value:.{self.places}f}" for value in values.tolist()]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "low": self.rule.low,
            "high": self.rule.high,
            "strict": self.rule.strict,
            "places": self.places,
            "reference": self.reference,
            "bounds": list(self.bounds),
        }

    @staticmethod
    def from_json(
        data: Mapping[str, Any], readers: Readers, forms: Mapping[str, Any]
    ) -> Difference:
        rule = Inequality(data["low"], data["high"], data["strict"])
        form, bounds = forms[rule.high], (data["bounds"][0], data["bounds"][1])
        return Difference(rule, readers, form, data["places"], data["reference"], bounds)


def _scale(form: Form) -> float:
    """Units of the form's values in one unit of what a reader gives."""
    return PER_SECOND[form.unit] / 1e6 if isinstance(form, DatetimeForm) else 1.0
