"""A fitted model to rows, in a stream: memory does not grow with the number of rows.

Rows are computed in blocks of a fixed size, one core a block, each with random streams of its own:
row i is the same whatever the number of rows asked for, of threads, or of rows a chunk. (Matrix
products round differently at different shapes, so a block is always computed whole.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.conditions import Conditions
from synthvae.distinct import Known, distinct, numbered
from synthvae.errors import Problems, SchemaError, UsageError, hint
from synthvae.layout import Encoded
from synthvae.model.compute import in_order, rows_at_once
from synthvae.model.vae import Vae
from synthvae.model.values import Noise, Rows
from synthvae.obeying import Obeyed, Tries, obeyed
from synthvae.seeds import stream
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import numbers_of

_BLOCK_VALUES = 1 << 22
_BLOCK_ROWS = (256, 8192)


@dataclass(frozen=True)
class Fixed:
    """Values that the user gives: their text by column, and their codes by block of the given."""

    texts: Mapping[str, str]
    codes: Mapping[int, int]


class Sampler:
    """`model` and `codec` of one artifact, ready to draw rows."""

    def __init__(
        self,
        model: Vae,
        codec: TableCodec,
        conditions: Conditions,
        noise: Callable[..., Noise] = Noise.evenly,
    ) -> None:
        self.model, self.codec, self.conditions, self.noise = model, codec, conditions, noise
        self.tries = Tries()

    def candidates(self) -> Sampler:
        """The same, but of independent rows: some may be taken in order, and others left."""
        other = Sampler(self.model, self.codec, self.conditions, Noise.draw)
        other.tries = self.tries
        return other

    @property
    def block_rows(self) -> int:
        """Rows a block: as many as keep the widest array at some 16 MB, a power of two."""
        return rows_at_once(self.model.heads.outputs, _BLOCK_VALUES, *_BLOCK_ROWS)

    def chunks(
        self,
        rows: int,
        seed: int,
        view: View,
        given: Mapping[str, str] | None = None,
        threads: int | None = None,
        first: int = 0,
    ) -> Iterator[pa.Table]:
        """Arrow tables of `block_rows` rows (the last may be shorter), `rows` in all, less those
        before row `first`.

        `given`: a value for some of the model's conditions. UsageError if it has no such
        condition or never saw such a category.
        """
        if rows < 0:
            raise UsageError(f"a number of rows is 0 or more, but it is {rows}; correct it")
        return self._stream(rows, seed, view, self.fixed(given or {}), threads, first)

    def _stream(
        self, rows: int, seed: int, view: View, fixed: Fixed, threads: int | None, first: int
    ) -> Iterator[pa.Table]:
        def block(start: int) -> Obeyed:
            return obeyed(self, start, seed, view, fixed)

        unique, size = self.codec.bindings.unique, self.block_rows
        start = 0 if unique else first - first % size
        starts: Iterable[int] = count(0, size) if rows and unique else range(start, rows, size)
        drawn = map(self.tries.counted, in_order(block, starts, threads))
        if unique:
            some = distinct(drawn, Known(self.codec.bindings), rows)
            return after(numbered(some, self.codec, seed, view), first)
        whole = (one.table.slice(0, rows - at) for at, one in zip(starts, drawn, strict=True))
        return after(whole, first - start)

    @torch.no_grad()
    def draw(self, start: int, seed: int, fixed: Fixed) -> Encoded:
        """The block of rows that begins with row `start`, a multiple of `block_rows`."""
        size = self.block_rows
        rng = stream(seed, "rows", start)
        noise = self.model.noise(rng, size, self.noise)
        codes = self.conditions.draw(rng, size, fixed.codes)
        given = Rows.of(Encoded(codes, np.empty((size, 0), np.float32)))
        return self.model.sample(given, noise).encoded()

    def table(self, encoded: Encoded, start: int, seed: int, view: View, fixed: Fixed) -> pa.Table:
        """What `draw` gave, as values."""
        return self.shown(self.codec.decode(encoded, Draw(seed, start), view), fixed, view)

    def shown(self, table: pa.Table, fixed: Fixed, view: View) -> pa.Table:
        """`table`, with the values that the user gave as they were given."""
        for name, text in fixed.texts.items():
            where = table.column_names.index(name)
            same = self._same(name, text, len(table), view)
            table = table.set_column(where, table.schema.field(where), same)
        return table

    def _same(self, name: str, text: str, rows: int, view: View) -> pa.Array:
        """The given value as it was given, not as its cell would be decoded."""
        codec: Any = self.codec[name]
        column = Column(name, np.zeros(rows, np.int32), pa.array([text]))
        form = getattr(codec, "form", None)
        if form is not None:
            return form.render(*form.parse(column), view)
        return codec.decode(codec.encode(column, np.random.default_rng(0)), Draw(0, 0), view)

    def fixed(self, given: Mapping[str, str]) -> Fixed:
        """Given values, checked. UsageError with every reason why they are none."""
        problems = Problems()
        codes: dict[int, int] = {}
        conditions = list(dict.fromkeys(b.column for b in self.model.given.layout.blocks))
        for name, text in given.items():
            if name not in conditions:
                known = hint(name, conditions) if conditions else "fit with --condition-on"
                problems.add(
                    f"a given column is a condition of the model, but '{name}' is none; {known}"
                )
                continue
            try:
                codes |= self._codes_of(name, text)
            except SchemaError as error:
                problems.reasons.extend(error.reasons)
        problems.raise_as(UsageError)
        return Fixed(given, codes)

    def _codes_of(self, name: str, text: str) -> dict[int, int]:
        column = Column(name, np.zeros(1, np.int32), pa.array([text]))
        if np.isinf(numbers_of(column.levels)).any():
            raise SchemaError(
                f"column '{name}': numbers are finite, but '{text}' is given; correct it"
            )
        codec = self.codec[name]
        if isinstance(codec, CategoricalCodec) and text not in codec.levels:
            raise SchemaError(
                f"a given value is one that the training table holds, but column '{name}' has no "
                f"'{text}'; {hint(text, codec.levels)}"
            )
        encoded = codec.encode(column, np.random.default_rng(0))
        blocks = self.model.given.layout.blocks
        positions = [i for i, block in enumerate(blocks) if block.column == name]
        return dict(zip(positions, encoded.codes[0].tolist(), strict=True))


def after(chunks: Iterator[pa.Table], first: int) -> Iterator[pa.Table]:
    """`chunks` without the `first` rows."""
    for chunk in chunks:
        if first < len(chunk):
            yield chunk.slice(first)
        first = max(first - len(chunk), 0)
