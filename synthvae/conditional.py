"""New rows that meet a condition: drawn within it where the model can be told, and thrown away
where they don't meet it once decoded.

What single blocks may hold becomes limits (`model.limits`), under a plan (`steering`). A condition
that couples columns, or splits a cell of numbers, is left to rejection. Every row that is given out
was decoded and looked at, so no value is ever put in.

Candidates come from a stream of their own, in chunks of a fixed size, and those that are accepted
keep their order, less those that break a rule of uniqueness with one before them: row i is the same
whatever the number of rows, of threads, or of rows a chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
import pyarrow as pa
import torch

from synthvae.acceptance import PATIENCE, Measured, Patience, Tally
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.constraints.reading import Mask
from synthvae.distinct import Known, distinct
from synthvae.errors import Problems, UsageError
from synthvae.interventions import Intervention, interventions
from synthvae.layout import Encoded
from synthvae.model.compute import in_order, side_by_side
from synthvae.model.limits import Bounds, Guidance, Limits, ScalarLimit, Survivors
from synthvae.model.values import Rows
from synthvae.obeying import NUMBERED, Obeyed
from synthvae.sampling import Sampler
from synthvae.seeds import stream
from synthvae.steering import Plan, levels, planned
from synthvae.storage import View
from synthvae.where.binding import Condition
from synthvae.where.restriction import Restriction

_ACCEPTED = 1024  # rows a block is to bring
_MOST_CHUNKS = 16


@dataclass(frozen=True)
class Kind:
    """What rows are to be like: a `condition` they meet, values of conditions that are `given`, and
    columns that are set (`interventions`)."""

    condition: Condition | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    interventions: tuple[Intervention, ...] = ()

    @staticmethod
    def of(
        sampler: Sampler, where: str | None, given: Mapping[str, str], values: Mapping[str, str]
    ) -> Kind:
        """UsageError for a condition that can't be read or that no row meets, for values that the
        model does not write, and for columns that are asked for twice."""
        condition = None if where is None else Condition.of(where, sampler.codec)
        problems = Problems()
        asked = set(condition.columns) if condition else set()
        for name in sorted((asked & {*given, *values}) | ({*given} & {*values})):
            problems.add(
                f"a column is asked for once, but '{name}' is given, set or part of the condition "
                "as well; leave one out"
            )
        problems.raise_as(UsageError)
        return Kind(condition, given, interventions(sampler, values))


class Conditional:
    """`sampler` asked for rows of one kind."""

    def __init__(self, sampler: Sampler, request: Kind, tally: Tally | None = None) -> None:
        self.sampler, self.condition = sampler, request.condition
        self.fixed = sampler.fixed(request.given)
        texts = {one.column: one.text for one in request.interventions}
        self.shown = replace(self.fixed, texts={**self.fixed.texts, **texts})
        restriction = request.condition.restriction if request.condition else Restriction()
        model = sampler.model
        own = restriction.part(model.given.codes, model.given.scalars)
        self.conditions = sampler.conditions.within(own.classes)
        modelled = restriction.part(model.modelled.codes, model.modelled.scalars)
        self.limits = _limits(sampler, modelled, request.interventions)
        self.tally = Tally() if tally is None else tally
        self.tally.declare = _lost_at(sampler.codec, restriction)

    def plan(self, seed: int, limit: Patience | None = None) -> Plan:
        """How candidates are drawn under `seed`. UsageError if `limit` goes by meanwhile."""

        def given(rng: np.random.Generator, rows: int) -> Rows:
            if limit is not None:  # asked for once a trial
                limit.check_plan()
            return self._given(rng, rows)

        with side_by_side(1):
            return planned(self.sampler.model, self.limits, given, seed)

    def chunks(
        self,
        rows: int,
        seed: int,
        view: View,
        threads: int | None = None,
        patience: float = PATIENCE,
    ) -> Iterator[pa.Table]:
        """Arrow tables with `rows` rows in all. UsageError as soon as it is foreseen that they take
        more than `patience` seconds. `tally` counts meanwhile."""
        if rows < 0:
            raise UsageError(f"a number of rows is 0 or more, but it is {rows}; correct it")
        if not rows:
            return
        limit = Patience.of(patience, self.tally.advice)
        plan = self.plan(seed, limit)
        limit.check_plan()
        size = self._size(plan)
        found = in_order(self._work(plan, seed, view, size), count(0, size), threads)
        known, done = Known(self.sampler.codec.bindings), 0
        with closing(found):
            for block in distinct(self._met(found, known, rows, limit), known, rows):
                if len(block.table):
                    yield self._whole(block, Draw(seed, done), view)
                    done += len(block.table)

    def _met(
        self, found: Iterable[tuple[Obeyed, Tally]], known: Known, rows: int, limit: Patience
    ) -> Iterator[Obeyed]:
        """What was found, tallied, until patience with what is not yet `known` ends."""
        met = "met it and were like none before" if known.seen else "met it"
        for block, tally in found:
            self.tally.add(tally)
            yield block
            limit.check(known.taken, rows, self.tally.candidates, met)

    def _size(self, plan: Plan) -> int:
        """Candidates of a block."""
        chunk = self.sampler.block_rows
        wanted = _ACCEPTED / max(plan.accepted, 1e-9) / chunk
        return chunk * int(min(max(wanted, 1), _MOST_CHUNKS))

    def _work(
        self, plan: Plan, seed: int, view: View, size: int
    ) -> Callable[[int], tuple[Obeyed, Tally]]:
        chunk = self.sampler.block_rows

        def work(start: int) -> tuple[Obeyed, Tally]:
            parts, tally = [], Tally(size)
            for at in range(start, start + size, chunk):
                drawn = self._candidates(at, seed, plan, tally)
                parts.append(drawn.rows)
            encoded, draw = Rows.joined(parts).encoded(), Draw(seed, start)
            table = self._learnt(encoded, draw, view)
            met = self._kept(encoded, table, draw, view)
            if self.condition is not None:
                met &= self.condition.meets(encoded, draw)
            tally.accepted = int(met.sum())
            return Obeyed(encoded.rows(met), table.filter(pa.array(met))), tally

        return work

    @torch.no_grad()
    def _candidates(self, start: int, seed: int, plan: Plan, tally: Tally) -> Survivors:
        """Of the chunk of candidates that begins with number `start`, those that pass all gates."""
        size, model = self.sampler.block_rows, self.sampler.model
        rng = stream(seed, "where", start)
        noise, given = model.noise(rng, size), self._given(rng, size)
        gate = Measured(Bounds(plan.bounds), tally)
        task = Guidance(model.heads, plan.limits, gate, levels(rng, size, len(plan.bounds)))
        return model.within(given, noise, task)

    def _given(self, rng: np.random.Generator, rows: int) -> Rows:
        codes = self.conditions.draw(rng, rows, self.fixed.codes)
        return Rows.of(Encoded(codes, np.empty((rows, 0), np.float32)))

    def _learnt(self, encoded: Encoded, draw: Draw, view: View) -> pa.Table:
        """All columns but those that are made up by the number of the row, as values."""
        codec = self.sampler.codec
        own = [one for one in codec.codecs if one.kind not in NUMBERED]
        table = pa.table(codec.arrays(encoded, draw, view, own))
        return self.sampler.shown(table, self.shown, view)

    def _kept(self, encoded: Encoded, table: pa.Table, draw: Draw, view: View) -> Mask:
        """Which rows [n] keep the constraints that the model was fitted with."""
        codec = self.sampler.codec
        if not codec.bindings.checked:
            return np.ones(len(table), bool)
        if codec.bindings.predicates:  # they may look at every column
            table = codec.decode(encoded, draw, "text")
        elif view != "text":
            table = self._learnt(encoded, draw, "text")
        return codec.bindings.kept(table)

    def _whole(self, block: Obeyed, draw: Draw, view: View) -> pa.Table:
        """The rows of `block`, and what is made up by their numbers, so that none comes twice."""
        codec = self.sampler.codec
        schema = codec.arrow_schema(view)
        made_up = {
            one.name: one.decode(codec.layout.of_column(one.name).take(block.encoded), draw, view)
            for one in codec.codecs
            if one.kind in NUMBERED
        }
        arrays = [made_up[n] if n in made_up else block.table[n] for n in schema.names]
        return pa.table(arrays, schema=schema)


def _lost_at(codec: TableCodec, restriction: Restriction) -> tuple[str, ...]:
    """The columns of categories that are written, and of which some are wanted."""
    return tuple(
        one.name
        for one in codec.codecs
        if isinstance(one, CategoricalCodec)
        and one.name not in codec.given
        and not restriction.classes.keys().isdisjoint(codec.layout.of_column(one.name).codes)
    )


def _limits(
    sampler: Sampler, restriction: Restriction, interventions: tuple[Intervention, ...]
) -> Limits:
    """Of the modelled blocks."""
    layout, heads = sampler.model.modelled.layout, sampler.model.heads
    classes = {at: np.flatnonzero(~mask).tolist() for at, mask in restriction.classes.items()}
    scalars = {}
    for at, spans in restriction.spans.items():
        column = layout.of_kind("scalar")[at].column
        own = [i for i, b in enumerate(layout.of_kind("categorical")) if b.column == column]
        scalars[at] = ScalarLimit(own[0] if own else None, torch.from_numpy(spans))
    codes = {at: code for one in interventions for at, code in one.codes.items()}
    values = {at: value for one in interventions for at, value in one.scalars.items()}
    return Limits(heads.never(classes), frozenset(classes), scalars, None, codes, values)
