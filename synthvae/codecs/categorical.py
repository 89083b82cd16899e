"""Categories and booleans: every written form is a class of its own, missing among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae import storage
from synthvae.codecs.allowed import Allowed, ValueSet
from synthvae.codecs.parts import Draw
from synthvae.codecs.specials import nulls
from synthvae.errors import SchemaError
from synthvae.layout import Block, Encoded
from synthvae.storage import View
from synthvae.table import Column


@dataclass(frozen=True)
class CategoricalCodec:
    """`levels` in alphabetical order, so that their order tells nothing; `missing` says which are
    null in the typed view."""

    name: str
    levels: tuple[str, ...]
    missing: tuple[bool, ...]
    storage: str

    kind = "categorical"
    made_up = False

    @staticmethod
    def fit(column: Column, missing: frozenset[str]) -> CategoricalCodec:
        present = {t for t, n in zip(column.texts, column.counts, strict=True) if n}
        levels = sorted(present | {""} if column.n_null else present)
        empty = nulls(column, missing)
        return CategoricalCodec(
            column.name, tuple(levels), tuple(t in empty for t in levels), column.storage
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        return (Block(self.name, self.name, "categorical", len(self.levels)),)

    def encode(self, column: Column, rng: np.random.Generator) -> Encoded:
        index = {level: i for i, level in enumerate(self.levels)}
        lookup = np.array([index.get(t, -1) for t in [*column.texts, ""]], np.int32)
        codes = lookup[column.codes]
        unseen = np.flatnonzero(codes < 0)
        if len(unseen):
            first = [*column.texts, ""][column.codes[unseen[0]]]
            raise SchemaError(
                f"column '{self.name}': categories are those that the model learnt, but "
                f"{len(unseen):,} rows hold others, first '{first}' in row {unseen[0] + 1}; check "
                "the spelling, or leave these rows out if a fit saw too few of them to learn it"
            )
        return Encoded(codes[:, None], np.empty((len(codes), 0), np.float32))

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        codes = encoded.codes[:, 0]
        if view == "text":
            return pa.DictionaryArray.from_arrays(pa.array(codes), self._texts)
        if not pa.types.is_string(self._typed.type):
            return self._typed.take(pa.array(codes))
        # A null in the dictionary itself is legal, but pandas refuses it.
        absent = np.array(self.missing)
        places = np.cumsum(~absent, dtype=np.int32) - 1
        index = pa.array(places[codes], mask=absent[codes])
        return pa.DictionaryArray.from_arrays(index, self._typed.drop_null())

    def arrow_type(self) -> pa.DataType:
        kind = self._typed.type
        return pa.dictionary(pa.int32(), kind) if pa.types.is_string(kind) else kind

    def typed_values(self) -> tuple[Any, ...]:
        """The categories that are no nulls, as the typed view has them."""
        return tuple(self._typed.drop_null().to_pylist())

    @property
    def forms(self) -> tuple[str, ...]:
        return self.levels

    @property
    def absent(self) -> tuple[bool, ...]:
        return self.missing

    def allow(self, wanted: ValueSet) -> Allowed:
        return Allowed((wanted.forms,))

    @cached_property
    def _texts(self) -> pa.Array:
        return pa.array(self.levels, pa.string())

    @cached_property
    def _typed(self) -> pa.Array:
        known = pc.if_else(pa.array(self.missing, pa.bool_()), None, self._texts)
        lowered = pc.utf8_lower(known)
        spelled = {level.as_py() for level in lowered if level.is_valid}
        if self.storage == "text":
            return lowered.cast(pa.bool_()) if spelled <= {"true", "false"} and spelled else known
        return storage.parse(known, storage.type_of(self.storage))

    def describe(self) -> Mapping[str, Any]:
        return {"categories": list(self.levels)}

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "levels": list(self.levels),
            "missing": list(self.missing),
            "storage": self.storage,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> CategoricalCodec:
        return CategoricalCodec(
            data["name"], tuple(data["levels"]), tuple(data["missing"]), data["storage"]
        )
