"""Rows that keep their constraints: what breaks one is drawn again, in its own block.

A block stays a function of the seed and of where it begins, so rows do not depend on how many are
asked for, by whom, or in what order. What is made up (keys, names) belongs to a row's place, and
stays where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthvae.codecs.bindings import Bindings
from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.constraints.reading import Mask
from synthvae.errors import UsageError
from synthvae.layout import Encoded
from synthvae.seeds import derive
from synthvae.storage import View

NUMBERED = ("identifier", "personal", "key pool")  # what is made up by the number of the row
ATTEMPTS = 100  # times that a block is drawn, at most
HOPELESS = 10  # of them without a row that keeps the constraints


class Draws(Protocol):
    """What a sampler can do: rows in encoded form, and as values."""

    @property
    def codec(self) -> TableCodec: ...

    def draw(self, start: int, seed: int, fixed: Any) -> Encoded: ...

    def candidates(self) -> Draws: ...

    def table(
        self, encoded: Encoded, start: int, seed: int, view: View, fixed: Any
    ) -> pa.Table: ...


@dataclass(frozen=True)
class Obeyed:
    """A block of rows that keep all constraints; how many of `drawn` rows did (`fit`)."""

    encoded: Encoded
    table: pa.Table
    drawn: int = 0
    fit: int = 0

    def take(self, rows: NDArray[np.int64]) -> Obeyed:
        """Some of its rows."""
        if len(rows) == len(self.table):
            return self
        table = self.table.take(pa.array(rows))
        return Obeyed(self.encoded.rows(rows), table, self.drawn, self.fit)


@dataclass
class Tries:
    """How many rows were drawn so far, and how many of them kept all constraints."""

    drawn: int = 0
    fit: int = 0

    def counted(self, block: Obeyed) -> Obeyed:
        """`block`, whose tries are added."""
        self.drawn, self.fit = self.drawn + block.drawn, self.fit + block.fit
        return block

    @property
    def share(self) -> float | None:
        """Of the rows that were drawn, those that kept all; None where nothing was checked."""
        return self.fit / self.drawn if self.drawn else None


def obeyed(sampler: Draws, start: int, seed: int, view: View, fixed: Any) -> Obeyed:
    """The block of rows that begins with row `start`. UsageError with an estimate where the model
    hardly ever writes a row that keeps the constraints."""
    bindings = sampler.codec.bindings
    encoded = sampler.draw(start, seed, fixed)
    table = sampler.table(encoded, start, seed, view, fixed)
    if not bindings.checked:
        return Obeyed(encoded, table)
    good = _kept(sampler, encoded, table, start, seed, view, fixed)
    drawn, fit, parts = len(good), int(good.sum()), [table]
    place, last, candidates = np.arange(len(good)), len(good), sampler.candidates()
    for attempt in range(1, ATTEMPTS):
        if good.all():
            break
        if attempt == HOPELESS and not good.any():
            break
        again = derive(seed, "again", start, attempt)
        other = candidates.draw(start, again, fixed)
        found = candidates.table(other, start, again, view, fixed)
        fits = np.flatnonzero(_kept(candidates, other, found, start, again, view, fixed))
        drawn, fit = drawn + len(other), fit + len(fits)
        holes = np.flatnonzero(~good)[: len(fits)]
        fits = fits[: len(holes)]
        encoded.codes[holes], encoded.scalars[holes] = other.codes[fits], other.scalars[fits]
        place[holes] = last + fits
        good[holes] = True
        parts.append(found)
        last += len(found)
    if not good.all():
        raise UsageError(_too_rare(bindings, fit, drawn))
    if len(parts) > 1:
        joined = pa.concat_tables(parts).unify_dictionaries().take(pa.array(place))
        table = renumbered(sampler.codec, encoded, joined, Draw(seed, start), view)
    return Obeyed(encoded, table, drawn, fit)


def _kept(
    sampler: Draws, encoded: Encoded, table: pa.Table, start: int, seed: int, view: View, fixed: Any
) -> Mask:
    texts = table if view == "text" else sampler.table(encoded, start, seed, "text", fixed)
    return sampler.codec.bindings.kept(texts)


def renumbered(
    codec: TableCodec, encoded: Encoded, table: pa.Table, draw: Draw, view: View
) -> pa.Table:
    """`table`, of the `encoded` rows [n], with what is made up by number as those of `draw`."""
    table = table.combine_chunks()
    for one in codec.codecs:
        if one.kind in NUMBERED:
            own = one.decode(codec.layout.of_column(one.name).take(encoded), draw, view)
            at = table.column_names.index(one.name)
            table = table.set_column(at, table.schema.field(at), own)
    return table


def _too_rare(bindings: Bindings, fit: int, drawn: int) -> str:
    rules = "; ".join(f"{rule.kind} ({rule.words})" for rule in bindings.checked)
    share = f"{fit:,} of {drawn:,} rows ({fit / drawn:.2%})" if fit else f"none of {drawn:,} rows"
    return (
        f"a row that breaks a constraint is drawn again, {ATTEMPTS} times at most, but {share} "
        f"that the model draws keep all of: {rules}; fit for longer, or drop a constraint"
    )
