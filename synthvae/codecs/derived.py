"""A column that is computed from others, and so not learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.parts import Form
from synthvae.codecs.relations import Texts, column_of
from synthvae.constraints.checks import result_of
from synthvae.constraints.reading import Readers
from synthvae.constraints.rules import Equation
from synthvae.table import Column, Table

COMPUTED = "="  # in place of a computed value


@dataclass(frozen=True)
class Derived:
    """The column of `rule` is not learnt but computed; where it is missing although it could be
    computed, that is learnt (`partly`). It is missing where an operand is."""

    rule: Equation
    readers: Readers
    form: Form
    partly: bool

    kind = "derived"

    @staticmethod
    def fit(rule: Equation, table: Table, readers: Readers, form: Form) -> Derived:
        mine = {name: readers[name] for name in rule.columns}
        gone = mine[rule.column].absent(table[rule.column])
        partly = bool((gone & ~np.isnan(result_of(rule, table, mine))).any())
        return Derived(rule, mine, form, partly)

    @property
    def restores(self) -> tuple[str, ...]:
        return (self.rule.column,)

    @property
    def reads(self) -> tuple[str, ...]:
        return self.rule.formula.columns

    @property
    def learnt(self) -> tuple[tuple[str, str], ...]:
        return ((self.rule.column, "categorical"),) if self.partly else ()

    def forward(self, table: Table) -> list[Column]:
        if not self.partly:
            return []
        column = table[self.rule.column]
        gone = self.readers[column.name].absent(column)
        codes = np.where(gone, np.where(column.codes < 0, -1, column.codes + 1), 0)
        levels = pa.concat_arrays([pa.array([COMPUTED]), column.levels])
        return [Column(column.name, codes.astype(np.int32), levels).compact()]

    def backward(self, texts: Texts) -> Texts:
        name = self.rule.column
        table = Table(tuple(column_of(one, texts[one]) for one in self.reads))
        result = result_of(self.rule, table, self.readers)
        there = ~np.isnan(result)
        if self.partly:
            there &= pc.equal(texts[name], COMPUTED).to_numpy(zero_copy_only=False)
        written = self.form.render(
            np.where(there, result, 0.0), np.full(len(result), -1, np.int32), "text"
        )
        empty = pa.scalar(empty_form(self.form))
        if self.partly:
            computed = pc.equal(texts[name], COMPUTED)
            empty = pc.if_else(computed, empty, texts[name])
        return {name: pc.if_else(pa.array(there), written, empty)}

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "column": self.rule.column,
            "equals": self.rule.equals,
            "partly": self.partly,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any], readers: Readers, forms: Mapping[str, Any]) -> Derived:
        rule = Equation(data["column"], data["equals"])
        return Derived(rule, readers, forms[rule.column], data["partly"])


def empty_form(form: Form) -> str:
    """How a column writes 'no value'."""
    pairs = zip(form.specials.texts, form.specials.missing, strict=True)
    return next((text for text, missing in pairs if missing), "")
