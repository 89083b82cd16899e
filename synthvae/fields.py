"""What a model promises of each column that it writes, from nothing but what its file declares.

A field is what `synthvae schema` exports and what every drawn chunk is held to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs.calendar import CalendarCodec
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.cells import CellsCodec
from synthvae.codecs.datetimes import DatetimeForm
from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.modes import ModesCodec
from synthvae.codecs.parts import Codec, Form
from synthvae.codecs.pattern import CLASSES
from synthvae.codecs.personal import PersonalCodec
from synthvae.codecs.presence import Presence
from synthvae.codecs.quantiles import QuantilesCodec
from synthvae.codecs.specials import Specials
from synthvae.codecs.table_codec import TableCodec
from synthvae.written import PER_SECOND

_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"


@dataclass(frozen=True)
class Field:
    """One column of the output.

    `type`: in the typed view; `text`: what stands in CSV. `missing`: how 'no value' is written
    there; `codes`: texts among numbers or moments that stand for themselves. `categories`: all
    values as written, None if it has none. `low`, `high`: of numbers, the ends; of moments, in
    `unit`s since 1970. `format`: strptime's, of moments, `padded` with zeros or not. `pattern`: a
    regular expression that every written value matches, "" if there is none to give. `unique`: no
    value comes twice.
    """

    name: str
    type: pa.DataType
    text: pa.DataType
    missing: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None
    values: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    step: float = 0.0
    format: str = ""
    unit: str = ""
    padded: bool = True
    pattern: str = ""
    unique: bool = False

    @property
    def nullable(self) -> bool:
        """Whether the typed view has nulls."""
        return bool(self.missing)

    @property
    def is_number(self) -> bool:
        """Whether values are numbers, but for codes and missing ones."""
        return self.low is not None and not self.format

    @property
    def plain_type(self) -> pa.DataType:
        """`type`, but that of the values of a dictionary."""
        return self.type.value_type if pa.types.is_dictionary(self.type) else self.type

    def to_json(self) -> dict[str, Any]:
        """What a manifest says of the column: no values."""
        return {
            "name": self.name,
            "type": str(self.plain_type),
            "nullable": self.nullable,
            "unique": self.unique,
        }


def fields_of(codec: TableCodec) -> tuple[Field, ...]:
    """The fields of a table, in its order."""
    schema, typed = codec.arrow_schema("text"), codec.arrow_schema("typed")
    follow = codec.bindings.learnt_for  # one of them may be learnt under the name of another
    own = {one.name: one for one in codec.codecs if one.name not in follow}
    return tuple(
        _field(own[name], schema.field(name).type)
        if name in own
        # Restored for the sake of a constraint: of its values no more than the type is declared.
        else Field(name, typed.field(name).type, schema.field(name).type, missing=("",))
        for name in schema.names
    )


@singledispatch
def _field(codec: Codec, text: pa.DataType) -> Field:
    """A kind of column of which only names and types are known."""
    return Field(codec.name, codec.arrow_type(), text, missing=("",))


@_field.register
def _(codec: CategoricalCodec, text: pa.DataType) -> Field:
    gone, known = _parted(codec.levels, codec.missing)
    values = codec.typed_values()
    return Field(
        codec.name, codec.arrow_type(), text, missing=gone, categories=known, values=values
    )


@_field.register
def _(codec: IdentifierCodec, text: pa.DataType) -> Field:
    # A form that was seen goes on with longer texts once all of its own are used up.
    longer = "" if codec.declared else "[0-9]*"
    forms = ("".join(map(_one_of, pattern.alphabets)) + longer for pattern in codec.patterns)
    return _made_up(codec.presence, text, "|".join(forms), unique=True)


def _one_of(alphabet: str) -> str:
    """A regular expression of one character, in the words that all dialects share."""
    if len(alphabet) == 1:
        return re.sub(r"([\\^$.|?*+()\[\]{}/])", r"\\\1", alphabet)
    for whole in CLASSES:
        alphabet = alphabet.replace(whole, f"{whole[0]}\0{whole[-1]}")
    members = re.sub(r"([\\^\[\]-])", r"\\\1", alphabet).replace("\0", "-")
    return f"[{members}]"


@_field.register
def _(codec: PersonalCodec, text: pa.DataType) -> Field:
    return _made_up(codec.presence, text, "", unique=False)


def _made_up(presence: Presence, text: pa.DataType, pattern: str, unique: bool) -> Field:
    gone, codes = _specials(presence.specials)
    return Field(
        presence.name,
        presence.typed_as,
        text,
        missing=gone,
        codes=codes,
        pattern=pattern,
        unique=unique,
    )


@_field.register
def _(codec: QuantilesCodec, text: pa.DataType) -> Field:
    return _numeric(codec.name, codec.form, text, codec.atoms, codec.knots)


@_field.register
def _(codec: CalendarCodec, text: pa.DataType) -> Field:
    return _numeric(codec.name, codec.form, text, np.array(codec.bounds))


@_field.register
def _(codec: ModesCodec, text: pa.DataType) -> Field:
    bounds = codec.bounds if len(codec.mixture.means) else ()
    return _numeric(codec.name, codec.form, text, codec.spikes, np.array(bounds))


@_field.register
def _(codec: CellsCodec, text: pa.DataType) -> Field:
    return _numeric(codec.name, codec.form, text, codec.atoms, codec.edges)


def _numeric(name: str, form: Form, text: pa.DataType, *known: np.ndarray[Any, Any]) -> Field:
    values = form.snap(np.concatenate([np.asarray(part, np.float64) for part in known]))
    gone, codes = _specials(form.specials)
    low, high = (float(values.min()), float(values.max())) if len(values) else (None, None)
    field = Field(name, form.typed_as, text, gone, codes, low=low, high=high, step=form.grid.unit)
    if not isinstance(form, DatetimeForm):
        return replace(field, pattern=_NUMBER)
    step = form.grid.unit / PER_SECOND[form.unit]
    return replace(field, step=step, format=form.format, unit=form.unit, padded=form.padded)


def _specials(specials: Specials) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return _parted(specials.texts, specials.missing)


def _parted(
    texts: tuple[str, ...], missing: tuple[bool, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Texts that mean 'no value', and the others."""
    pairs = list(zip(texts, missing, strict=True))
    return tuple(t for t, gone in pairs if gone), tuple(t for t, gone in pairs if not gone)
