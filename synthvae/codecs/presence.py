"""Missing or not, for columns whose values are made up rather than learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae import storage
from synthvae.codecs.allowed import Allowed, ValueSet
from synthvae.codecs.specials import Specials
from synthvae.layout import Block, Encoded
from synthvae.storage import View
from synthvae.table import Column


@dataclass(frozen=True)
class Presence:
    """A block with the class 'present' and one for each way in which 'missing' is written."""

    name: str
    specials: Specials
    storage: str

    @staticmethod
    def fit(column: Column, missing: frozenset[str]) -> Presence:
        forms = [t for t, n in zip(column.texts, column.counts, strict=True) if n and t in missing]
        return Presence(column.name, Specials.of(column, forms, missing), column.storage)

    @property
    def blocks(self) -> tuple[Block, ...]:
        if not len(self.specials):
            return ()
        return (Block(f"{self.name}:present", self.name, "categorical", 1 + len(self.specials)),)

    def encode(self, column: Column) -> Encoded:
        codes = 1 + self.specials.index(column.texts)[column.codes]
        return Encoded(codes[:, None][:, : len(self.blocks)], np.empty((len(codes), 0), np.float32))

    def fill(self, encoded: Encoded, texts: pa.Array, view: View) -> pa.Array:
        """`texts` [n] with the missing put in, as written or in the column's type."""
        special = encoded.codes[:, 0] - 1 if len(self.specials) else np.full(len(texts), -1)
        if view == "text":
            return self.specials.overlay(texts, special, self.specials.written)
        body, forms = (storage.parse(t, self.typed_as) for t in (texts, self.specials.typed))
        return self.specials.overlay(body, special, forms)

    def allow(self, wanted: ValueSet) -> Allowed:
        """Any span stands for 'present': what is made up has no values to choose from."""
        present = np.array([len(wanted.spans) > 0])
        if not self.blocks:
            return Allowed((present,)) if not present[0] else Allowed(())
        return Allowed((np.concatenate([present, wanted.forms]),))

    @property
    def typed_as(self) -> pa.DataType:
        return storage.type_of(self.storage)


@dataclass(frozen=True)
class MadeUp:
    """What codecs of made-up values share: all that is learnt of a column is its presence."""

    presence: Presence

    made_up = True

    @property
    def name(self) -> str:
        return self.presence.name

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.presence.blocks

    def encode(self, column: Column, rng: np.random.Generator) -> Encoded:
        return self.presence.encode(column)

    def arrow_type(self) -> pa.DataType:
        return self.presence.typed_as

    @property
    def forms(self) -> tuple[str, ...]:
        return self.presence.specials.texts

    @property
    def absent(self) -> tuple[bool, ...]:
        return self.presence.specials.missing

    def allow(self, wanted: ValueSet) -> Allowed:
        return self.presence.allow(wanted)


def is_missing(column: Column, missing: frozenset[str]) -> pa.BooleanArray:
    """Which levels [L] mean 'no value'."""
    return pc.is_in(column.levels, pa.array(sorted(missing), pa.string()))
