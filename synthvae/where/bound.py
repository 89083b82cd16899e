"""A condition whose names and values have been looked up: which rows meet it, and what it asks of
each column at least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthvae.codecs.allowed import ValueSet, paired
from synthvae.where.expression import Op

Mask = NDArray[np.bool_]
COMPARE: Mapping[Op, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True)
class Cells:
    """Values of a column [n]: numbers `values`, or the state `form` where that is not -1.
    `compared`: what two columns are compared by, numbers, seconds since 1970 or texts; `absent`:
    where there is nothing to compare."""

    values: NDArray[np.float64]
    form: NDArray[np.int32]
    compared: NDArray[Any]
    absent: Mask


@dataclass(frozen=True)
class Member:
    """Rows whose `column` has one of the values `wanted`."""

    column: str
    wanted: ValueSet


@dataclass(frozen=True)
class Pair:
    """Rows where one column's value `op` another's; neither is missing."""

    left: str
    op: Op
    right: str


@dataclass(frozen=True)
class Every:
    """Rows that meet all `parts`."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True)
class Some:
    """Rows that meet at least one of `parts`."""

    parts: tuple[Bound, ...]


Bound = Member | Pair | Every | Some


def holds(bound: Bound, cells: Mapping[str, Cells]) -> Mask:
    """Which rows [n] meet the condition."""
    if isinstance(bound, Member):
        own = cells[bound.column]
        return bound.wanted.holds(own.values, own.form)
    if isinstance(bound, Pair):
        left, right = cells[bound.left], cells[bound.right]
        there = ~(left.absent | right.absent)
        met: Mask = there & COMPARE[bound.op](left.compared, right.compared)
        return met
    how = np.logical_and if isinstance(bound, Every) else np.logical_or
    masks: Mask = reduce(how, (holds(part, cells) for part in bound.parts))
    return masks


def columns(bound: Bound) -> Iterator[str]:
    """Every column that is looked at."""
    if isinstance(bound, Member):
        yield bound.column
    elif isinstance(bound, Pair):
        yield from (bound.left, bound.right)
    else:
        for part in bound.parts:
            yield from columns(part)


def outer(bound: Bound, possible: Callable[[str, ValueSet], bool]) -> dict[str, ValueSet] | None:
    """What each column has to be, at least, if the condition is met: exactly that, if it is a
    conjunction of conditions on single columns. None if one of the sets is not `possible`."""
    if isinstance(bound, Member):
        sets = {bound.column: bound.wanted}
    elif isinstance(bound, Pair):
        return {}
    elif isinstance(bound, Every):
        sets = {}
        for found in (outer(part, possible) for part in bound.parts):
            if found is None:
                return None
            for name, wanted in found.items():
                sets[name] = sets[name] & wanted if name in sets else wanted
    else:
        branches = [found for part in bound.parts if (found := outer(part, possible)) is not None]
        if not branches:
            return None
        shared = set.intersection(*(set(branch) for branch in branches))
        sets = {
            n: paired(ValueSet.__or__, [b[n] for b in branches]) for n in branches[0] if n in shared
        }
    return sets if all(possible(name, wanted) for name, wanted in sets.items()) else None
