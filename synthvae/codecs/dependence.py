"""In which order columns are best written one after the other: those of many classes, then the most
dependent first, and parts before their whole.

Which of many classes goes with some numbers takes as many boundaries as there are classes, more
than the hidden units of a block can draw, while numbers that go with a class are told by the class:
so columns of many classes come first. For the same reason a part without a density, such as the
hour of a time, comes before what it follows from (`following`).

For the rest, a column's dependence is the sum of its mutual information with every other column,
over bins that hold about equal shares of the rows, with the bias of few rows in many cells taken
off (Miller 1955): with the columns first on which many others hang, what follows is narrow. Columns
whose values nearly all differ come last: a running number determines everything, but nothing can be
learnt from a value that is never seen again, while it may follow from the rest. (docs/log.md has
other orders.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthvae.codecs.following import following
from synthvae.layout import Encoded, Layout, Part
from synthvae.table import Column, Table

BINS = 32
ROWS = 20_000
DISTINCT = 0.9  # a column of more distinct values, as a share of those that are there, comes last
MANY_CLASSES = 32
_PAIRS = 20_000  # more pairs of columns than that, and fewer rows are looked at

Bins = NDArray[np.int64]


def writing_order(
    layout: Layout, encoded: Encoded, table: Table, rng: np.random.Generator
) -> tuple[str, ...]:
    """The columns of `layout`, in the order in which to write them."""
    shared = dependence(layout, encoded, rng)

    def rank(name: str) -> tuple[bool, bool, float]:
        classes = effective_classes(layout.of_column(name), encoded)
        return _unique(table[name]), classes <= MANY_CLASSES, -shared[name]

    ranked = sorted(shared, key=rank)
    dense = {block.column for block in layout.of_kind("scalar")}
    parts = following(table, ranked, [name for name in ranked if name not in dense], rng)
    written: dict[str, None] = {}

    def write(name: str) -> None:
        for part in parts[name]:
            if part not in written:
                write(part)
        written.setdefault(name)

    for name in ranked:
        write(name)
    return tuple(written)


def effective_classes(part: Part, encoded: Encoded) -> float:
    """Of the column of `part`, the exponential of its entropy: as many equally common classes would
    be as hard to guess. Gaps are one class. 0 for columns with a density, a place or more blocks
    than one."""
    blocks = part.layout.blocks
    if (
        len(blocks) != 1
        or blocks[0].kind == "scalar"
        or any(p is not None for p in blocks[0].places)
    ):
        return 0.0
    codes = part.take(encoded).codes[:, 0]
    shares = np.bincount(codes[codes >= 0]) / max(len(codes), 1)
    there = shares[shares > 0]
    return float(np.exp(-(there * np.log(there)).sum()))


def _unique(column: Column) -> bool:
    there = int(np.count_nonzero(column.codes >= 0))
    return bool(len(column.compact().levels) > DISTINCT * there)


def dependence(layout: Layout, encoded: Encoded, rng: np.random.Generator) -> dict[str, float]:
    """Of each modelled column, its mutual information with the others, in nats. Cost: pairs of
    columns times at most 20,000 rows, fewer in tables of more than 200 columns."""
    names = list(dict.fromkeys(block.column for block in layout.blocks))
    pairs = max(len(names) ** 2 / 2, 1)
    rows = int(ROWS * min(1.0, _PAIRS / pairs))
    if len(encoded) > rows:
        encoded = encoded.rows(rng.choice(len(encoded), rows, replace=False))
    binned = [_binned(layout.of_column(name).take(encoded)) for name in names]
    total = dict.fromkeys(names, 0.0)
    for i, one in enumerate(names):
        for j in range(i):
            shared = mutual_information(binned[i], binned[j])
            total[one] += shared
            total[names[j]] += shared
    return total


def mutual_information(a: Bins, b: Bins) -> float:
    """Of two columns of bins [n], in nats, never below 0."""
    table = np.bincount(a * (b.max() + 1) + b, minlength=(a.max() + 1) * (b.max() + 1))
    joint = table.reshape(a.max() + 1, b.max() + 1) / len(a)
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    expected = np.outer(rows, columns)
    there = joint > 0
    nats = float((joint[there] * np.log(joint[there] / expected[there])).sum())
    used = (np.count_nonzero(rows) - 1) * (np.count_nonzero(columns) - 1)
    return max(nats - used / (2 * len(a)), 0.0)


def _binned(column: Encoded) -> Bins:
    """The rows of one column in at most BINS bins and a few; neighbours share one."""
    parts = [*(column.codes.T.astype(np.int64) + 1), *(_quantiles(s) for s in column.scalars.T)]
    joined = np.zeros(len(column), np.int64)
    for part in parts:
        joined = joined * (part.max() + 1) + part
    _, level, counts = np.unique(joined, return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    shared = (before * BINS // max(len(column), 1)).astype(np.int64)
    return np.unique(shared[level], return_inverse=True)[1]


def _quantiles(values: NDArray[np.float32]) -> Bins:
    """Equal shares of the values that are there; the rest is a bin of its own."""
    there = ~np.isnan(values)
    edges = np.quantile(values[there], np.linspace(0, 1, BINS + 1)[1:-1]) if there.any() else [0.0]
    return np.where(there, 1 + np.searchsorted(edges, values), 0)
