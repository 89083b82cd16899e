"""What too few rows hold is not learnt: rare categories, rare codes, rare and outermost numbers.

A category of fewer than k rows becomes another that stands there, each as likely as the next, but
none gets more rows than it has: what is rare goes to its like, and what is frequent keeps its share
and what it goes with (docs/log.md). The k lowest and the k highest numbers stand at the next one;
of columns with few distinct numbers a rare one becomes its nearest common one. What the metadata
declares is public, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthvae.codecs.bounds import holders
from synthvae.metadata import Metadata
from synthvae.schema import ColumnSchema, Schema
from synthvae.seeds import stream
from synthvae.table import Column, Table
from synthvae.written import Values, moments, numbers_of, unit_of

FEW = 256  # distinct numbers, at most, of a column whose numbers are learnt one by one
SMALL = 20  # rows for each row of k: of smaller tables k is less
Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Rare:
    """Fewer than `rows` rows are too few; with `unit`, a column, fewer than so many of its values
    (persons, say). 0: nothing is withheld."""

    rows: int = 5
    unit: str | None = None

    def __post_init__(self) -> None:
        if self.rows < 0:
            raise ValueError(f"rare is a number of rows, 0 or more, but it is {self.rows}")

    def least(self, rows: int) -> int:
        """What is not too few in a table of so many rows."""
        return min(self.rows, rows // SMALL)


# Of a column, how many `levels` and `rows`; and of the levels, how many were `codes` among numbers.
Withheld = dict[str, dict[str, int]]


def suppressed(
    schema: Schema,
    table: Table,
    metadata: Metadata,
    rare: Rare,
    units: Codes | None,
    seed: int,
) -> tuple[Table, Withheld]:
    """`table` without what too few rows hold, and how much that was of each column. `units` [N]:
    whose each row is, if rows of one are to count once."""
    least = rare.least(len(table))
    columns, withheld = [], Withheld()
    for column in table.columns:
        declared = metadata.columns.get(column.name)
        options = declared.options if declared else {}
        found = column
        if least:
            rng = stream(seed, "suppressed", column.name)
            found = _suppressed(column, schema[column.name], options, least, units, rng)
        changed = found.codes != column.codes
        if changed.any():
            lost = set(column.codes[changed].tolist()) - set(found.codes.tolist())
            withheld[column.name] = {"levels": len(lost), "rows": int(changed.sum())}
            if codes := _codes(column, schema[column.name], lost):
                withheld[column.name]["codes"] = codes
            found = found.compact()
        columns.append(found)
    return Table(tuple(columns), table.frame_dtypes), withheld


def _suppressed(
    column: Column,
    schema: ColumnSchema,
    options: Mapping[str, Any],
    least: int,
    units: Codes | None,
    rng: np.random.Generator,
) -> Column:
    absent = np.array([text in schema.missing for text in column.texts], bool)
    counts = holders(column.codes, len(column.levels), units)
    if schema.sdtype == "categorical":
        public = {
            str(value) for key in ("range_values", "order") for value in options.get(key) or ()
        }
        exempt = absent | np.array([text in public for text in column.texts], bool)
        return _redrawn(column, (counts < least) & ~exempt, absent, rng)
    if schema.sdtype not in ("numerical", "datetime"):
        return column
    values = np.where(absent, np.nan, _values(column, schema))
    codes = np.isnan(values) & ~absent
    column = _redrawn(column, codes & (counts < least), absent | codes, rng)
    common = counts >= least
    column = _inside(column, values, options, least, units, common)
    return _common(column, values, common)


def _codes(column: Column, schema: ColumnSchema, lost: set[int]) -> int:
    """How many of the `lost` levels of a column of numbers or dates were neither."""
    if schema.sdtype not in ("numerical", "datetime"):
        return 0
    return int(np.isnan(_values(column, schema)[sorted(lost)]).sum())


def _redrawn(
    column: Column, rare: NDArray[np.bool_], never: NDArray[np.bool_], rng: np.random.Generator
) -> Column:
    """`column` with `rare` levels [L] replaced by others, but for those that `never` stand in; null
    where there are none."""
    at = np.flatnonzero(np.append(rare, False)[column.codes])
    if not len(at):
        return column
    others = np.flatnonzero(~(rare | never) & (column.counts > 0))
    codes = column.codes.copy()
    if len(others):
        share = _evenly(column.counts[others], len(at))
        codes[at] = rng.choice(others, len(at), p=share / share.sum())
    else:
        codes[at] = -1
    return Column(column.name, codes, column.levels, column.storage)


def _evenly(room: NDArray[np.int64], total: int) -> NDArray[np.float64]:
    """Of `total`, what each of [L] places gets: all as much, but none more than its `room`; all
    their room if `total` is more."""
    ascending = np.sort(room)
    before = np.cumsum(ascending) - ascending
    left = len(room) - np.arange(len(room))
    full = before + ascending * left <= total  # of the smallest places, those that are filled
    n = int(full.sum())
    level = (total - before[n]) / left[n] if n < len(room) else np.inf
    return np.minimum(room, level)


def _values(column: Column, schema: ColumnSchema) -> Values:
    if schema.sdtype == "numerical":
        return numbers_of(column.levels)
    format = schema.datetime_format
    return moments(column.levels, format, unit_of(column.levels, format))


def _inside(
    column: Column,
    values: Values,
    options: Mapping[str, Any],
    least: int,
    units: Codes | None,
    common: NDArray[np.bool_],
) -> Column:
    """The outermost values stand at the next ones, on sides for which no end is declared. Where
    there are so few that all are outermost, those that are not `common` [L] are missing."""
    by_row = np.append(values, np.nan)[column.codes]
    order = np.argsort(by_row, kind="stable")[: int((~np.isnan(by_row)).sum())]
    codes = column.codes.copy()
    if len(_once(order, units)) <= 2 * least:
        codes[order[~common[column.codes[order]]]] = -1
        return Column(column.name, codes, column.levels, column.storage)
    for side, declared in ((order, "range_min"), (order[::-1], "range_max")):
        if declared not in options:
            end = _once(side, units)[least]
            beyond = side[: int(np.flatnonzero(side == end)[0])]
            codes[beyond] = column.codes[end]
    return Column(column.name, codes, column.levels, column.storage)


def _once(rows: NDArray[np.intp], units: Codes | None) -> NDArray[np.intp]:
    """Of `rows` [m], the first of each unit."""
    if units is None:
        return rows
    who = np.where(units[rows] >= 0, units[rows], -1 - rows)
    return rows[np.sort(np.unique(who, return_index=True)[1])]


def _common(column: Column, values: Values, common: NDArray[np.bool_]) -> Column:
    """Of few distinct values, a rare one becomes the nearest that is common."""
    is_value = ~np.isnan(values)
    used = np.flatnonzero(is_value & (column.counts > 0))
    distinct, rows = len(np.unique(values[used])), int(column.counts[used].sum())
    targets = np.flatnonzero(is_value & common)
    if not (distinct <= FEW and 2 * distinct <= rows) or not len(targets):
        return column
    targets = targets[np.argsort(values[targets], kind="stable")]
    ends = values[targets]
    right = np.clip(np.searchsorted(ends, values[used]), 1, max(len(ends) - 1, 1))
    right = np.minimum(right, len(ends) - 1)
    left = np.maximum(right - 1, 0)
    nearer = np.abs(values[used] - ends[left]) <= np.abs(ends[right] - values[used])
    place = np.append(np.arange(len(values)), -1).astype(np.int32)
    rare = ~common[used]
    place[used[rare]] = targets[np.where(nearer, left, right)][rare]
    return Column(column.name, place[column.codes], column.levels, column.storage)
