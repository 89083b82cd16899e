"""A table met by a model that is fitted already: its rows in the model's encoded form, or every
reason why they have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.datetimes import DatetimeForm
from synthvae.codecs.parts import Codec, Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.errors import Problems, SchemaError, hint
from synthvae.layout import Encoded
from synthvae.marginals.axes import CategoryAxis
from synthvae.seeds import stream
from synthvae.storage import type_of
from synthvae.table import Column, Table
from synthvae.written import numbers_of, write_moments

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Matched:
    """Rows [N] in encoded form; blocks of `unknown` cells (of each learnt column [N]) are not
    present. `holes`: the unknown cells of each column of the `table`, as far as the model knows it,
    in the forms that it learnt."""

    encoded: Encoded
    unknown: dict[str, Mask]
    holes: dict[str, Mask]
    table: Table


def match(
    codec: TableCodec, table: Table, seed: int, missing: frozenset[str] | None = None
) -> Matched:
    """`table` as `codec` sees it; columns that the codec does not know are left out. Numbers beyond
    the ends of a column count as its ends.

    `missing`: written forms whose cells are unknown; None: missing is a state like any other.
    Raises SchemaError with every reason at once: missing columns, categories and codes that the
    model never saw, values that are not of the column's form. Of a private model such cells are
    `unknown`, since noise hides what few rows have.
    """

    names = _names(codec)
    holes = {
        column.name: np.zeros(len(table), bool) if missing is None else is_missing(column, missing)
        for column in table.columns
        if column.name in names
    }
    masks = codec.bindings.unknown(holes)
    return _matched(codec, table, seed, lambda column, _: masks[column.name], holes)


def match_known(codec: TableCodec, table: Table, seed: int) -> Matched:
    """The same, but cells that the model can't read, such as categories that it never saw, are
    `unknown` rather than refused. Raises SchemaError for missing columns."""
    return _matched(codec, table, seed, _unreadable, {})


def _names(codec: TableCodec) -> tuple[str, ...]:
    """The columns of the table that the model learnt."""
    return tuple(codec.arrow_schema("text").names)


def _matched(
    codec: TableCodec,
    table: Table,
    seed: int,
    unknown: Callable[[Column, Codec], Mask],
    holes: dict[str, Mask],
) -> Matched:
    names = _names(codec)
    if names and not set(names) & set(table.names):
        raise SchemaError(
            f"a table has the columns that the model learnt, {', '.join(names)}, but it has none "
            f"of them, only {', '.join(table.names)}; pass the table that belongs to the model"
        )
    problems = Problems()
    parts: list[Encoded] = []
    masks: dict[str, Mask] = {}
    for name in names:
        if name not in table.names:
            problems.add(
                f"a table has the columns that the model learnt, but it has no column "
                f"'{name}'; {hint(name, table.names)}"
            )
    forms = {one.name: one for one in codec.codecs} | dict(codec.bindings.forms)
    ours = [in_its_form(c, forms[c.name]) for c in table.columns if c.name in names]
    known = Table(tuple(ours))
    learnt = codec.bindings.forward(known)
    for one in codec.codecs:
        if one.name not in learnt.names:
            continue
        column = learnt[one.name]
        masks[one.name] = unknown(column, one)
        if codec.nulls is not None and isinstance(one, CategoricalCodec):
            column = CategoryAxis(one.name, one.levels, codec.nulls).snapped(column)
        if _comes_again(codec, one):
            masks[one.name] = masks[one.name] | _unreadable(column, one)
        try:
            parts.append(_encode(one, column, masks[one.name], stream(seed, "encode", one.name)))
        except SchemaError as error:
            problems.reasons.extend(error.reasons)
    problems.raise_as(SchemaError)
    return Matched(Encoded.side_by_side(parts, len(table)), masks, holes, known)


def _comes_again(codec: TableCodec, one: Codec) -> bool:
    """Whether a column may well hold what the model never saw: what too few rows had to be learnt,
    or to stand out from the noise."""
    withheld = codec.withheld.get(one.name, {})
    rare = withheld if isinstance(one, CategoricalCodec) else withheld.get("codes")
    return codec.nulls is not None or bool(rare)


def _unreadable(column: Column, codec: Codec) -> Mask:
    """Which rows [N] hold what `codec.encode` would refuse."""
    form: Any = getattr(codec, "form", None)
    if isinstance(codec, CategoricalCodec):
        known = set(codec.levels)
        strange = np.array([text not in known for text in [*column.texts, ""]])
    elif form is not None:
        places = np.append(np.arange(len(column.levels)), -1).astype(np.int32)
        values, special = form.parse(Column(column.name, places, column.levels, column.storage))
        strange = ~np.isfinite(values) & (special < 0)
    else:
        strange = np.zeros(len(column.levels) + 1, bool)
    mask: Mask = strange[column.codes]
    return mask


def is_missing(column: Column, missing: frozenset[str]) -> Mask:
    """Which rows [N] are null or, in text, written as one of `missing`."""
    written = column.storage == "text"
    levels = np.array([*(written and text in missing for text in column.texts), True])
    mask: Mask = levels[column.codes]
    return mask


def _encode(codec: Codec, column: Column, unknown: Mask, rng: np.random.Generator) -> Encoded:
    if unknown.any():
        # A value of the model's own stands in, so that rows keep their numbers in messages.
        blocks = codec.blocks
        classes = sum(block.kind == "categorical" for block in blocks)
        own = Encoded(
            np.zeros((1, classes), np.int32), np.zeros((1, len(blocks) - classes), np.float32)
        )
        text = codec.decode(own, Draw(0, 0), "text").cast(pa.string())
        codes = np.where(unknown, len(column.levels), column.codes).astype(np.int32)
        levels = pa.concat_arrays([column.levels, text])
        column = Column(column.name, codes, levels, column.storage).compact()
    if hasattr(codec, "form"):
        _refuse_infinite(column)
    encoded = codec.encode(column, rng)
    encoded.codes[unknown] = -1
    encoded.scalars[unknown] = np.nan
    return encoded


def _refuse_infinite(column: Column) -> None:
    infinite = np.flatnonzero(np.isinf(numbers_of(column.levels)) & (column.counts > 0))
    if len(infinite):
        first = int(infinite[0])
        raise SchemaError(
            f"column '{column.name}': numbers are finite, but {column.counts[infinite].sum():,} "
            f"are not, first '{column.texts[first]}' in row {column.first_row(first):,}; "
            "correct them"
        )


def in_its_form(column: Column, codec: Any) -> Column:
    """Values of a typed column as the training table wrote them, by its codec or form: Arrow's
    texts of moments and booleans are not those of a CSV file."""
    form: Any = getattr(codec, "form", codec)
    kind = type_of(column.storage)
    if isinstance(form, DatetimeForm) and (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        exact = column.levels.cast(pa.timestamp("us"))
        ticks = exact.cast(pa.timestamp(form.unit), safe=False).cast(pa.int64())
        values = ticks.to_numpy(zero_copy_only=False).astype(np.float64)
        levels = write_moments(values, form.format, form.unit, form.padded)
        return Column(column.name, column.codes, levels, column.storage)
    if isinstance(codec, CategoricalCodec) and pa.types.is_boolean(kind):
        spelled = {text.lower(): text for text in codec.levels}
        lowered = pc.utf8_lower(column.levels).to_pylist()
        levels = pa.array([spelled.get(text, text) for text in lowered], pa.string())
        return Column(column.name, column.codes, levels, column.storage)
    return column
