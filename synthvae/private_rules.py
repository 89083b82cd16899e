"""Constraints of a private fit: declared, so true and free; the real rows are never held to them.

Columns that go together are counted as one, a computed column is not counted at all; of the rows
that are drawn from the counts those that break a constraint are dropped. Whether a real row breaks
one is neither said nor shown by what is made of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthvae.codecs.arranging import free_name, groups_of
from synthvae.codecs.relations import Combined, column_of
from synthvae.constraints.checks import check_rules, kept, result_of
from synthvae.constraints.reading import MADE_UP, readers_declared, readers_of
from synthvae.constraints.rules import Equation, Rule, Unique
from synthvae.errors import PrivacyError, SchemaError
from synthvae.marginals.domain import declared
from synthvae.marginals.engine import Drawn
from synthvae.marginals.forms import by_value
from synthvae.metadata import ColumnMetadata, Metadata
from synthvae.private_checks import check_computed, check_ranges
from synthvae.schema import MISSING, OTHER, resolve
from synthvae.table import Column, Table

FEWEST = 1000  # rows that are left, of those that were drawn
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PrivateRules:
    """`rules` of a table with columns `names`, and what it takes to keep them."""

    rules: tuple[Rule, ...]
    metadata: Metadata
    names: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def combined(self) -> list[Combined]:
        """Columns that are counted as one."""
        return [Combined(g, free_name(g, self.names)) for g in groups_of(self.rules)]

    @property
    def computed(self) -> list[Equation]:
        """Columns that are not counted, each after those that its formula reads."""
        return [rule for rule in self.rules if isinstance(rule, Equation)]

    def counted(self, table: Table) -> tuple[Table, Metadata]:
        """What is counted in place of `table`, and its metadata: each row follows from itself."""
        columns = {c.name: by_value(c, self._format(c.name)) for c in table.columns}
        described = dict(self.metadata.columns)
        for rule in self.computed:
            columns.pop(rule.column, None)
            described.pop(rule.column, None)
        for one in self.combined:
            (columns[one.name],) = one.forward(Table(tuple(columns[n] for n in one.columns)))
            described[one.name] = ColumnMetadata("categorical")
            for name in one.columns:
                del columns[name], described[name]
        return Table(tuple(columns.values())), replace(self.metadata, columns=described)

    def _format(self, name: str) -> str:
        column = self.metadata.columns.get(name)
        return str(column.options.get("datetime_format") or "") if column else ""

    def obeyed(self, drawn: Drawn) -> Drawn:
        """`drawn` rows as the table has them, without those that break a rule. PrivacyError if too
        few are left."""
        columns = {column.name: column for column in drawn.table.columns}
        good = np.ones(len(drawn.table), bool)
        for one in self.combined:
            texts, known = _lists(columns.pop(one.name), len(one.columns))
            good &= known
            restored = one.backward({one.name: texts})
            columns |= {n: column_of(n, _nulled(text)) for n, text in restored.items()}
        self._check_enough(good)
        rows = {name: self._left(column, good) for name, column in columns.items()}
        for rule in self.computed:
            rows[rule.column] = self._computed(rule, rows)
        table = Table(tuple(rows[name] for name in self.names))
        good = self._good(table)
        self._check_enough(good, len(drawn.table))
        table = Table(tuple(self._left(column, good).compact() for column in table.columns))
        return replace(drawn, table=table, provenance=self._provenance(drawn))

    def _check_enough(self, good: Mask, drawn: int = 0) -> None:
        """PrivacyError if too few rows are `good`, of as many as were `drawn`."""
        if (left := good.sum()) < FEWEST:
            raise PrivacyError(
                f"rows are drawn from noisy counts, and those that break a constraint are dropped, "
                f"but of {drawn or len(good):,} only {left:,} are left; drop a constraint, or "
                "spend more epsilon (what the counts cost is spent)"
            )

    def _provenance(self, drawn: Drawn) -> dict[str, Mapping[str, str]]:
        """Of the table's own columns, in place of those that were counted as one."""
        computed = {"kind": "declared", "formula": "declared"}
        known = {**drawn.provenance, **{rule.column: computed for rule in self.computed}}
        known |= {name: known[one.name] for one in self.combined for name in one.columns}
        return {name: known[name] for name in self.names}

    def _left(self, column: Column, good: Mask) -> Column:
        """`column` where rows are `good`. If no value is left there, one is put back, unless a rule
        binds the column: then PrivacyError."""
        absent = MISSING | frozenset(self.missing)
        there = np.array([*(text not in absent for text in column.texts), False])[column.codes]
        left = column.rows(good)
        if there[good].any():
            return left
        # A predicate names no columns, and may read all.
        bound = any(not rule.columns or column.name in rule.columns for rule in self.rules)
        if bound or not there.any():
            raise PrivacyError(
                "rows are drawn from noisy counts, and those that break a constraint are dropped, "
                f"but then column '{column.name}' has no value left; drop a constraint, or leave "
                "the column out"
            )
        codes = left.codes.copy()
        codes[0] = column.codes[there][0]
        return replace(left, codes=codes)

    def _computed(self, rule: Equation, rows: dict[str, Column]) -> Column:
        """The column of `rule`, in the decimal places that are declared, or at most six."""
        table = Table(tuple(rows[name] for name in rule.formula.columns))
        described = {name: self.metadata.columns[name] for name in table.names}
        schema = resolve(Metadata(described), table, self.missing)
        values = result_of(rule, table, readers_of(schema, table))
        places = self.metadata.columns[rule.column].options.get("decimal_places")
        there = ~np.isnan(values)
        if places is None:
            texts = [repr(value) for value in np.round(values[there], 6).tolist()]
        else:
            texts = [f"{value:.{int(places)}f}" for value in values[there].tolist()]
        written = np.full(len(values), None, object)
        written[there] = texts
        return column_of(rule.column, pa.array(written, pa.string()))

    def _good(self, table: Table) -> Mask:
        """Rows [N] that keep all rules."""
        readers = readers_of(resolve(self.metadata, table, self.missing), table)
        good = np.ones(len(table), bool)
        for rule in self.rules:
            good &= kept(rule, table, readers)
        return good


def _arranged(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """`rules`, with formulas after those that compute what they read."""
    found = [rule for rule in rules if not isinstance(rule, Equation)]
    left = [rule for rule in rules if isinstance(rule, Equation)]
    while left:
        waiting = {rule.column for rule in left}
        ready = [rule for rule in left if not waiting & set(rule.formula.columns)]
        if not ready:
            raise SchemaError(
                f"a computed column follows from others, but '{left[0].column}' from itself; "
                "drop a formula"
            )
        found += ready
        left = [rule for rule in left if rule not in ready]
    return tuple(found)


def _lists(column: Column, width: int) -> tuple[pa.Array, Mask]:
    """The texts [n] of a combined column, and which of them are lists of `width`: others stand for
    what nobody declared, or for nothing."""
    known = np.array([*(_is_list(text, width) for text in column.texts), False])[column.codes]
    blank = json.dumps([None] * width)
    texts = column.levels.take(pa.array(column.codes, mask=column.codes < 0))
    return pc.if_else(pa.array(known), texts, blank), known


def _is_list(text: str, width: int) -> bool:
    if text == OTHER:
        return False
    try:
        return isinstance(found := json.loads(text), list) and len(found) == width
    except ValueError:
        return False


def _nulled(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(texts, ""), None, texts)


def private_rules(
    rules: Sequence[Rule],
    metadata: Metadata,
    names: Collection[str],
    missing: Sequence[str],
    given: Sequence[str] = (),
) -> PrivateRules | None:
    """What keeps `rules` in a private fit; None if there is nothing to do, since keys that are made
    up are unique anyway. `given` are columns that the model is conditioned on. SchemaError if rules
    don't fit the columns that are declared: all that follows from declarations is said here, before
    anything is paid for."""
    readers = readers_declared(metadata)
    check_rules(rules, readers, given)
    check_computed(rules)
    rules = [
        rule
        for rule in rules
        if not isinstance(rule, Unique)
        or not any(readers[name].kind == MADE_UP for name in rule.columns)
    ]
    if not rules:
        return None
    known = declared(metadata, names, missing)  # computed columns too, which are not counted
    check_ranges(rules, known, readers)
    return PrivateRules(_arranged(rules), metadata, tuple(names), tuple(missing))
