"""What can be declared to hold: one frozen class a kind of constraint, with the columns it reads.

A row in which a column that a rule reads is missing keeps the rule, unless the rule is `not_null`;
`one_hot` and `fixed_combinations` take missing as a value.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from synthvae.constraints.formula import Formula


class Rule:
    """A rule of one row (`unique` alone is one of all rows)."""

    kind: ClassVar[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads; none: it may read all."""
        raise NotImplementedError

    @property
    def words(self) -> str:
        """What holds, for people."""
        raise NotImplementedError


@dataclass(frozen=True)
class _OfOne(Rule):
    """A rule of one column."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True)
class _OfSeveral(Rule):
    """A rule of columns that are named in a list."""

    names: tuple[str, ...]
    least: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if len(set(self.names)) < max(self.least, len(self.names)):
            few = "a column" if self.least == 1 else "two columns"
            raise ValueError(
                f"{self.kind} takes {few} or more, each once, but it has {list(self.names)}"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        return self.names


@dataclass(frozen=True)
class Inequality(Rule):
    """`low` <= `high`, or < if `strict`: two columns of numbers, or two of dates."""

    low: str
    high: str
    strict: bool = False
    kind = "inequality"

    def __post_init__(self) -> None:
        if self.low == self.high:
            raise ValueError(f"an inequality has two columns, but both are '{self.low}'")

    @property
    def columns(self) -> tuple[str, ...]:
        return self.low, self.high

    @property
    def words(self) -> str:
        return f"'{self.low}' {'<' if self.strict else '<='} '{self.high}'"


@dataclass(frozen=True)
class Bounds(_OfOne):
    """`min` <= `column` <= `max`, numbers or texts of dates; None: no bound."""

    min: float | str | None = None
    max: float | str | None = None
    strict: bool = False
    kind = "range"

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ValueError(f"a range has min, max, low or high, but that of '{self.column}' none")

    @property
    def words(self) -> str:
        sign = " < " if self.strict else " <= "
        ends = [None if end is None else str(end) for end in (self.min, self.max)]
        return sign.join(part for part in (ends[0], f"'{self.column}'", ends[1]) if part)


@dataclass(frozen=True)
class Combinations(_OfSeveral):
    """The values of `columns` go together as they do in some row of the table."""

    kind = "fixed_combinations"
    least = 2

    @property
    def words(self) -> str:
        return f"combinations of {_listed(self.names)} are those of the table"


@dataclass(frozen=True)
class OneHot(_OfSeveral):
    """One of `columns` is 1 (or true), all others are 0 (or false); or all are missing."""

    kind = "one_hot"
    least = 2

    @property
    def words(self) -> str:
        return f"one of {_listed(self.names)} is 1, the others are 0"


@dataclass(frozen=True)
class Equation(Rule):
    """`column` is what the formula `equals` gives, rounded to the column's decimals; `tolerance`
    (None: half of its last decimal place) says how far off the table's own rows may be."""

    column: str
    equals: str
    tolerance: float | None = None
    kind = "formula"

    def __post_init__(self) -> None:
        if self.column in self.formula.columns:
            raise ValueError(f"a formula gives '{self.column}' from other columns, but reads it")

    @property
    def formula(self) -> Formula:
        return Formula(self.equals)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column, *self.formula.columns)

    @property
    def words(self) -> str:
        return f"'{self.column}' = {self.equals}"


@dataclass(frozen=True)
class Increments(_OfOne):
    """`column` is a whole multiple of `step`."""

    step: float
    kind = "increments"

    def __post_init__(self) -> None:
        if not self.step > 0:
            raise ValueError(f"increments have a step above 0, but it is {self.step}")

    @property
    def words(self) -> str:
        return f"'{self.column}' is a multiple of {self.step:g}"


@dataclass(frozen=True)
class Unique(_OfSeveral):
    """No two rows hold the same values of `columns`, unless one of them is missing."""

    kind = "unique"

    @property
    def words(self) -> str:
        return f"{_listed(self.names)}: no two rows alike"


@dataclass(frozen=True)
class NotNull(_OfSeveral):
    """`columns` have a value in every row."""

    kind = "not_null"

    @property
    def words(self) -> str:
        return f"{_listed(self.names)}: never missing"


@dataclass(frozen=True)
class Regex(_OfOne):
    """The whole text of `column` matches `pattern`."""

    pattern: str
    kind = "regex"

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(
                f"a pattern is a regular expression: '{self.pattern}', {error}"
            ) from None

    @property
    def words(self) -> str:
        return f"'{self.column}' matches {self.pattern}"


@dataclass(frozen=True)
class Predicate(Rule):
    """`function`, as `module:name`, takes a DataFrame and returns a boolean for each row. It is the
    user's own code: imported where the user names it, never because a model file does."""

    function: str
    kind = "predicate"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.]+:\w+", self.function):
            raise ValueError(f"a predicate is module:function, but it is '{self.function}'")

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    @property
    def words(self) -> str:
        return self.function


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


RULES: Mapping[str, type[Rule]] = {
    rule.kind: rule
    for rule in (Inequality, Bounds, Combinations, OneHot, Equation, Increments, Unique, NotNull,
                 Regex, Predicate)
}  # fmt: skip


def to_json(rule: Rule) -> dict[str, Any]:
    """A rule as plain data, for a model file."""
    fields = dataclasses.fields(rule)  # type: ignore[arg-type]
    return {"kind": rule.kind, **{field.name: getattr(rule, field.name) for field in fields}}


def from_json(data: Mapping[str, Any]) -> Rule:
    """The rule that `to_json` wrote."""
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "kind"}
    return RULES[data["kind"]](**options)
