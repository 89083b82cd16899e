"""A table of new rows under differential privacy: declared or paid for, counted, fitted, drawn.

table -> classes of declared or discovered columns -> noisy counts -> chain -> rows -> table

Discovery and counting meet the rows, and hand integer counts to the ledger; everything else sees
noisy ones. What comes out may be learnt by any model without further cost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.marginals.agreement import agreed
from synthvae.marginals.axes import Axis, CategoryAxis, Classes, NumberAxis, PresenceAxis, column_of
from synthvae.marginals.chain import draw_rows
from synthvae.marginals.discover import asks, discovered
from synthvae.marginals.domain import Declared, declared, ticks_of
from synthvae.marginals.forms import by_value, declared_forms
from synthvae.marginals.measure import count_pairs
from synthvae.marginals.shares import OneWay, Shares, TwoWay
from synthvae.marginals.trees import count_bins, levels
from synthvae.metadata import Metadata
from synthvae.privacy.ledger import Ledger
from synthvae.schema import MISSING
from synthvae.seeds import derive, stream
from synthvae.table import Column, Table


@dataclass(frozen=True)
class Spending:
    """Shares of the budget: for what is not declared (`pairs` get what is left of it), for single
    columns, for scores of pairs, and for counts of dependent ones. What is left over is for who
    comes next."""

    discovery: float = 0.1
    columns: float = 0.2
    scores: float = 0.05
    pairs: float = 0.65


@dataclass(frozen=True)
class Drawn:
    """New rows; about how many there were of the old ones; of each column, its classes, and how
    much of it was `declared` and how much `paid`."""

    table: Table
    rows: float
    axes: Sequence[Axis]
    provenance: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class _Counted:
    axis: Axis
    classes: Classes
    counts: Shares
    sigmas: Shares


@dataclass(frozen=True)
class Met:
    """A `table`, every value in a form that follows from it alone, and what is declared of its
    `columns`; texts that mean 'no value' are `missing`."""

    table: Table
    columns: Sequence[Declared]
    missing: frozenset[str]


def meet(table: Table, metadata: Metadata, missing: Collection[str] = ()) -> Met:
    """`table` under `metadata`; `missing` adds to the texts that mean 'no value'. SchemaError if
    metadata and column names don't fit; nothing is said about rows."""
    columns = declared(metadata, table.names, missing)
    columns = [_in_forms(column, table[column.name].storage) for column in columns]
    table = Table(tuple(by_value(table[column.name], column.format) for column in columns))
    return Met(table, columns, MISSING | frozenset(missing))


def draw_private(
    met: Met,
    ledger: Ledger,
    rows: int,
    seed: int,
    watch: Callable[[float], None] = lambda _: None,
    spending: Spending = Spending(),
) -> Drawn:
    """`rows` new rows of the table that was `met`, paid for by `ledger`. `watch` is told the share
    of the work that is done."""
    table = met.table
    provenance = {column.name: _provenance(column) for column in met.columns}
    columns = _discovered(met.columns, table, ledger, spending.discovery)
    left = spending.discovery - ledger.spent
    counted = _one_way(columns, table, ledger, spending.columns)
    total = _total(counted)
    ones = [OneWay.of(c.counts, c.sigmas, total, c.axis.ordered, c.axis.doubtful) for c in counted]
    classes = np.stack([c.classes for c in counted], axis=1)
    pairs: list[TwoWay] = []
    if spending.pairs:
        fine = spending.pairs + left
        pairs = count_pairs(ledger, classes, ones, total, spending.scores, fine)
        ones = agreed(ones, pairs)
    drawn = draw_rows(ones, pairs, total, rows, derive(seed, "chain"), watch)
    new = [
        _written(c, drawn[:, i], met.missing, stream(seed, "texts", c.axis.name))
        for i, c in enumerate(counted)
    ]
    axes = [c.axis for c in counted]
    return Drawn(Table(tuple(new)), total, axes, provenance)


def _in_forms(column: Declared, storage: str) -> Declared:
    if column.levels is None:
        return column
    return replace(column, levels=declared_forms(column.levels, storage))


def _discovered(
    columns: Sequence[Declared], table: Table, ledger: Ledger, most: float
) -> list[Declared]:
    wanted = sum(asks(column) for column in columns)
    categories = sum(column.sdtype == "categorical" and column.levels is None for column in columns)
    share = most / max(wanted, 1)
    delta = ledger.key_delta_left / max(categories, 1)
    return [discovered(ledger, column, table[column.name], share, delta) for column in columns]


def _one_way(
    columns: Sequence[Declared], table: Table, ledger: Ledger, most: float
) -> list[_Counted]:
    ticks = {
        column.name: ticks_of(column, column.low, column.high, column.places)
        for column in columns
        if column.low is not None and column.high is not None and column.places is not None
    }
    times = {c.name: levels(ticks[c.name].cells) if c.name in ticks else 1 for c in columns}
    share = most / sum(times.values())
    counted = []
    for column in columns:
        name, data = column.name, table[column.name]
        if name in ticks:
            index = ticks[name].index(data)
            cells, paid = ticks[name].cells, share * times[name]
            bins = count_bins(ledger, "one-way", name, index, cells, paid, column.nullable)
            axis: Axis = NumberAxis(name, ticks[name], bins.starts)
            counted.append(_Counted(axis, axis.classes(data), bins.counts, bins.sigmas))
        else:
            counted.append(_counted(_named(column), data, ledger, share))
    return counted


def _named(column: Declared) -> CategoryAxis | PresenceAxis:
    if column.kind == "category":
        closed = column.sdtype == "boolean"
        return CategoryAxis(
            column.name, column.levels or (), column.missing, closed, column.nullable
        )
    return PresenceAxis(column.name, column.missing, column.nullable)


def _counted(axis: Axis, data: Column, ledger: Ledger, share: float) -> _Counted:
    classes = axis.classes(data)
    noisy = ledger.counts("one-way", axis.name, np.bincount(classes, minlength=axis.size), share)
    return _Counted(axis, classes, noisy.values, np.full(axis.size, noisy.sigma))


def _written(
    counted: _Counted, drawn: Classes, absent: Collection[str], rng: np.random.Generator
) -> Column:
    """A column of `drawn` classes [n]. If none of them is a value, the first one becomes the value
    that was counted most: what learns from the column wants one, and it has been paid for."""
    texts = counted.axis.texts(drawn, rng)
    if not pc.all(pc.is_in(texts, _with_null(absent))).as_py():
        return column_of(counted.axis.name, texts)
    most = np.argsort(-counted.counts, kind="stable")
    others = counted.axis.texts(most, rng)
    values = others.filter(pc.invert(pc.is_in(others, _with_null(absent))))
    return column_of(counted.axis.name, pa.concat_arrays([values[:1], texts[len(values[:1]) :]]))


def _with_null(absent: Collection[str]) -> pa.Array:
    return pa.array([*sorted(absent), None], pa.string())


def _total(counted: Sequence[_Counted]) -> float:
    """The number of rows, from all columns; those whose counts are least noisy weigh most."""
    totals = np.array([c.counts.sum() for c in counted])
    weights = np.array([1 / (c.sigmas**2).sum() for c in counted])
    return float(max((totals * weights).sum() / weights.sum(), 1.0))


def _provenance(column: Declared) -> dict[str, str]:
    def of(given: object) -> str:
        return "paid" if given is None else "declared"

    always = {"kind": "declared", "missing": "paid" if column.nullable else "declared"}
    if column.kind == "category":
        return {**always, "categories": of(column.levels)}
    if column.kind == "number":
        ends = of(None if column.low is None or column.high is None else True)
        return {**always, "bounds": ends, "decimal places": of(column.places)}
    if column.kind == "moment":
        ends = "default" if column.default else "declared"
        return {**always, "bounds": ends, "format": "declared"}
    return always
