"""A column as the counts see it: a fixed list of classes, declared or paid for.

Every row has a class, whatever stands in it: texts that nobody declared are `__other__`, numbers
beyond the bounds stand at the bounds, and what is no number is missing. Where every row is declared
to have a value (not `nullable`), a row without one is in the last class, or at a number's lower
bound. So nothing that a row holds can be told from an error, or from how many classes there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthvae.codecs.parts import Form
from synthvae.schema import OTHER
from synthvae.table import Column

Classes = NDArray[np.int64]


class Axis(Protocol):
    """`size` classes of column `name`; `ordered`: neighbouring classes are alike; `doubtful`: those
    that are there for what may not exist, such as missing."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def ordered(self) -> bool: ...

    @property
    def doubtful(self) -> tuple[int, ...]: ...

    def classes(self, column: Column) -> Classes:
        """The class of every row [N]."""
        ...

    def texts(self, classes: Classes, rng: np.random.Generator) -> pa.Array:
        """Written forms [n] of drawn classes [n]; null is missing."""
        ...

    def snapped(self, column: Column) -> Column:
        """`column` as the classes allow it: each row from its own value alone."""
        ...


@dataclass(frozen=True)
class CategoryAxis:
    """Classes: `levels`, then any other text unless it is `closed`, as a boolean is, then missing
    if it is `nullable`. What is in none of them is in the last one."""

    name: str
    levels: tuple[str, ...]
    missing: frozenset[str]
    closed: bool = False
    nullable: bool = True
    ordered = False

    @property
    def size(self) -> int:
        return len(self._written)

    @property
    def doubtful(self) -> tuple[int, ...]:
        return tuple(range(len(self.levels), self.size))

    def classes(self, column: Column) -> Classes:
        known = {text: i for i, text in enumerate(self.levels)}
        absent = self.size - 1
        other = min(len(self.levels), absent)
        of_text = [known.get(t, absent if t in self.missing else other) for t in column.texts]
        return np.array([*of_text, absent], np.int64)[column.codes]

    def texts(self, classes: Classes, rng: np.random.Generator) -> pa.Array:
        return pa.array(self._written, pa.string()).take(pa.array(classes))

    @property
    def _written(self) -> tuple[str | None, ...]:
        others = () if self.closed else (OTHER,)
        return (*self.levels, *others, *((None,) if self.nullable else ()))

    def snapped(self, column: Column) -> Column:
        return column_of(self.name, _of_classes(self, column))


@dataclass(frozen=True)
class Ticks:
    """Numbers on a grid: `low` + i * `step` for i below `cells`, read and written by `form`."""

    form: Form
    low: float
    step: float
    cells: int
    missing: frozenset[str]
    nullable: bool = True

    def index(self, column: Column) -> Classes:
        """The grid point of every row [N], -1 if it is missing or no number: the first one, if that
        can't be."""
        values, special = self.form.parse(column)
        absent = np.array([*(text in self.missing for text in column.texts), True])[column.codes]
        known = ~(np.isnan(values) | absent | (special >= 0))
        off = (np.clip(np.where(known, values, self.low), -1e300, 1e300) - self.low) / self.step
        index = np.rint(np.clip(off, 0, self.cells - 1)).astype(np.int64)
        return np.where(known, index, -1 if self.nullable else 0)

    def texts(self, index: Classes) -> pa.Array:
        """Written forms [n] of grid points; null where -1."""
        present = index >= 0
        values = self.low + np.where(present, index, 0) * self.step
        written = self.form.render(values, np.full(len(index), -1, np.int32), "text")
        return pa.array(written.to_numpy(zero_copy_only=False), pa.string(), mask=~present)


@dataclass(frozen=True)
class NumberAxis:
    """Classes: bins of grid points, bin i from `starts`[i] on, the last up to the end; then
    missing, if it may be."""

    name: str
    ticks: Ticks
    starts: Classes
    ordered = True

    @property
    def size(self) -> int:
        return len(self.starts) + self.ticks.nullable

    @property
    def doubtful(self) -> tuple[int, ...]:
        return tuple(range(len(self.starts), self.size))

    def classes(self, column: Column) -> Classes:
        index = self.ticks.index(column)
        bins = np.searchsorted(self.starts, index, side="right") - 1
        return np.where(index < 0, len(self.starts), bins)

    def texts(self, classes: Classes, rng: np.random.Generator) -> pa.Array:
        """Uniform in the bin."""
        ends = np.append(self.starts[1:], self.ticks.cells)
        present = classes < len(self.starts)
        bins = np.where(present, classes, 0)
        index = rng.integers(self.starts[bins], ends[bins])
        return self.ticks.texts(np.where(present, index, -1))

    def snapped(self, column: Column) -> Column:
        return column_of(self.name, self.ticks.texts(self.ticks.index(column)))


@dataclass(frozen=True)
class PresenceAxis:
    """Of a column that is made up: present, then missing, if it is `nullable`."""

    name: str
    missing: frozenset[str]
    nullable: bool = True
    ordered = False

    @property
    def size(self) -> int:
        return 1 + self.nullable

    @property
    def doubtful(self) -> tuple[int, ...]:
        return tuple(range(1, self.size))

    def classes(self, column: Column) -> Classes:
        absent = [text in self.missing for text in column.texts]
        return np.array([*absent, True], np.int64)[column.codes] * self.nullable

    def texts(self, classes: Classes, rng: np.random.Generator) -> pa.Array:
        """Numbers of eight digits: they hold a place, and tell nothing."""
        made_up = 10_000_000 + np.arange(len(classes))
        return pa.array(made_up.astype(str), pa.string(), mask=classes == 1)

    def snapped(self, column: Column) -> Column:
        return column_of(self.name, _of_classes(self, column))


def _of_classes(axis: CategoryAxis | PresenceAxis, column: Column) -> pa.Array:
    return axis.texts(axis.classes(column), np.random.default_rng(0))


def column_of(name: str, texts: pa.Array) -> Column:
    """Written forms [n] as a column."""
    encoded = texts.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Column(name, codes, encoded.dictionary)
