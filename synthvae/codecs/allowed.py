"""Sets of values of a column, and what they allow its blocks to hold.

A codec's `allow` turns the one into the other. It may allow more than is wanted (a cell that is
wanted in part), never less, so that rows that are drawn within what is allowed and do not have a
wanted value can be told and thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthvae.codecs.grid import Grid
from synthvae.written import Values

Classes = NDArray[np.bool_]
Spans = NDArray[np.float64]  # [k, 2]: closed, ascending, disjoint

EVERYWHERE: Spans = np.array([[-np.inf, np.inf]])
NOWHERE: Spans = np.empty((0, 2))
MOST = 256  # spans of a block: each is computed for every row that is drawn


@dataclass(frozen=True)
class ValueSet:
    """Values of one column: `forms` [S] of the written forms that are states of their own
    (categories; ways of writing 'missing' and codes), and numbers within `spans`."""

    forms: Classes
    spans: Spans

    def __and__(self, other: ValueSet) -> ValueSet:
        first = np.searchsorted(other.spans[:, 1], self.spans[:, 0])
        count = np.searchsorted(other.spans[:, 0], self.spans[:, 1], "right") - first
        one = np.repeat(self.spans, count, axis=0)
        at = np.arange(len(one)) + np.repeat(first - (np.cumsum(count) - count), count)
        two = other.spans[at]
        both = [np.maximum(one[:, 0], two[:, 0]), np.minimum(one[:, 1], two[:, 1])]
        return ValueSet(self.forms & other.forms, np.stack(both, axis=1))

    def __or__(self, other: ValueSet) -> ValueSet:
        spans = np.concatenate([self.spans, other.spans])
        return ValueSet(self.forms | other.forms, _joined(spans[np.argsort(spans[:, 0])]))

    def holds(self, values: Values, form: NDArray[np.int32]) -> Classes:
        """Whether each value [n] belongs: number `values`, or the state `form` where that is not
        -1."""
        states = np.append(self.forms, False)[form]
        spans = np.concatenate([[[np.nan, np.nan]], self.spans])  # below all others is nothing
        inside = values <= spans[np.searchsorted(self.spans[:, 0], values, "right"), 1]
        held: Classes = np.where(form >= 0, states, inside)
        return held


def paired(join: Callable[[ValueSet, ValueSet], ValueSet], sets: Sequence[ValueSet]) -> ValueSet:
    """All of `sets` (one or more) as one. Neighbours first: one by one, a long list would be gone
    through as often as it is long."""
    while len(sets) > 1:
        last = sets[len(sets) & ~1 :]
        sets = [*map(join, sets[0:-1:2], sets[1::2]), *last]
    return sets[0]


def plain(values: Values) -> tuple[Values, NDArray[np.int32]]:
    """Numbers [n], none of which is a state, as `ValueSet.holds` takes them."""
    return values, np.full(len(values), -1, np.int32)


def _joined(spans: Spans) -> Spans:
    """Sorted by their lower ends -> disjoint."""
    joined: list[list[float]] = []
    for low, high in spans.tolist():
        if joined and low <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    return np.array(joined).reshape(-1, 2)


@dataclass(frozen=True)
class Allowed:
    """What the blocks of one column may hold: of each class block its `classes` [size]; of its
    scalar, if it has one, `spans` [classes of the block before it, k, 2] on the scalar's own scale,
    empty ones from infinity to minus infinity."""

    classes: tuple[Classes, ...]
    spans: NDArray[np.float64] | None = None

    @property
    def possible(self) -> bool:
        """Whether anything is allowed at all."""
        if self.spans is None or not self.classes:
            own = [*(c.any() for c in self.classes)]
            own += [] if self.spans is None else [(self.spans[..., 0] <= self.spans[..., 1]).any()]
            return bool(np.all(own))
        return bool(self.classes[0].any())


def by_class(each: list[Spans]) -> NDArray[np.float64]:
    """The spans of each class, [classes, k, 2]."""
    most = max(1, *(len(spans) for spans in each)) if each else 1
    out = np.full((len(each), most, 2), [np.inf, -np.inf])
    for row, spans in zip(out, each, strict=True):
        row[: len(spans)] = spans
    return out


def drawn_from(spans: Spans, grid: Grid, low: float, high: float) -> Spans:
    """Where a draw between `low` and `high` falls if its nearest grid point lies in `spans`: half a
    unit around grid points, and to infinity from the ends on, which stand for all beyond them."""
    ends = grid.snap(np.array([low, high]))
    inside = spans[(spans[:, 1] >= ends[0]) & (spans[:, 0] <= ends[1])].clip(*ends)
    if grid.step:
        inside = _to_grid(inside, grid) + np.array([-0.5, 0.5]) * grid.unit
    below, above = inside[:, 0] <= low, inside[:, 1] >= high
    inside = np.stack(
        [np.where(below, -np.inf, inside[:, 0]), np.where(above, np.inf, inside[:, 1])], axis=1
    )
    return _coarse(inside[inside[:, 0] < inside[:, 1]])


def _coarse(spans: Spans) -> Spans:
    """At most `MOST` spans that hold `spans`: the narrowest gaps are closed."""
    if len(spans) <= MOST:
        return spans
    gaps = spans[1:, 0] - spans[:-1, 1]
    kept = np.sort(np.argsort(gaps)[len(gaps) - MOST + 1 :])
    low, high = np.append(0, kept + 1), np.append(kept, len(spans) - 1)
    return np.stack([spans[low, 0], spans[high, 1]], axis=1)


def _to_grid(spans: Spans, grid: Grid) -> Spans:
    """The first and the last grid point of each span that has one."""
    index = grid.index(spans)
    index[:, 0] += grid.at(index[:, 0]) < spans[:, 0]
    index[:, 1] -= grid.at(index[:, 1]) > spans[:, 1]
    return grid.at(index[index[:, 0] <= index[:, 1]])
