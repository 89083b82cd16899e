"""All codecs of a table, side by side: table -> encoded rows -> table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from synthvae.codecs.bindings import Bindings, Seen
from synthvae.codecs.bounds import Units
from synthvae.codecs.calendar import CalendarCodec, fit_calendar
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.cells import CellsCodec, fit_cells
from synthvae.codecs.datetimes import DatetimeForm
from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.modes import ModesCodec, fit_modes
from synthvae.codecs.numbers import NumberForm
from synthvae.codecs.parts import Codec, Draw, Form, Numeric
from synthvae.codecs.people import LOCALE
from synthvae.codecs.personal import PersonalCodec, provider_of
from synthvae.codecs.quantiles import QuantilesCodec, fit_quantile
from synthvae.layout import Encoded, Layout
from synthvae.schema import ColumnSchema, Schema
from synthvae.seeds import stream
from synthvae.storage import View
from synthvae.table import Column, Table

NumericKind = Literal["modes", "cells", "quantiles"]


def fit_quantiles(columns: Sequence[Numeric]) -> list[Codec]:
    """A codec per column; moments go by the calendar where `fit_calendar` finds that they can."""
    return [fit_calendar(column) or fit_quantile(column) for column in columns]


NUMERIC: Mapping[str, Callable[[Sequence[Numeric]], Sequence[Codec]]] = {
    "modes": fit_modes,
    "cells": fit_cells,
    "quantiles": fit_quantiles,
}
FORMS: Mapping[str, Any] = {"number": NumberForm, "datetime": DatetimeForm}
CODECS: Mapping[str, Callable[[Mapping[str, Any]], Codec]] = {
    "categorical": CategoricalCodec.from_json,
    "identifier": IdentifierCodec.from_json,
    "personal": PersonalCodec.from_json,
    "modes": lambda data: ModesCodec.from_json(data, _form(data["form"])),
    "cells": lambda data: CellsCodec.from_json(data, _form(data["form"])),
    "calendar": lambda data: CalendarCodec.from_json(data, DatetimeForm.from_json(data["form"])),
    "quantiles": lambda data: QuantilesCodec.from_json(data, _form(data["form"])),
}


@dataclass(frozen=True)
class TableCodec:
    """One codec per learnt column, in the order of the table; `order`: that of a decoder that
    writes one column after the other; `bindings`: constraints, for whose sake columns may be learnt
    as others; `withheld`: of a column, how many levels and rows were too rare to be learnt;
    `nulls`: texts that were counted as no value, of a private model alone."""

    codecs: tuple[Codec, ...]
    given: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    bindings: Bindings = field(default_factory=Bindings)
    withheld: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    nulls: frozenset[str] | None = None

    @cached_property
    def layout(self) -> Layout:
        blocks = tuple(b for codec in self.codecs for b in codec.blocks)
        return Layout(blocks, self.given, self.order)

    def encode(self, table: Table, seed: int) -> Encoded:
        """Table [N] -> codes and scalars of all blocks, 4 bytes each a row."""
        return self.encode_learnt(self.bindings.forward(table), seed)

    def encode_learnt(self, table: Table, seed: int) -> Encoded:
        """The same, of the columns that are learnt."""
        parts = [
            codec.encode(table[codec.name], stream(seed, "encode", codec.name))
            for codec in self.codecs
        ]
        return Encoded.side_by_side(parts, len(table))

    def decode(
        self, encoded: Encoded, draw: Draw, view: View, seen: Mapping[str, Seen] | None = None
    ) -> pa.Table:
        """Encoded rows [n] -> an Arrow table of values as written, or typed. Columns that are
        restored follow from what is `seen` of others, if anything is."""
        arrays = self.arrays(encoded, draw, view, self.codecs, seen)
        schema = self.arrow_schema(view)
        return pa.table([arrays[name] for name in schema.names], schema=schema)

    def arrays(
        self,
        encoded: Encoded,
        draw: Draw,
        view: View,
        codecs: Sequence[Codec],
        seen: Mapping[str, Seen] | None = None,
    ) -> dict[str, pa.Array]:
        """What `codecs` decode, by name, and the columns that are restored."""
        arrays = self._decoded(encoded, draw, view, codecs)
        if self.bindings.relations:
            texts = dict(arrays) if view == "text" else {}
            needed = [c for c in self.codecs if c.name in self.bindings.read - texts.keys()]
            texts |= self._decoded(encoded, draw, "text", needed)
            read = {name: texts[name] for name in self.bindings.read if name in texts}
            arrays |= self.bindings.backward(read, view, seen)
        return arrays

    def _decoded(
        self, encoded: Encoded, draw: Draw, view: View, codecs: Sequence[Codec]
    ) -> dict[str, pa.Array]:
        return {
            codec.name: codec.decode(self.layout.of_column(codec.name).take(encoded), draw, view)
            for codec in codecs
        }

    def __getitem__(self, name: str) -> Codec:
        return next(codec for codec in self.codecs if codec.name == name)

    def arrow_schema(self, view: View) -> pa.Schema:
        """Names and types of what `decode` gives."""
        types = {codec.name: _type(codec, view) for codec in self.codecs}
        types |= {name: self.bindings.type_of(name, view) for name in self.bindings.learnt_for}
        return pa.schema([(name, types[name]) for name in self.bindings.names or types])

    def to_json(self) -> dict[str, Any]:
        return {
            "codecs": [codec.to_json() for codec in self.codecs],
            "given": list(self.given),
            "order": list(self.order),
            "bindings": self.bindings.to_json(),
            "withheld": {name: dict(counts) for name, counts in self.withheld.items()},
            **({"nulls": sorted(self.nulls)} if self.nulls is not None else {}),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> TableCodec:
        codecs = tuple(CODECS[entry["kind"]](entry) for entry in data["codecs"])
        bindings = Bindings.from_json(data["bindings"]) if "bindings" in data else Bindings()
        given, order, withheld = (
            tuple(data["given"]),
            tuple(data["order"]),
            data.get("withheld", {}),
        )
        nulls = frozenset(data["nulls"]) if "nulls" in data else None
        return TableCodec(codecs, given, order, bindings, withheld, nulls)


def fit_table_codec(
    schema: Schema,
    table: Table,
    numeric: NumericKind,
    given: Sequence[str] = (),
    locale: str = LOCALE,
    units: Units = None,
    least: int = 0,
) -> TableCodec:
    """Fit the codec of every column that is learnt. Exact statistics of the rows: not for private
    training. A number that fewer than `least` rows hold (units, where `units` [N] say whose each
    is) is no class of its own, nor is a form that fewer identifiers have one of theirs.

    Numbers that are `given` become cells, so that conditions are codes throughout.
    """
    fitted: dict[str, Codec] = {}
    numbers: dict[str, list[Numeric]] = {"cells": [], numeric: []}
    for column in schema.columns:
        values = table[column.name].compact()
        if column.sdtype in ("numerical", "datetime"):
            kind = "cells" if column.name in given else numeric
            numbers[kind].append(_numeric(column, values, units, least))
        else:
            fitted[column.name] = _other(column, values, locale, least)
    for how, columns in numbers.items():
        fitted |= {codec.name: codec for codec in NUMERIC[how](columns)}
    codecs = tuple(fitted[column.name] for column in schema.columns)
    return TableCodec(codecs, tuple(given))


def _numeric(column: ColumnSchema, values: Column, units: Units, least: int) -> Numeric:
    form: Form
    if column.sdtype == "numerical":
        form = NumberForm.fit(values, column.missing)
    else:
        form = DatetimeForm.fit(values, column.missing, column.datetime_format)
    numbers, _ = form.parse(values)
    there = ~np.isnan(numbers)
    return Numeric(
        column.name, form, numbers[there], None if units is None else units[there], least
    )


def _other(column: ColumnSchema, values: Column, locale: str, least: int) -> Codec:
    if column.sdtype in ("categorical", "boolean"):
        return CategoricalCodec.fit(values, column.missing)
    if column.sdtype == "id":
        return IdentifierCodec.fit(values, column.missing, column.regex_format, least)
    return PersonalCodec.fit(values, column.missing, provider_of(column.sdtype), locale)


def _type(codec: Codec, view: View) -> pa.DataType:
    if view == "typed":
        return codec.arrow_type()
    categorical = isinstance(codec, CategoricalCodec)
    return pa.dictionary(pa.int32(), pa.string()) if categorical else pa.string()


def _form(data: Mapping[str, Any]) -> Form:
    form: Form = FORMS[data["kind"]].from_json(data)
    return form
