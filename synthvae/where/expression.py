"""What a condition says, as a tree. Names and values are as written; nothing is looked up yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Op = Literal["==", "!=", "<", "<=", ">", ">="]
FLIPPED: dict[Op, Op] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
OPPOSITE: dict[Op, Op] = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True)
class Operand:
    """A name or a value; `at`: where it begins. `name`s are bare or in backticks, a `text` is
    quoted (on the left of an operator it may name a column), a `number` is neither."""

    text: str
    kind: Literal["name", "text", "number"]
    at: int


@dataclass(frozen=True)
class Comparison:
    """`left` `op` `right`."""

    left: Operand
    op: Op
    right: Operand
    at: int


@dataclass(frozen=True)
class OneOf:
    """`column` is one of `values`, or `negated`: is not missing and none of them."""

    column: Operand
    values: tuple[Operand, ...]
    negated: bool = False


@dataclass(frozen=True)
class Missing:
    """`column` is missing, or `negated`: is not."""

    column: Operand
    negated: bool = False


@dataclass(frozen=True)
class All:
    """Every one of `parts`."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Any:
    """At least one of `parts`."""

    parts: tuple[Expression, ...]


Expression = Comparison | OneOf | Missing | All | Any


def negation(of: Expression) -> Expression:
    """What `not` makes of an expression, pushed down to the comparisons: as in SQL, neither a
    comparison with a missing value nor its opposite holds."""
    if isinstance(of, All):
        return Any(tuple(negation(part) for part in of.parts))
    if isinstance(of, Any):
        return All(tuple(negation(part) for part in of.parts))
    if isinstance(of, Comparison):
        return Comparison(of.left, OPPOSITE[of.op], of.right, of.at)
    if isinstance(of, OneOf):
        return OneOf(of.column, of.values, not of.negated)
    return Missing(of.column, not of.negated)
