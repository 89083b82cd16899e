"""Keys of rows that are drawn: none that is real, or those of another table.

A model file holds no key, so it cannot know which texts are real ones: who has the table says so
when rows are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.parts import Codec, Draw
from synthvae.codecs.personal import PersonalCodec
from synthvae.codecs.presence import MadeUp
from synthvae.codecs.table_codec import TableCodec
from synthvae.constraints.reading import TEXT
from synthvae.constraints.rules import Unique
from synthvae.errors import Problems, SchemaError, UsageError, hint
from synthvae.layout import Encoded
from synthvae.seeds import stream
from synthvae.storage import View
from synthvae.table import Column, Table


@dataclass(frozen=True)
class PoolCodec(MadeUp):
    """Values of a column that refers to another table: any of `texts`, drawn with replacement. It
    lives as long as the rows are drawn; no model file holds it."""

    texts: pa.StringArray

    kind = "pool"

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        index = draw.stream(self.name).integers(len(self.texts), size=len(encoded))
        return self.presence.fill(encoded, self.texts.take(pa.array(index)), view)

    def describe(self) -> Mapping[str, Any]:
        return {"pool": len(self.texts)}

    def to_json(self) -> dict[str, Any]:
        raise AssertionError("a pool is not written down")


@dataclass(frozen=True)
class KeyPoolCodec(PoolCodec):
    """The same of a column that is a key by itself: each text once, in an order that the seed
    shuffles."""

    kind = "key pool"

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        order = stream(draw.seed, "pool", self.name).permutation(len(self.texts))
        index = order[(draw.start + np.arange(len(encoded))) % len(order)]
        return self.presence.fill(encoded, self.texts.take(pa.array(index)), view)

    def short_of(self, rows: int) -> str | None:
        """SchemaError if there are fewer texts than `rows`."""
        if rows > len(self.texts):
            raise SchemaError(
                f"column '{self.name}': it is a key, so each value of its pool comes once, but the "
                f"pool has {len(self.texts):,} and {rows:,} rows are asked for; ask for fewer, or "
                "for a larger pool"
            )
        return None


def avoiding(codec: TableCodec, real: Table) -> TableCodec:
    """`codec`, but identifiers are none of those of the `real` table. SchemaError if it lacks a
    column of identifiers."""
    problems = Problems()
    codecs: list[Codec] = []
    for one in codec.codecs:
        if isinstance(one, IdentifierCodec) and one.name not in real.names:
            problems.add(
                f"real identifiers are read from the real table, but it has no column "
                f"'{one.name}'; {hint(one.name, real.names)}"
            )
        elif isinstance(one, IdentifierCodec):
            one = replace(one, avoid=tuple(sorted(real[one.name].compact().texts)))
        codecs.append(one)
    problems.raise_as(SchemaError)
    return replace(codec, codecs=tuple(codecs))


def pooled(codec: TableCodec, pools: Mapping[str, Column]) -> TableCodec:
    """`codec`, but the columns named by `pools` draw from those values, which repeat unless the
    column is a key by itself: other rules of uniqueness that name it are to be kept then.
    UsageError for columns that are not made up, SchemaError for pools without values."""
    strange, empty, readers = Problems(), Problems(), dict(codec.bindings.readers)
    keys = {rule.columns for rule in codec.bindings.rules if isinstance(rule, Unique)}
    made_up = {c.name: c for c in codec.codecs if isinstance(c, IdentifierCodec | PersonalCodec)}
    found: dict[str, Codec] = {}
    for name, pool in pools.items():
        texts = pool.compact().levels
        if name not in made_up:
            strange.add(
                f"a pool is for a column that is made up, such as an id, but '{name}' is none; "
                f"{hint(name, made_up)}"
            )
        elif not len(texts):
            empty.add(f"a pool has values, but that of '{name}' has none; check its column")
        elif (name,) in keys:
            found[name] = KeyPoolCodec(made_up[name].presence, texts)
        else:
            found[name] = PoolCodec(made_up[name].presence, texts)
            if name in readers:
                readers[name] = replace(readers[name], kind=TEXT)
    strange.raise_as(UsageError)
    empty.raise_as(SchemaError)
    codecs = tuple(found.get(c.name, c) for c in codec.codecs)
    return replace(codec, codecs=codecs, bindings=replace(codec.bindings, readers=readers))


def check_room(codec: TableCodec, rows: int) -> list[str]:
    """What there is to say about `rows` identifiers of each form. SchemaError with every declared
    form, and every pool of keys, that has too few texts."""
    problems, said = Problems(), []
    for one in codec.codecs:
        if isinstance(one, IdentifierCodec | KeyPoolCodec):
            try:
                if words := one.short_of(rows):
                    said.append(words)
            except SchemaError as error:
                problems.reasons.extend(error.reasons)
    problems.raise_as(SchemaError)
    return said
