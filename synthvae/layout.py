"""The encoded row: ordered blocks, and the two arrays that hold their values. No torch here.

A *categorical* block holds one integer code a row (-1: the block is not present in this row, such
as the fine cell of a value that is an atom). A *scalar* block holds one float a row (NaN: not
present). Integer codes are the stored form; one-hot exists only as a view (`one_hot`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["categorical", "scalar"]
Codes = NDArray[np.int32]
Scalars = NDArray[np.float32]


@dataclass(frozen=True)
class Block:
    """One span of the encoded row. `size` is the number of classes (1 for a scalar). Classes that
    are numbers have `places` on the scale of the column's scalar; None: the scalar has it. The
    `places` of a scalar, if given, are the lowest and the highest."""

    name: str
    column: str
    kind: Kind
    size: int
    places: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Encoded:
    """Rows in encoded form: `codes` [B, categorical blocks], `scalars` [B, scalar blocks]."""

    codes: Codes
    scalars: Scalars

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self, index: Any) -> Encoded:
        return Encoded(self.codes[index], self.scalars[index])

    @staticmethod
    def empty(rows: int) -> Encoded:
        return Encoded(np.empty((rows, 0), np.int32), np.empty((rows, 0), np.float32))

    @staticmethod
    def side_by_side(parts: Sequence[Encoded], rows: int) -> Encoded:
        parts = [Encoded.empty(rows), *parts]
        return Encoded(
            np.concatenate([part.codes for part in parts], axis=1),
            np.concatenate([part.scalars for part in parts], axis=1),
        )


@dataclass(frozen=True)
class Layout:
    """Ordered blocks, the columns that are *given* (conditions) rather than modelled, and the order
    in which columns are written by a decoder that writes one after the other (empty: by their
    sizes)."""

    blocks: tuple[Block, ...]
    given: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    def of_kind(self, kind: Kind) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.kind == kind)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Classes of each categorical block, in the order of `Encoded.codes`."""
        return tuple(block.size for block in self.of_kind("categorical"))

    @cached_property
    def n_scalars(self) -> int:
        return len(self.of_kind("scalar"))

    @cached_property
    def width(self) -> int:
        """F: the width of the one-hot view."""
        return sum(self.sizes) + self.n_scalars

    def part(self, given: bool) -> Part:
        """The given or the modelled blocks: a Layout of their own, and where they stand."""
        keep = [(block.column in self.given) is given for block in self.blocks]
        blocks = tuple(block for block, kept in zip(self.blocks, keep, strict=True) if kept)
        layout = Layout(blocks, order=self.order)
        return Part(layout, *(self._positions(kind, given) for kind in _KINDS))

    def of_column(self, column: str) -> Part:
        """The blocks of one column."""
        blocks = tuple(block for block in self.blocks if block.column == column)
        return Part(
            Layout(blocks),
            *(
                tuple(i for i, b in enumerate(self.of_kind(kind)) if b.column == column)
                for kind in _KINDS
            ),
        )

    def _positions(self, kind: Kind, given: bool) -> tuple[int, ...]:
        return tuple(
            i for i, b in enumerate(self.of_kind(kind)) if (b.column in self.given) is given
        )

    def one_hot(self, encoded: Encoded) -> NDArray[np.float32]:
        """The one-hot view [B, F]: memory grows with rows times classes, so for small tables."""
        out = np.zeros((len(encoded), self.width), np.float32)
        offset = 0
        for position, size in enumerate(self.sizes):
            present = np.flatnonzero(encoded.codes[:, position] >= 0)
            out[present, offset + encoded.codes[present, position]] = 1.0
            offset += size
        out[:, offset:] = np.nan_to_num(encoded.scalars)
        return out

    def to_json(self) -> dict[str, Any]:
        blocks = [[b.name, b.column, b.kind, b.size, list(b.places)] for b in self.blocks]
        return {"blocks": blocks, "given": list(self.given), "order": list(self.order)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Layout:
        blocks = (Block(n, c, k, size, tuple(places)) for n, c, k, size, places in data["blocks"])
        return Layout(tuple(blocks), tuple(data["given"]), tuple(data["order"]))


_KINDS: tuple[Kind, Kind] = ("categorical", "scalar")


@dataclass(frozen=True)
class Part:
    """Some blocks of a Layout, with their positions in `Encoded.codes` and `Encoded.scalars`."""

    layout: Layout
    codes: tuple[int, ...]
    scalars: tuple[int, ...]

    def take(self, encoded: Encoded) -> Encoded:
        return Encoded(encoded.codes[:, list(self.codes)], encoded.scalars[:, list(self.scalars)])
