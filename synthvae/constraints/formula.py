"""Arithmetic of columns, `price * quantity`: parsed by Python, evaluated by us, never executed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from synthvae.written import Values

_BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: lambda left, right: np.divide(left, np.where(right == 0, np.nan, right)),
}
_CALLS: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs,
    "min": lambda *values: np.minimum.reduce(np.broadcast_arrays(*values)),
    "max": lambda *values: np.maximum.reduce(np.broadcast_arrays(*values)),
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
}
_SEVERAL = ("min", "max")  # others take one value
_QUOTED = re.compile(r"`([^`]+)`")
_LARGEST = sys.float_info.max
_MOST = 1000  # characters: deeper nesting than they hold is refused by Python itself


@dataclass(frozen=True)
class Formula:
    """`text` with the names of columns, in backticks where they are no Python names: numbers,
    + - * /, brackets, abs, min, max, floor, ceil and round. ValueError for anything else."""

    text: str

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError(f"a formula names columns, but '{self.text}' names none")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return tuple(dict.fromkeys(_names(self._tree, self._quoted)))

    @cached_property
    def _quoted(self) -> dict[str, str]:
        """The columns in backticks, by the name that stands for each."""
        return {f"_quoted_{i}": name for i, name in enumerate(_QUOTED.findall(self.text))}

    @cached_property
    def _tree(self) -> ast.expr:
        places = iter(self._quoted)
        text = _QUOTED.sub(lambda _: next(places), self.text)
        try:
            if len(text) > _MOST:
                raise ValueError(f"it has more than {_MOST} characters")
            return ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(
                f"a formula is arithmetic, but '{self.text}' is not: {error}"
            ) from None

    def of(self, values: Mapping[str, Values]) -> Values:
        """The result [N] of columns [N]; NaN where it has none (x / 0, a missing operand)."""
        with np.errstate(all="ignore"):
            found = np.asarray(_evaluate(self._tree, values, self._quoted), np.float64)
        rows = len(next(iter(values.values())))
        return np.where(np.isfinite(found), found, np.nan) * np.ones(rows)


def _names(node: ast.expr, quoted: Mapping[str, str]) -> list[str]:
    """The columns of `node`. ValueError if it holds what is no arithmetic."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _names(left, quoted) + _names(right, quoted)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _names(operand, quoted)
        case ast.Constant(value=int() | float() as value) if (
            not isinstance(value, bool) and value <= _LARGEST
        ):
            return []
        case ast.Name(id=name):
            return [quoted.get(name, name)]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS and args:
            if len(args) > 1 and name not in _SEVERAL:
                raise ValueError(
                    f"{name} takes one value, but '{ast.unparse(node)}' has {len(args)}; results "
                    "are rounded to the decimals of the column by themselves"
                )
            return [column for arg in args for column in _names(arg, quoted)]
    raise ValueError(
        f"a formula is made of columns, numbers, + - * /, brackets, {', '.join(_CALLS)}, but "
        f"'{ast.unparse(node)}' is none of them; put column names with spaces in `backticks`"
    )


def _evaluate(node: ast.expr, values: Mapping[str, Values], quoted: Mapping[str, str]) -> Any:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            operands = (_evaluate(side, values, quoted) for side in (left, right))
            return _BINARY[type(op)](*operands)
        case ast.UnaryOp(op=op, operand=operand):
            inside = _evaluate(operand, values, quoted)
            return np.negative(inside) if isinstance(op, ast.USub) else inside
        case ast.Name(id=name):
            return values[quoted.get(name, name)]
        case ast.Call(func=ast.Name(id=name), args=args):
            return _CALLS[name](*(_evaluate(arg, values, quoted) for arg in args))
        case ast.Constant(value=int() | float() as value):
            return np.float64(value)
    raise AssertionError(f"{node} was let through")
