"""Every drawn chunk is held to the schema that the model promises, before any of it is written.

Checked in full: order, names and types of columns, nulls, categories, ends of numbers (and of
moments that sort as text), and that no identifier comes twice in a chunk. Checked on the first rows
of every sixteenth chunk, since all are written by one rule: the written form of moments and
identifiers. That identifiers of different chunks differ follows from how they are made; `verify`
looks at all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.errors import GuaranteeError
from synthvae.fields import Field
from synthvae.storage import View, ends, is_whole, parse
from synthvae.written import moments, write_moments

FIRST_ROWS = 32
EVERY = 16
_SORT_AS_NUMBERS = ("%Y", "%Y%m", "%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S")
_SORTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d", "%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class Rule:
    """What `words` say of a column; `broken` [n] -> the fact that breaks it, None where all is
    well. `every`: of so many chunks one is looked at."""

    column: str
    words: str
    broken: Callable[[pa.Array], str | None]
    every: int = 1


class Guarantee:
    """What `fields` promise of rows in `view`. `loose`: columns whose values the user gave, of
    which only types and nulls are promised."""

    def __init__(self, fields: Sequence[Field], view: View, loose: Collection[str] = ()) -> None:
        self.types = [(f.name, f.type if view == "typed" else f.text) for f in fields]
        self.rules = [rule for f in fields for rule in _rules(f, view, f.name in loose)]

    def held(self, chunks: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """`chunks`, each checked before it is passed on. GuaranteeError names column and rule."""
        row = 0
        for number, chunk in enumerate(chunks):
            self.check(chunk, row, number)
            row += len(chunk)
            yield chunk

    def check(self, chunk: pa.Table, row: int = 0, number: int = 0) -> None:
        """GuaranteeError if chunk `number`, whose first row is number `row`, breaks a rule."""
        found = [(field.name, field.type) for field in chunk.schema]
        if found != self.types:
            wrong = next((f for f, e in zip(found, self.types, strict=False) if f != e), found)
            raise _fault(f"columns are those of the schema, in order and type, but {wrong} came")
        if not len(chunk):
            return
        columns = {name: _whole(chunk.column(i)) for i, (name, _) in enumerate(self.types)}
        for rule in self.rules:
            if number % rule.every:
                continue
            if fact := rule.broken(columns[rule.column]):
                where = f"rows {row + 1:,} to {row + len(chunk):,}"
                raise _fault(f"column '{rule.column}': {rule.words}, but {fact} in {where}")


def _fault(fact: str) -> GuaranteeError:
    return GuaranteeError(
        f"{fact}; this is a fault of synthvae, not of your data: nothing was written, please "
        "report it"
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _rules(field: Field, view: View, loose: bool) -> Iterator[Rule]:
    name = field.name
    if not field.nullable and view == "typed":
        yield Rule(name, "it has no missing values", _nulls)
    if loose:
        return
    if field.categories is not None:
        yield Rule(name, f"it has {len(field.categories):,} categories", _categories(field, view))
    elif field.low is not None:
        yield from _ranges(field, view)
    if field.unique:
        yield Rule(name, "no value comes twice", _twice(field))
    if field.pattern and not field.is_number and (view == "text" or pa.types.is_string(field.type)):
        yield Rule(name, "values are written in its form", _form(field), EVERY)


def _nulls(values: pa.Array) -> str | None:
    return f"{values.null_count:,} are missing" if values.null_count else None


def _categories(field: Field, view: View) -> Callable[[pa.Array], str | None]:
    if view == "text":
        known = pa.array([*(field.categories or ()), *field.missing], pa.string())
    else:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        known = pa.array(list(field.values or ()), kind)
    seen: list[pa.Array] = []  # dictionaries that hold known values alone

    def broken(values: pa.Array) -> str | None:
        if not pa.types.is_dictionary(values.type):
            return _strange(values, known)
        if not any(values.dictionary.equals(one) for one in seen):
            if strange := _strange(values.dictionary, known):
                return strange
            seen.append(values.dictionary)
        return None

    return broken


def _strange(values: pa.Array, known: pa.Array) -> str | None:
    fits = pc.or_(pc.is_in(values, value_set=known), pc.is_null(values))
    if pc.all(fits).as_py() is not False:
        return None
    return f"{values.filter(pc.invert(fits))[0].as_py()!r} came"


def _ranges(field: Field, view: View) -> Iterator[Rule]:
    assert field.low is not None
    assert field.high is not None
    typed = view == "typed" and not pa.types.is_string(field.type)
    apart = pa.array([*field.missing, *field.codes], pa.string())
    if field.format:
        yield from _moments(field, apart, typed)
        return
    low, high = field.low, field.high
    if typed:
        low, high = _ends(field.type, low), _ends(field.type, high)

    # Whole numbers are parsed in half the time, and no other stands in such a column.
    parsed = field.type if pa.types.is_integer(field.type) else pa.float64()
    words = pa.array(field.codes, pa.string()).cast(field.type) if typed else apart

    def broken(values: pa.Array) -> str | None:
        if len(words):
            values = values.filter(pc.invert(pc.is_in(values, value_set=words)))
        numbers = values if typed else _numbers(values, parsed)
        if numbers is None:
            return "text that is no number came"
        if pa.types.is_float16(numbers.type):  # Arrow compares none of these
            numbers = numbers.cast(pa.float32())
        found = pc.min_max(numbers).as_py()
        if found["min"] is None or (low <= found["min"] and found["max"] <= high):
            return None
        return f"{found['min'] if found['min'] < low else found['max']} came"

    yield Rule(field.name, f"values lie from {field.low:g} to {field.high:g}", broken)


def _ends(kind: pa.DataType, value: float) -> Any:
    """An end as the type of the column has it."""
    if is_whole(kind):
        low, high = ends(kind)
        return min(max(int(value), low), high)
    return pa.scalar(value).cast(kind, safe=False).as_py()


def _numbers(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Texts [n] as numbers; None if one is none."""
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        return None


def _moments(field: Field, apart: pa.Array, typed: bool) -> Iterator[Rule]:
    both = np.array([field.low, field.high])
    numbers = typed and not pa.types.is_temporal(field.type)  # 20151125
    sorts = field.padded and field.format in _SORTS
    if numbers:
        low, high = parse(write_moments(both, field.format, field.unit), field.type)
        sorts = field.format in _SORT_AS_NUMBERS
    elif typed:
        stamps = pa.array(both.astype(np.int64)).cast(pa.timestamp(field.unit))
        zone = getattr(field.type, "tz", None)
        stamps = stamps.cast(pa.timestamp(field.unit, zone)) if zone else stamps
        low, high = stamps.cast(field.type, safe=False)
    else:
        low, high = write_moments(both, field.format, field.unit, field.padded)
    words = f"moments lie from {low} to {high}"

    def outside(values: pa.Array) -> str | None:
        if not typed:
            values = values.filter(pc.invert(pc.is_in(values, value_set=apart)))
        found = pc.min_max(values)
        if not found["min"].is_valid:
            return None
        before = pc.less(found["min"], low).as_py()
        if not before and not pc.greater(found["max"], high).as_py():
            return None
        return f"{found['min' if before else 'max']} came"

    def unfit(values: pa.Array) -> str | None:
        texts = values.slice(0, FIRST_ROWS)
        texts = texts.filter(pc.invert(pc.is_in(texts, value_set=apart))).drop_null()
        ticks = moments(texts, field.format, field.unit)
        wrong = ~((ticks >= both[0]) & (ticks <= both[1]))
        return f"'{texts[int(np.argmax(wrong))]}' came" if wrong.any() else None

    if sorts or (typed and not numbers):
        yield Rule(field.name, words, outside)
    if not typed:
        yield Rule(field.name, f"{words} and are written '{field.format}'", unfit, EVERY)


def _twice(field: Field) -> Callable[[pa.Array], str | None]:
    apart = pa.array(field.missing, pa.string())

    def broken(values: pa.Array) -> str | None:
        if len(apart) and pa.types.is_string(values.type):
            values = values.filter(pc.invert(pc.is_in(values, value_set=apart)))
        values = values.drop_null()
        again = len(values) - len(pc.unique(values))
        return f"{again:,} came again" if again else None

    return broken


def _form(field: Field) -> Callable[[pa.Array], str | None]:
    apart = pa.array([*field.missing, *field.codes], pa.string())
    pattern = f"^({field.pattern})$"

    def broken(values: pa.Array) -> str | None:
        texts = values.slice(0, FIRST_ROWS)
        texts = texts.filter(pc.invert(pc.is_in(texts, value_set=apart))).drop_null()
        fits = pc.match_substring_regex(texts, pattern)
        if pc.all(fits).as_py() is not False:
            return None
        return f"'{texts.filter(pc.invert(fits))[0]}' came"

    return broken
