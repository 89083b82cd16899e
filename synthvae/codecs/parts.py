"""What a codec is. Encode and decode stand in one file each, tested as inverses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthvae.codecs.allowed import Allowed, ValueSet
from synthvae.codecs.bounds import SPIKE, Units, atoms_of, outer_bounds, spikes
from synthvae.errors import SchemaError
from synthvae.layout import Block, Encoded
from synthvae.seeds import stream
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import Values


@dataclass(frozen=True)
class Draw:
    """Which rows are being decoded: rows `start`, `start` + 1, ... of the run with this seed.
    `alike`: where a value lies within what the model drew is the same in all of them."""

    seed: int
    start: int
    alike: bool = False

    def stream(self, column: str) -> np.random.Generator:
        return stream(self.seed, "decode", column, self.start)

    def within(self, column: str, rows: int) -> Values:
        """[rows], uniform from 0 up to 1: where a value lies within the cell that was drawn."""
        drawn = self.stream(column).random(rows)
        return np.full(rows, drawn[:1]) if self.alike and rows else drawn


class Codec(Protocol):
    """One column, between its written form and its blocks of the encoded row."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def blocks(self) -> tuple[Block, ...]: ...

    def encode(self, column: Column, rng: np.random.Generator) -> Encoded:
        """Column [N] -> this column's blocks. SchemaError for values that were never seen."""
        ...

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        """Blocks [n] -> values as written (`text`) or in the type of the output (`typed`)."""
        ...

    def arrow_type(self) -> pa.DataType:
        """The type of the `typed` view."""
        ...

    @property
    def made_up(self) -> bool:
        """Whether values are no part of the model, but whether they are missing is."""
        ...

    @property
    def forms(self) -> tuple[str, ...]:
        """The written forms that are states of their own: what `ValueSet.forms` counts."""
        ...

    @property
    def absent(self) -> tuple[bool, ...]:
        """Which of the `forms` mean 'missing'."""
        ...

    def allow(self, wanted: ValueSet) -> Allowed:
        """What the blocks may hold for the column to have one of the values `wanted`."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Everything that is held about the data, for `inspect`."""
        ...

    def to_json(self) -> dict[str, Any]: ...


class Form(Protocol):
    """The written form of a column whose values are numbers underneath."""

    @property
    def specials(self) -> Any: ...

    @property
    def grid(self) -> Any: ...

    @property
    def typed_as(self) -> pa.DataType: ...

    def parse(self, column: Column) -> tuple[Values, NDArray[np.int32]]: ...

    def snap(self, values: Values) -> Values: ...

    def render(self, values: Values, special: NDArray[np.int32], view: View) -> pa.Array: ...

    def describe(self) -> Mapping[str, Any]: ...

    def to_json(self) -> dict[str, Any]: ...


class OfForm:
    """What codecs of written numbers share."""

    form: Form

    made_up = False

    @property
    def forms(self) -> tuple[str, ...]:
        texts: tuple[str, ...] = self.form.specials.texts
        return texts

    @property
    def absent(self) -> tuple[bool, ...]:
        missing: tuple[bool, ...] = self.form.specials.missing
        return missing

    def arrow_type(self) -> pa.DataType:
        return self.form.typed_as


def parse_known(form: Form, column: Column) -> tuple[Values, NDArray[np.int32]]:
    """`form.parse`, but SchemaError if a text is neither a value nor a special that is known."""
    values, special = form.parse(column)
    unknown = np.flatnonzero(np.isnan(values) & (special < 0))
    if len(unknown):
        row, code = int(unknown[0]), int(column.codes[unknown[0]])
        text = column.levels[code].as_py() if code >= 0 else ""
        raise SchemaError(
            f"column '{column.name}': a value is of the column's form or a code of the training "
            f"table, but {len(unknown):,} rows hold others, first '{text}' in row {row + 1:,}; "
            "correct them"
        )
    return values, special


@dataclass(frozen=True)
class Numeric:
    """A numeric column, ready for a codec to be fitted: `values` [N] without its specials; `units`
    [N], if rows of one unit count once, and how many are at `least` not too few."""

    name: str
    form: Form
    values: Values
    units: Units = None
    least: int = 0

    @property
    def atoms(self) -> Values:
        """Sorted values that become classes of their own."""
        return atoms_of(self.values, self.least, self.units)

    def spikes(self, share: float) -> Values:
        """Sorted values that hold at least `share` of the rows, and are not too few."""
        return spikes(self.values, share, max(self.least, SPIKE), self.units)

    @property
    def bounds(self) -> tuple[float, float]:
        """Ends that no single row sets."""
        return outer_bounds(self.values, self.units)

    def without(self, values: Values) -> Numeric:
        """The column but for these `values`."""
        rest = ~np.isin(self.values, values)
        units = None if self.units is None else self.units[rest]
        return replace(self, values=self.values[rest], units=units)
