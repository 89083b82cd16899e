"""A column as conditions see it: what a written value means there, and what decoded rows hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthvae.codecs.allowed import EVERYWHERE, NOWHERE, Allowed, Spans, ValueSet
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.datetimes import DatetimeForm
from synthvae.codecs.numbers import NumberForm
from synthvae.codecs.parts import Codec, Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.errors import SchemaError, hint
from synthvae.layout import Encoded
from synthvae.table import Column
from synthvae.where.bound import Cells
from synthvae.where.expression import Op, Operand
from synthvae.written import FORMATS, PER_SECOND, moments, numbers_of

_MOST_NAMED = 20


@dataclass(frozen=True)
class Restored:
    """A column of numbers or dates that follows from others by a constraint. All that is known is
    how it is written, so rows are drawn freely, and looked at."""

    name: str
    form: NumberForm | DatetimeForm

    @property
    def forms(self) -> tuple[str, ...]:
        return self.form.specials.texts

    @property
    def absent(self) -> tuple[bool, ...]:
        return self.form.specials.missing

    def allow(self, wanted: ValueSet) -> Allowed:
        return Allowed(())

    def describe(self) -> Mapping[str, Any]:
        return {}


Known = Codec | Restored
"""What is known of a column, that a condition may be on."""


def known(codec: TableCodec) -> dict[str, Known]:
    """Of each column of the table."""
    bindings = codec.bindings
    own = {one.name: one for one in codec.codecs if one.name in (bindings.names or {one.name})}
    forms = {name: bindings.forms[name] for name in bindings.learnt_for}
    restored = {
        n: f if isinstance(f, CategoricalCodec) else Restored(n, f) for n, f in forms.items()
    }
    return {**own, **restored}


def set_of(codec: Known, op: Op, operand: Operand) -> ValueSet:
    """The values of the column that `op` the written value. SchemaError where that means nothing:
    an unknown category, an order among categories, a number that is none."""
    form: Any = getattr(codec, "form", None)
    if isinstance(codec, CategoricalCodec):
        return _states(codec, op, _level(codec, op, operand))
    if form is None:
        raise SchemaError(
            f"column '{codec.name}' is made up, so nothing is known of its values; ask whether it "
            "is missing, or for another column"
        )
    if operand.kind != "number" and operand.text in codec.forms and op in ("==", "!="):
        return _states(codec, op, codec.forms.index(operand.text))
    number = _moment(codec.name, form, operand) if _is_date(form) else _number(codec, operand)
    others = ~np.array(codec.absent, bool) if op == "!=" else np.zeros(len(codec.forms), bool)
    return ValueSet(others, _spans(op, number))


def missing_of(codec: Known, negated: bool) -> ValueSet:
    """Missing values of the column, or all others."""
    absent = np.array(codec.absent, bool)
    return ValueSet(~absent, EVERYWHERE) if negated else ValueSet(absent, NOWHERE)


def comparable(left: Known, op: Op, right: Known) -> None:
    """SchemaError if the values of two columns have no such comparison."""
    kinds = [_kind(codec) for codec in (left, right)]
    if kinds[0] != kinds[1] or "made-up values" in kinds:
        raise SchemaError(
            f"columns of one kind are compared, but '{left.name}' holds {kinds[0]} and "
            f"'{right.name}' {kinds[1]}; compare others, or quote a value"
        )
    if kinds[0] == "categories" and op not in ("==", "!="):
        raise SchemaError(
            f"categories have no order, but '{left.name}' {op} '{right.name}' is asked for; use "
            "== or !="
        )


def read(codec: Codec, encoded: Encoded, draw: Draw) -> Cells:
    """What the column's blocks of encoded rows [n] decode to."""
    if getattr(codec, "form", None) is not None:
        return read_text(codec, codec.decode(encoded, draw, "text"))
    made_up = not isinstance(codec, CategoricalCodec)
    states = encoded.codes[:, 0] - made_up if codec.blocks else np.full(len(encoded), -1)
    return _of_states(codec, states)


def read_text(codec: Known, texts: pa.StringArray) -> Cells:
    """What the column's values [n], as written, are."""
    text = texts.dictionary_encode()
    column = Column(codec.name, text.indices.fill_null(-1).to_numpy(), text.dictionary)
    if isinstance(codec, CategoricalCodec):
        place = {level: i for i, level in enumerate(codec.levels)}
        states = np.array([*(place[level] for level in column.texts), -1])[column.codes]
        return _of_states(codec, states)
    form: Any = codec.form  # type: ignore[union-attr]
    values, states = form.parse(column)
    compared = values / (PER_SECOND[form.unit] if _is_date(form) else 1)
    # A code has no place among numbers.
    return Cells(values, states.astype(np.int32), compared, (states >= 0) | np.isnan(values))


def _of_states(codec: Known, found: NDArray[Any]) -> Cells:
    states: NDArray[np.int32] = found.astype(np.int32)
    absent = np.append(np.array(codec.absent, bool), False)[states]
    compared = np.array([*codec.forms, ""], object)[states]
    return Cells(np.zeros(len(states)), states, compared, absent)


def reach(codec: Known) -> str:
    """'; the model writes 17 to 90 there', as far as that can be said."""
    form: Any = getattr(codec, "form", None)
    if form is None:
        return f"; it writes {_some(codec.forms)} there" if codec.forms else ""
    described: Mapping[str, Any] = codec.describe()
    found = [described.get(key, []) for key in ("atoms", "quantiles", "spikes", "bounds")]
    values = np.array([number for numbers in found for number in numbers])
    codes = f", and {_some(codec.forms)}" if codec.forms else ""
    if not len(values):
        return codes
    ends = np.array([values.min(), values.max()])
    low, high = form.render(ends, np.full(2, -1, np.int32), "text").to_pylist()
    return f"; it writes {low} to {high} there{codes}"


def _kind(codec: Known) -> str:
    form: Any = getattr(codec, "form", None)
    if isinstance(codec, CategoricalCodec):
        return "categories"
    return "made-up values" if form is None else "dates" if _is_date(form) else "numbers"


def _is_date(form: Any) -> bool:
    return isinstance(form, DatetimeForm)


def _some(texts: tuple[str, ...]) -> str:
    named = ", ".join(f"'{text}'" for text in texts[:_MOST_NAMED])
    return named + (" and others" if len(texts) > _MOST_NAMED else "")


def _states(codec: Known, op: Op, state: int) -> ValueSet:
    """One state, or all but it and missing ones."""
    own = np.arange(len(codec.forms)) == state
    if op == "==":
        return ValueSet(own, NOWHERE)
    return ValueSet(~own & ~np.array(codec.absent, bool), EVERYWHERE)


def _level(codec: CategoricalCodec, op: Op, operand: Operand) -> int:
    """The category that a written value names: as it is written, or in other letters of true and
    false, or another form of the same number."""
    if op not in ("==", "!="):
        raise SchemaError(
            f"{op} compares numbers and dates, but column '{codec.name}' holds categories; use ==, "
            "!= or in"
        )
    if operand.text in codec.levels:
        return codec.levels.index(operand.text)
    lowered = [level.lower() for level in codec.levels]
    if operand.text.lower() in ("true", "false") and operand.text.lower() in lowered:
        return lowered.index(operand.text.lower())
    if operand.kind == "number":
        same = np.flatnonzero(numbers_of(pa.array(codec.levels)) == float(operand.text))
        if len(same):
            return int(same[0])
    close = [level for level in codec.levels if level.strip() == operand.text.strip()]
    known = f"did you mean '{close[0]}', with its spaces?" if close else ""
    raise SchemaError(
        f"a condition asks for values that the model knows, but column '{codec.name}' has no "
        f"'{operand.text}'; {known or hint(operand.text, codec.levels)}"
    )


def _number(codec: Known, operand: Operand) -> float:
    if operand.kind == "number":
        number = float(operand.text)
    else:
        number = float(numbers_of(pa.array([operand.text]))[0])
    if np.isfinite(number):
        return number
    codes = f"; its codes are {_some(codec.forms)}" if codec.forms else ""
    raise SchemaError(
        f"column '{codec.name}' holds numbers and is compared with one, but '{operand.text}' is "
        f"none{codes}; correct it"
    )


def _moment(name: str, form: DatetimeForm, operand: Operand) -> float:
    """Whole units since 1970, in the column's format or else in the first other that fits."""
    for format in () if operand.kind == "number" else (form.format, *FORMATS):
        moment = float(moments(pa.array([operand.text]), format, form.unit)[0])
        if np.isfinite(moment):
            return moment
    raise SchemaError(
        f"column '{name}' holds dates and is compared with a quoted one, but '{operand.text}' is "
        f"none; write it as the column does, {form.format}"
    )


def _spans(op: Op, number: float) -> Spans:
    below, above = np.nextafter(number, -np.inf), np.nextafter(number, np.inf)
    ends = {
        "==": [[number, number]],
        "!=": [[-np.inf, below], [above, np.inf]],
        "<": [[-np.inf, below]],
        "<=": [[-np.inf, number]],
        ">": [[above, np.inf]],
        ">=": [[number, np.inf]],
    }
    return np.array(ends[op])
