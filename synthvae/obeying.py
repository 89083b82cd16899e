"""Rows that keep their constraints: what breaks one is drawn again, in its own block.

A block stays a function of the seed and of where it begins, so rows do not depend on how many are
asked for, by whom, or in what order. What is made up (keys, names) belongs to a row's place, and
stays where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae.codecs.bindings import Bindings
from synthvae.codecs.parts import Draw
from synthvae.codecs.relations import column_of
from synthvae.codecs.table_codec import TableCodec
from synthvae.constraints.reading import Mask
from synthvae.constraints.rules import Unique
from synthvae.errors import UsageError
from synthvae.layout import Encoded
from synthvae.seeds import derive
from synthvae.seen import Hashes, Seen
from synthvae.storage import View

_MADE_UP = ("identifier", "personal", "pool")
ATTEMPTS = 100  # times that a block is drawn, at most
HOPELESS = 10  # of them without a row that keeps the constraints
REPEATED = 20  # blocks in a row with less than one new row in a hundred


class Draws(Protocol):
    """What a sampler can do: rows in encoded form, and as values."""

    @property
    def codec(self) -> TableCodec: ...

    def draw(self, start: int, seed: int, fixed: Any) -> Encoded: ...

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


@dataclass
class Tries:
    """How many rows were drawn so far, and how many of them kept all constraints."""

    drawn: int = 0
    fit: int = 0

    def counted(self, block: Obeyed) -> pa.Table:
        """The rows of `block`, whose tries are added."""
        self.drawn, self.fit = self.drawn + block.drawn, self.fit + block.fit
        return block.table

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
    place, last = np.arange(len(good)), len(good)
    for attempt in range(1, ATTEMPTS):
        if good.all():
            break
        if attempt == HOPELESS and not good.any():
            break
        again = derive(seed, "again", start, attempt)
        other = sampler.draw(start, again, fixed)
        found = sampler.table(other, start, again, view, fixed)
        fits = np.flatnonzero(_kept(sampler, other, found, start, again, view, fixed))
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
        table = _placed(sampler, encoded, parts, place, Draw(seed, start), view)
    return Obeyed(encoded, table, drawn, fit)


def _kept(
    sampler: Draws, encoded: Encoded, table: pa.Table, start: int, seed: int, view: View, fixed: Any
) -> Mask:
    texts = table if view == "text" else sampler.table(encoded, start, seed, "text", fixed)
    return sampler.codec.bindings.kept(texts)


def _placed(
    sampler: Draws,
    encoded: Encoded,
    parts: list[pa.Table],
    place: np.ndarray[Any, Any],
    draw: Draw,
    view: View,
) -> pa.Table:
    """The rows at `place` of all `parts` one below the other, with what is made up by `draw`."""
    table = pa.concat_tables(parts).unify_dictionaries().take(pa.array(place)).combine_chunks()
    codec = sampler.codec
    for one in codec.codecs:
        if one.kind in _MADE_UP:
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


def distinct(chunks: Iterable[pa.Table], bindings: Bindings, rows: int) -> Iterator[pa.Table]:
    """The first `rows` rows of `chunks` of which no two break a rule of uniqueness. Memory: 8 bytes
    a row and rule. UsageError if the model has hardly any new ones."""
    seen = [Seen() for _ in bindings.unique]
    left, poor = rows, 0
    for chunk in chunks:
        keys = [_keys(chunk, rule, bindings) for rule in bindings.unique]
        new = np.ones(len(chunk), bool)
        for known, (key, alone) in zip(seen, keys, strict=True):
            new &= alone | ~(pd.Series(key).duplicated().to_numpy() | known.holds(key))
        at = np.flatnonzero(new)[:left]
        for known, (key, _) in zip(seen, keys, strict=True):
            known.add(key[at])
        poor = 0 if len(at) * 100 >= min(len(chunk), left) else poor + 1
        if poor == REPEATED:
            raise UsageError(_too_alike(bindings, rows - left, left))
        left -= len(at)
        yield chunk.take(pa.array(at))
        if not left:
            return


def _keys(chunk: pa.Table, rule: Unique, bindings: Bindings) -> tuple[Hashes, Mask]:
    """A hash of each row's values of the rule's columns, and which rows miss one of them."""
    columns = [
        column_of(name, chunk[name].cast(_plain(chunk[name].type)).cast(pa.string()))
        for name in rule.columns
    ]
    texts = {c.name: np.array([*c.texts, ""], object)[c.codes] for c in columns}
    hashes = pd.util.hash_pandas_object(pd.DataFrame(texts), index=False)
    key: Hashes = hashes.to_numpy().astype(np.uint64)
    absent = [bindings.readers[column.name].absent(column) for column in columns]
    return key, np.any(absent, axis=0)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _too_alike(bindings: Bindings, found: int, left: int) -> str:
    return (
        f"no two rows are alike in {'; '.join(rule.words for rule in bindings.unique)}, but after "
        f"{found:,} rows the model has hardly any new ones, and {left:,} are missing; ask for "
        "fewer, or drop the constraint"
    )
