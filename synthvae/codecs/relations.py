"""Columns that are learnt as others, so that a constraint between them holds whatever is drawn.

A relation replaces some columns of a table of written forms by others, and restores them: an upper
column becomes its difference to the lower one, columns that go together become one, a column that
is computed is left out. Restored values are written as the column writes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from synthvae.table import Column, Table

Texts = dict[str, pa.StringArray]


class Relation(Protocol):
    """Between columns as the table has them and as they are learnt."""

    @property
    def kind(self) -> str: ...

    @property
    def restores(self) -> tuple[str, ...]:
        """The columns of the table that it replaces."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Other columns of the table that it takes to restore them."""
        ...

    @property
    def learnt(self) -> tuple[tuple[str, str], ...]:
        """Name and sdtype of each column that is learnt in their place."""
        ...

    def forward(self, table: Table) -> list[Column]:
        """The columns `learnt`, of the table."""
        ...

    def backward(self, texts: Texts) -> Texts:
        """The columns `restores` [n], from those `learnt` and those that it `reads`."""
        ...

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Combined:
    """`columns` as one, whose texts are lists of theirs in JSON: no combination comes out that the
    table does not have."""

    columns: tuple[str, ...]
    name: str

    kind = "combined"
    reads = ()

    @property
    def restores(self) -> tuple[str, ...]:
        return self.columns

    @property
    def learnt(self) -> tuple[tuple[str, str], ...]:
        return ((self.name, "categorical"),)

    def forward(self, table: Table) -> list[Column]:
        codes = np.stack([table[name].codes for name in self.columns], axis=1)
        distinct, index = np.unique(codes, axis=0, return_inverse=True)
        texts = [[*table[name].texts, None] for name in self.columns]
        levels = [
            json.dumps(
                [text[code] for text, code in zip(texts, row, strict=True)], ensure_ascii=False
            )
            for row in distinct.tolist()
        ]
        return [
            Column(self.name, index.reshape(-1).astype(np.int32), pa.array(levels, pa.string()))
        ]

    def backward(self, texts: Texts) -> Texts:
        column = column_of(self.name, texts[self.name])
        nothing = [None] * len(self.columns)  # where no combination was common
        rows = [json.loads(text) if text else nothing for text in column.texts]
        index = pa.array(column.codes)
        return {
            name: pa.array([row[i] or "" for row in rows], pa.string()).take(index)
            for i, name in enumerate(self.columns)
        }

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "columns": list(self.columns), "name": self.name}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Combined:
        return Combined(tuple(data["columns"]), data["name"])


def column_of(name: str, texts: pa.Array) -> Column:
    """Written forms [n], plain or dictionary, as a column."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if not pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_encode()
    codes = texts.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Column(name, codes, texts.dictionary)
