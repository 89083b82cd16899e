"""Missing cells of a table, filled by a fitted model. Observed cells stay as they were written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from synthvae.codecs.parts import Codec, Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.completion import CANDIDATES, Completion, Detail
from synthvae.errors import Problems, SchemaError, UsageError
from synthvae.filling import completed, seen_of
from synthvae.layout import Encoded, Kind, Layout
from synthvae.matching import Mask, Matched, match
from synthvae.model.compute import in_order, rows_at_once
from synthvae.model.vae import Vae
from synthvae.model.values import Held, Rows
from synthvae.seeds import derive, stream
from synthvae.storage import View, parse, type_of
from synthvae.table import Column, Table

_BLOCK = (1 << 22, 1024, 4096)  # values of the widest array; fewest and most candidates
_CHUNK = 8192  # rows of output, at most


@dataclass(frozen=True)
class Job:
    """A table to be filled: what is known of it, and the type of each column of the output."""

    table: Table
    matched: Matched
    schema: pa.Schema
    view: View
    seed: int


class Imputer:
    """`model` and `codec` of one artifact; `missing`: written forms of unknown cells, which are not
    drawn either (`never`, unless that says otherwise: [O] as `Heads.never` gives it)."""

    def __init__(
        self,
        model: Vae,
        codec: TableCodec,
        missing: frozenset[str],
        never: torch.Tensor | None = None,
    ) -> None:
        self.model, self.codec, self.missing = model, codec, missing
        self.broken = 0  # rows, so far, that no value was found for that keeps all constraints
        layout = codec.layout.part(given=False).layout
        modelled = [one for one in codec.codecs if one.name not in codec.given]
        self.details = [detail for one in modelled for detail in _details(one, layout)]
        absent = {_first_class(one, layout): found for one in modelled if (found := _absent(one))}
        self.never = model.heads.never(absent) if never is None else never

    def job(self, table: Table, seed: int, view: View) -> Job:
        """`table` held against the model. SchemaError with every reason why they don't fit."""
        matched = match(self.codec, table, seed, self.missing)
        problems = Problems()
        for name in self.codec.given:
            rows = int(matched.unknown[name].sum())
            if rows:
                problems.add(
                    f"column '{name}': a condition is given, not learnt, but {rows:,} rows miss "
                    "it; fill it first, or fit without it as a condition"
                )
        columns = [self._field(column, view, matched, problems) for column in table.columns]
        problems.raise_as(SchemaError)
        return Job(table, matched, pa.schema(columns), view, seed)

    def chunks(self, job: Job, draws: int = 1, threads: int | None = None) -> Iterator[pa.Table]:
        """The rows of the table in its order with its missing cells drawn from p(missing |
        observed), `draws` times one after the other. Columns that the model does not know stay as
        they are."""
        if draws < 1:
            raise UsageError(f"a cell is drawn once or more, but draws is {draws}; correct it")
        rows = len(job.table)
        holes = np.flatnonzero(np.any([*job.matched.holes.values()], axis=0))
        size = rows_at_once(self.model.heads.outputs, *_BLOCK) // CANDIDATES
        cuts = np.unique(np.concatenate([np.arange(0, rows, _CHUNK), holes[::size]]))
        ends = {int(a): int(b) for a, b in zip(cuts, [*cuts[1:], rows], strict=True)}

        def block(number: int) -> pa.Table:
            draw, start = divmod(number, rows)
            inside = holes[np.searchsorted(holes, start) : np.searchsorted(holes, ends[start])]
            return self._chunk(job, draw, start, ends[start], inside)

        numbers = (draw * rows + start for draw in range(draws) for start in ends)
        return map(self._counted, in_order(block, numbers, threads))

    @property
    def warning(self) -> str:
        """What there is to say about rows that break a constraint; "" if there are none."""
        if not self.broken:
            return ""
        rows = "1 row was" if self.broken == 1 else f"{self.broken:,} rows were"
        breaks = "breaks" if self.broken == 1 else "break"
        return (
            f"{rows} filled but {breaks} a constraint: with what is observed there, no value was "
            "found that keeps it"
        )

    def _counted(self, block: tuple[pa.Table, int]) -> pa.Table:
        self.broken += block[1]
        return block[0]

    def _chunk(
        self, job: Job, draw: int, start: int, stop: int, holes: np.ndarray[Any, Any]
    ) -> tuple[pa.Table, int]:
        """Rows of the output, and how many of them break a constraint."""
        filled, broken = None, 0
        if len(holes):
            seen = seen_of(job.matched.table.rows(holes), job.matched.holes, holes)

            def drawn(attempt: int) -> Encoded:
                return self._drawn(job, draw, start, holes, attempt)

            first = Draw(derive(job.seed, "impute", draw), start)
            filled, broken = completed(self.codec, drawn, first, seen, job.view)
        arrays = []
        for field, column in zip(job.schema, job.table.columns, strict=True):
            unknown = job.matched.holes.get(column.name, np.zeros(len(job.table), bool))
            own = unknown[start:stop]
            values = _observed(column.rows(slice(start, stop)), own, field.type)
            if filled is not None and own.any():
                cells = filled[column.name].combine_chunks().cast(field.type, safe=False)
                cells = cells.filter(pa.array(unknown[holes]))
                values = pc.replace_with_mask(values, pa.array(own), cells)
            arrays.append(values)
        return pa.table(arrays, schema=job.schema), broken

    def _drawn(
        self, job: Job, draw: int, start: int, holes: np.ndarray[Any, Any], attempt: int
    ) -> Encoded:
        """Whole rows in place of the rows `holes`, of one of several attempts."""
        rows = Rows.of(job.matched.encoded.rows(holes))
        modelled = rows.part(self.model.modelled)
        known = [
            torch.from_numpy(~job.matched.unknown[block.column][holes])
            for kind in ("categorical", "scalar")
            for block in self.model.modelled.layout.of_kind(kind)
        ]
        everything = torch.stack(known, dim=1) if known else torch.ones(len(holes), 0).bool()
        codes, scalars = everything.tensor_split([modelled.codes.shape[1]], dim=1)
        held = Held(modelled, codes, scalars, self.never)
        again = ("again", attempt) if attempt else ()
        rng = stream(job.seed, "impute", draw, *again, start)
        return Completion(self.model, rows, held, self.details, rng).run().encoded()

    def _field(
        self, column: Column, view: View, matched: Matched, problems: Problems
    ) -> tuple[str, pa.DataType]:
        """Text as it was written, or a type that holds what is observed and what is drawn."""
        name, unknown = column.name, matched.holes.get(column.name)
        own = type_of(column.storage)
        if view == "text" or (unknown is None and column.storage == "text"):
            return name, pa.string()
        if unknown is None or (column.storage != "text" and not unknown.any()):
            return name, own
        learnt = self.codec.arrow_schema("typed").field(name).type
        learnt = learnt.value_type if pa.types.is_dictionary(learnt) else learnt
        if column.storage == "text":
            return name, learnt if _holds(learnt, column.rows(~unknown).compact()) else own
        joint = _joint(own, learnt)
        if joint is None:
            problems.add(
                f"column '{name}': cells are filled with what the model learnt, which is {learnt}, "
                f"but the column holds {own}; convert it, or fill the table as text"
            )
        return name, joint or own


def _holds(kind: pa.DataType, column: Column) -> bool:
    try:
        _parsed(column.levels, kind)
    except (pa.ArrowException, ValueError):
        return False
    return True


def _joint(own: pa.DataType, learnt: pa.DataType) -> pa.DataType | None:
    """A type for values of both; None if there is none."""
    types = pa.types
    if own == learnt or types.is_string(own):
        return own
    if types.is_integer(own) and types.is_integer(learnt):
        return pa.int64()
    numbers = [
        types.is_integer(k) or types.is_floating(k) or types.is_decimal(k) for k in (own, learnt)
    ]
    if all(numbers):
        return own if types.is_floating(own) else pa.float64()
    return own if all(types.is_temporal(kind) for kind in (own, learnt)) else None


def _details(codec: Codec, layout: Layout) -> list[Detail]:
    """The block that tells values of a class apart, if the column has one."""
    detailed_from = getattr(codec, "detailed_from", None)
    if len(codec.blocks) < 2 or detailed_from is None:
        return []
    kind: Kind = codec.blocks[1].kind
    at = layout.of_kind(kind).index(codec.blocks[1])
    return [Detail(_first_class(codec, layout), detailed_from, kind, at)]


def _first_class(codec: Codec, layout: Layout) -> int:
    """Where the column's class block stands."""
    return layout.of_kind("categorical").index(codec.blocks[0])


def _absent(codec: Codec) -> list[int]:
    """The classes of the column that mean 'no value': those that are null when they are typed."""
    blocks = codec.blocks
    if not blocks or blocks[0].kind != "categorical":
        return []
    size = blocks[0].size
    classes = sum(block.kind == "categorical" for block in blocks)
    codes = np.zeros((size, classes), np.int32)
    codes[:, 0] = np.arange(size)
    each = Encoded(codes, np.zeros((size, len(blocks) - classes), np.float32))
    null = codec.decode(each, Draw(0, 0), "typed").is_null()
    return [int(i) for i in np.flatnonzero(null.to_numpy(zero_copy_only=False))]


def _observed(column: Column, unknown: Mask, kind: pa.DataType) -> pa.Array:
    """The values of `column` [n] in type `kind`, null where they are unknown."""
    codes = np.where(unknown, -1, column.codes).astype(np.int32)
    known = Column(column.name, codes, column.levels, column.storage).compact()
    index = pa.array(known.codes, mask=known.codes < 0)
    return _parsed(known.levels, kind).take(index)


def _parsed(levels: pa.StringArray, kind: pa.DataType) -> pa.Array:
    return parse(pc.utf8_lower(levels) if pa.types.is_boolean(kind) else levels, kind)
