"""Rows of which no two break a rule of uniqueness.

What is left out leaves no gap: rows are numbered anew, so that identifiers of a form last for as
many rows as it has texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from synthvae.codecs.bindings import Bindings
from synthvae.codecs.parts import Draw
from synthvae.codecs.relations import column_of
from synthvae.codecs.table_codec import TableCodec
from synthvae.constraints.reading import Mask
from synthvae.constraints.rules import Unique
from synthvae.errors import UsageError
from synthvae.obeying import Obeyed, renumbered
from synthvae.seen import Hashes, Seen
from synthvae.storage import View

Places = NDArray[np.int64]
Keys = Sequence[tuple[Hashes, Mask]]
STRETCH = 256  # rows, at least, that are looked at together
REPEATED = 20  # stretches one after the other with less than one new row in a hundred


class Known:
    """The rows that were taken so far, by each rule of uniqueness. Memory: 8 bytes a row and
    rule."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings
        self.seen = [Seen() for _ in bindings.unique]
        self.taken = 0

    def keys(self, table: pa.Table) -> Keys:
        """Of each rule, a hash of each row's values, and which rows miss one of them."""
        return [self._keys(table, rule) for rule in self.bindings.unique]

    def new(self, keys: Keys, rows: Places) -> Places:
        """Those of `rows` that break no rule with one that was taken, nor with one another."""
        mask = np.ones(len(rows), bool)
        for seen, (hashes, alone) in zip(self.seen, keys, strict=True):
            own = hashes[rows]
            mask &= alone[rows] | ~(pd.Series(own).duplicated().to_numpy() | seen.holds(own))
        return rows[mask]

    def take(self, keys: Keys, rows: Places) -> None:
        self.taken += len(rows)
        for seen, (hashes, _) in zip(self.seen, keys, strict=True):
            seen.add(hashes[rows])

    def _keys(self, table: pa.Table, rule: Unique) -> tuple[Hashes, Mask]:
        columns = [
            column_of(name, table[name].cast(_plain(table[name].type)).cast(pa.string()))
            for name in rule.columns
        ]
        texts = {c.name: np.array([*c.texts, ""], object)[c.codes] for c in columns}
        hashes = pd.util.hash_pandas_object(pd.DataFrame(texts), index=False)
        absent = [self.bindings.readers[column.name].absent(column) for column in columns]
        return hashes.to_numpy().astype(np.uint64), np.any(absent, axis=0)


def distinct(blocks: Iterable[Obeyed], known: Known, rows: int) -> Iterator[Obeyed]:
    """The first `rows` rows of `blocks` that break no rule of uniqueness with one another, nor with
    those that are `known`; of each block some or none. UsageError if the model has hardly any new
    ones."""
    left, poor, seen, new = rows, 0, 0, 0
    for block in blocks if rows else ():
        keys = known.keys(block.table)
        at = known.new(keys, np.arange(len(block.table)))[:left]
        known.take(keys, at)
        seen, new = seen + len(block.table), new + len(at)
        if seen >= STRETCH:
            poor = 0 if new * 100 >= min(seen, left) else poor + 1
            seen = new = 0
        if poor == REPEATED:
            raise UsageError(_too_alike(known.bindings, rows - left, left))
        left -= len(at)
        yield block.take(at)
        if not left:
            return


def numbered(
    blocks: Iterable[Obeyed], codec: TableCodec, seed: int, view: View, first: int = 0
) -> Iterator[pa.Table]:
    """The rows of `blocks`, as numbers `first`, `first` + 1, ..."""
    for block in blocks:
        if not len(block.table):
            continue
        yield renumbered(codec, block.encoded, block.table, Draw(seed, first), view)
        first += len(block.table)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _too_alike(bindings: Bindings, found: int, left: int) -> str:
    return (
        f"no two rows are alike in {'; '.join(rule.words for rule in bindings.unique)}, but after "
        f"{found:,} rows the model has hardly any new ones, and {left:,} are missing; ask for "
        "fewer, widen the condition if there is one, or fit without the constraint"
    )
