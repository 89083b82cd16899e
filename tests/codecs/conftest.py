"""Columns made of texts, and codecs fitted on them alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import TableCodec, fit_table_codec
from synthvae.detect import detect
from synthvae.layout import Encoded
from synthvae.metadata import ColumnMetadata, Metadata
from synthvae.schema import resolve
from synthvae.table import Column, Table

Texts = Sequence[str | None]


def make_column(texts: Texts, storage: str = "text", name: str = "c") -> Column:
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Column(name, codes.astype(np.int32), encoded.dictionary, storage)


@dataclass(frozen=True)
class Fitted:
    """A codec of one column `c`, and the table that it was fitted on."""

    codec: TableCodec
    table: Table

    @property
    def one(self) -> Any:
        return self.codec["c"]

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.codec.layout.sizes

    def encode(self, texts: Texts | None = None, seed: int = 0) -> Encoded:
        """The fitted rows, or others."""
        table = self.table
        if texts is not None:
            table = Table((make_column(texts, table.columns[0].storage),))
        return self.codec.encode(table, seed)

    def decode(
        self, encoded: Encoded, view: Any = "text", seed: int = 0, start: int = 0
    ) -> list[Any]:
        values: list[Any] = (
            self.codec.decode(encoded, Draw(seed, start), view).column(0).to_pylist()
        )
        return values

    def round_trip(self, view: Any = "text") -> list[Any]:
        return self.decode(self.encode(), view)

    def again(self) -> Fitted:
        """The same codec, through JSON text."""
        return Fitted(
            TableCodec.from_json(json.loads(json.dumps(self.codec.to_json()))), self.table
        )


def fit_column(
    texts: Texts,
    sdtype: str | None = None,
    numeric: Any = "cells",
    missing: Sequence[str] = (),
    storage: str = "text",
    **options: Any,
) -> Fitted:
    table = Table((make_column(texts, storage),))
    metadata = Metadata({"c": ColumnMetadata(sdtype, options)}) if sdtype else detect(table)
    return Fitted(fit_table_codec(resolve(metadata, table, missing), table, numeric), table)


@pytest.fixture(scope="session")
def column() -> Callable[..., Column]:
    return make_column


@pytest.fixture(scope="session")
def fit() -> Callable[..., Fitted]:
    """fit(texts, sdtype or detected, numeric="cells", missing=(), storage="text", **options)"""
    return fit_column
