"""Which rows keep a rule, and what is said of a table whose rows do not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd

from synthvae.constraints.predicates import named_function
from synthvae.constraints.reading import MADE_UP, MOMENT, NUMBER, Mask, Readers, frame_of
from synthvae.constraints.rules import (
    Bounds,
    Combinations,
    Equation,
    Increments,
    Inequality,
    NotNull,
    OneHot,
    Predicate,
    Regex,
    Rule,
    Unique,
)
from synthvae.errors import Problems, SchemaError, UsageError, hint
from synthvae.table import Column, Table
from synthvae.written import Values

SHOWN = 3  # rows, as examples
_ROUNDING = 1e-9
_ONE = frozenset(["1", "1.0", "true", "yes", "t", "y"])
_ZERO = frozenset(["0", "0.0", "false", "no", "f", "n"])


def kept(rule: Rule, table: Table, readers: Readers) -> Mask:
    """Which rows [N] of `table` keep `rule`. Of equal rows the first one keeps `unique`."""
    if not len(table):
        return np.ones(0, bool)
    return _kept(rule, table, readers)


@singledispatch
def _kept(rule: Rule, table: Table, readers: Readers) -> Mask:
    raise AssertionError(f"no check of {rule}")


@_kept.register
def _(rule: Inequality, table: Table, readers: Readers) -> Mask:
    low, high = (readers[name].values(table[name]) for name in rule.columns)
    return ~(low >= high) if rule.strict else ~(low > high)


@_kept.register
def _(rule: Bounds, table: Table, readers: Readers) -> Mask:
    values = readers[rule.column].values(table[rule.column])
    ends = [_bound(end, rule.column, readers) for end in (rule.min, rule.max)]
    low, high = (-np.inf if ends[0] is None else ends[0], np.inf if ends[1] is None else ends[1])
    if rule.strict:
        return ~((values <= low) | (values >= high))
    return ~((values < low) | (values > high))


def _bound(end: float | str | None, column: str, readers: Readers) -> float | None:
    if end is None or isinstance(end, (int, float)):
        return end
    return readers[column].moment(end)


@_kept.register
def _(rule: Combinations, table: Table, readers: Readers) -> Mask:
    return np.ones(len(table), bool)  # those of the table are what is declared


@_kept.register
def _(rule: OneHot, table: Table, readers: Readers) -> Mask:
    ones, zeros, gone = (np.zeros(len(table), np.int64) for _ in range(3))
    for name in rule.columns:
        column = table[name]
        lowered = [text.lower() for text in column.texts]
        gone += readers[name].absent(column)
        ones += np.array([*(text in _ONE for text in lowered), False])[column.codes]
        zeros += np.array([*(text in _ZERO for text in lowered), False])[column.codes]
    width = len(rule.columns)
    mask: Mask = ((ones == 1) & (zeros == width - 1)) | (gone == width)
    return mask


@_kept.register
def _(rule: Equation, table: Table, readers: Readers) -> Mask:
    values = readers[rule.column].values(table[rule.column])
    result = result_of(rule, table, readers)
    margin = half_step(table[rule.column]) if rule.tolerance is None else rule.tolerance
    allowed = margin + _ROUNDING * np.maximum(np.abs(values), np.abs(result))
    return ~(np.abs(values - result) > allowed)


def result_of(rule: Equation, table: Table, readers: Readers) -> Values:
    """What the formula of `rule` gives for each row [N]; NaN where it gives nothing."""
    formula = rule.formula
    return formula.of({name: readers[name].values(table[name]) for name in formula.columns})


def half_step(column: Column) -> float:
    """Half of the last decimal place in which numbers of `column` are written; dates are exact."""
    places = [len(text.partition(".")[2]) for text in column.texts if "e" not in text.lower()]
    return 0.5 * 10.0 ** -max(places, default=0)


@_kept.register
def _(rule: Increments, table: Table, readers: Readers) -> Mask:
    steps = readers[rule.column].values(table[rule.column]) / rule.step
    off: Values = np.abs(steps - np.rint(steps))
    return ~(off > _ROUNDING * np.maximum(1.0, np.abs(steps)))


@_kept.register
def _(rule: NotNull, table: Table, readers: Readers) -> Mask:
    absent: Mask = np.any([readers[name].absent(table[name]) for name in rule.columns], axis=0)
    return ~absent


@_kept.register
def _(rule: Regex, table: Table, readers: Readers) -> Mask:
    column, pattern = table[rule.column], re.compile(rule.pattern)
    fits = [pattern.fullmatch(text) is not None for text in column.texts]
    mask: Mask = np.array([*fits, True])[column.codes] | readers[rule.column].absent(column)
    return mask


@_kept.register
def _(rule: Unique, table: Table, readers: Readers) -> Mask:
    codes = pd.DataFrame({name: table[name].codes for name in rule.columns})
    gone = np.any([readers[name].absent(table[name]) for name in rule.columns], axis=0)
    return np.asarray(~codes.duplicated().to_numpy() | gone)


@_kept.register
def _(rule: Predicate, table: Table, readers: Readers) -> Mask:
    answer: Any = named_function(rule.function)(frame_of(table, readers))
    try:
        mask = np.asarray(answer)
        if mask.shape == (len(table),) and pd.api.types.is_bool_dtype(answer):
            return mask.astype(bool)
    except (TypeError, ValueError):
        pass
    raise UsageError(
        f"a predicate takes a DataFrame and returns a boolean for each of its rows, but "
        f"'{rule.function}' returned {type(answer).__name__}; return a boolean Series"
    )


def check_rules(rules: Sequence[Rule], readers: Readers, given: Sequence[str] = ()) -> None:
    """SchemaError with every reason why `rules` do not fit the columns, whatever stands in them.
    `given` are columns that the model is conditioned on."""
    problems = Problems()
    for rule in rules:
        for name in dict.fromkeys(rule.columns):
            if name not in readers:
                problems.add(
                    f"a constraint binds columns of the table, but {rule.kind} ({rule.words}) "
                    f"names '{name}'; {hint(name, readers)}"
                )
                continue
            wrong = _misread(rule, name, readers, given)
            if wrong:
                problems.add(f"column '{name}': {rule.kind} ({rule.words}) {wrong}")
    problems.raise_as(SchemaError)


def _misread(rule: Rule, name: str, readers: Readers, given: Sequence[str]) -> str:
    """What is wrong with `rule` reading column `name`; '' if nothing is."""
    kind = readers[name].kind
    if isinstance(rule, (Combinations, OneHot)) and name in given:
        return "is kept as one column, but this one is a condition; drop one of the two"
    if isinstance(rule, Equation) and rule.column == name and name in given:
        return "is computed, but the column is a condition; drop one of the two"
    if isinstance(rule, Equation) and rule.column == name and kind == MADE_UP:
        return "computes a column that is made up; declare it numerical"
    if kind == MADE_UP and not isinstance(rule, (Unique, NotNull)):
        return (
            "binds a column that is learnt, but this one is made up; declare it categorical or "
            "numerical, or give an id the regex_format in the metadata"
        )
    if isinstance(rule, Inequality) and len({readers[n].kind for n in rule.columns
                                             if n in readers}) > 1:  # fmt: skip
        return "compares numbers with numbers or dates with dates; declare both alike"
    if isinstance(rule, (Equation, Increments)) and kind != NUMBER:
        return "takes numbers; declare the column numerical"
    if isinstance(rule, (Inequality, Bounds)) and kind not in (NUMBER, MOMENT):
        return "takes numbers or dates; declare the column so"
    if isinstance(rule, Bounds):
        return _wrong_bounds(rule, kind, readers)
    return ""


def _wrong_bounds(rule: Bounds, kind: str, readers: Readers) -> str:
    for end in (rule.min, rule.max):
        if end is not None and isinstance(end, str) != (kind == MOMENT):
            return f"has a bound {end!r}, but the column holds {kind}s; write one of those"
        if isinstance(end, str):
            try:
                readers[rule.column].moment(end)
            except ValueError:
                return f"has a bound '{end}', which is no date; write it as 2020-01-31"
    return ""


def check_table(rules: Sequence[Rule], table: Table, readers: Readers) -> None:
    """SchemaError that says of each rule that rows break how many do, and which; never a value."""
    problems = Problems()
    for rule in rules:
        broken = np.flatnonzero(~kept(rule, table, readers))
        if len(broken):
            first = ", ".join(f"{row + 1:,}" for row in broken[:SHOWN].tolist())
            more = ", ..." if len(broken) > SHOWN else ""
            problems.add(
                f"a constraint holds in every row of the table, but {rule.kind} ({rule.words}) is "
                f"broken in {len(broken):,} of {len(table):,} rows, the first of them {first}"
                f"{more}; correct or leave out those rows, or drop the constraint"
            )
    problems.raise_as(SchemaError)
