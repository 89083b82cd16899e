"""The constraints of a table: which columns are learnt as others, and what is left to be checked.

What can be kept by construction is (relations.py); the other rules are checked on rows that are
drawn, which are drawn again where they break one (obeying.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.arranging import FORMS, Written, arranged, relation_from_json
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.parts import Draw
from synthvae.codecs.relations import Relation, Texts, column_of
from synthvae.constraints import rules as kinds
from synthvae.constraints.checks import check_rules, check_table, kept
from synthvae.constraints.reading import MADE_UP, Mask, Reader, readers_of
from synthvae.constraints.rules import (
    Combinations,
    Equation,
    Inequality,
    OneHot,
    Predicate,
    Rule,
    Unique,
)
from synthvae.layout import Encoded
from synthvae.schema import ColumnSchema, Schema
from synthvae.storage import View
from synthvae.table import Column, Table


@dataclass(frozen=True)
class Seen:
    """The `texts` [n] of a column that are known, where it is no `hole` [n]."""

    texts: pa.StringArray
    hole: Mask

    def over(self, drawn: pa.StringArray) -> pa.StringArray:
        """What is seen, and what was `drawn` elsewhere."""
        return pc.if_else(pa.array(self.hole), drawn, self.texts)


_NO_SCALARS = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Bindings:
    """`names`: the columns of the table, in its order; `relations`, in the order in which they are
    undone; `rules`: all that was declared; `readers` of all columns; `forms` of restored ones."""

    names: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()
    rules: tuple[Rule, ...] = ()
    readers: Mapping[str, Reader] = field(default_factory=dict)
    forms: Mapping[str, Written] = field(default_factory=dict)

    @staticmethod
    def fit(
        rules: Sequence[Rule],
        schema: Schema,
        table: Table,
        given: Sequence[str] = (),
        common: Table | None = None,
    ) -> Bindings:
        """SchemaError where rules don't fit the columns, or rows break them. `given` columns stay
        what they are. What is held of the values is of `common`: the table without what is rare."""
        if not rules:
            return Bindings()
        readers = readers_of(schema, table)
        check_rules(rules, readers, given)
        check_table(rules, table, readers)
        relations, forms = arranged(rules, schema, common or table, readers, given)
        return Bindings(table.names, relations, tuple(rules), readers, forms)

    @cached_property
    def checked(self) -> tuple[Rule, ...]:
        """The rules of single rows that a drawn row might break."""
        return tuple(
            self._rounded(rule) if isinstance(rule, Equation) else rule
            for rule in self.rules
            if not isinstance(rule, Combinations | OneHot | Unique)
            and not any(self.readers[name].kind == MADE_UP for name in rule.columns)
        )

    def _rounded(self, rule: Equation) -> Equation:
        """`rule`, as far off as the decimals of its column make a new row, at least."""
        form: Any = self.forms[rule.column]
        rounding = form.grid.unit / 2
        return replace(rule, tolerance=None) if (rule.tolerance or 0.0) < rounding else rule

    @cached_property
    def unique(self) -> tuple[Unique, ...]:
        """Columns of which no two rows may be alike; not those that are made up so anyway."""
        return tuple(
            rule
            for rule in self.rules
            if isinstance(rule, Unique)
            and not any(self.readers[name].kind == MADE_UP for name in rule.columns)
        )

    @property
    def predicates(self) -> tuple[str, ...]:
        """The functions that have to be imported to check rows."""
        return tuple(rule.function for rule in self.rules if isinstance(rule, Predicate))

    @cached_property
    def learnt_for(self) -> dict[str, tuple[str, ...]]:
        """The columns that stand for each column of the table where it is not learnt itself."""
        return {
            name: tuple(learnt for learnt, _ in relation.learnt)
            for relation in self.relations
            for name in relation.restores
        }

    def forward(self, table: Table) -> Table:
        """`table` with the columns that are learnt; each stands where the first one that it
        replaces stood. Columns that are not the model's stay."""
        columns: dict[str, list[Column]] = {column.name: [column] for column in table.columns}
        for relation in self.relations:
            if not {*relation.restores, *relation.reads} <= set(table.names):
                continue  # who asks for the columns will miss them
            for name in relation.restores:
                columns[name] = []
            columns[relation.restores[0]] = relation.forward(table)
        return Table(tuple(c for some in columns.values() for c in some), table.frame_dtypes)

    def inner(self, schema: Schema) -> Schema:
        """What `forward` gives, described."""
        columns: dict[str, list[ColumnSchema]] = {c.name: [c] for c in schema.columns}
        for relation in self.relations:
            missing = schema[relation.restores[0]].missing
            for name in relation.restores:
                columns[name] = []
            columns[relation.restores[0]] = [
                ColumnSchema(name, sdtype, missing) for name, sdtype in relation.learnt
            ]
        return Schema(tuple(c for some in columns.values() for c in some))

    def unknown(self, masks: Mapping[str, Mask]) -> dict[str, Mask]:
        """Which rows [N] of each learnt column are unknown, from those of the table: what is made
        of several columns is if one of them is."""
        inner = dict(masks)
        for relation in self.relations:
            of = [masks[name] for name in (*relation.restores, *relation.reads) if name in masks]
            for name in relation.restores:
                inner.pop(name, None)
            inner |= {name: np.any(of, axis=0) for name, _ in relation.learnt if of}
        return inner

    @cached_property
    def read(self) -> frozenset[str]:
        """The learnt columns that are needed as text."""
        learnt = {name for relation in self.relations for name, _ in relation.learnt}
        return frozenset(learnt.union(*(relation.reads for relation in self.relations)))

    def backward(
        self, texts: Texts, view: View, seen: Mapping[str, Seen] | None = None
    ) -> dict[str, pa.Array]:
        """The restored columns, from the texts [n] of those in `read`; what is `seen` of a column
        stands in place of what was drawn."""

        def over(name: str, text: pa.Array) -> pa.Array:
            return seen[name].over(text) if seen and name in seen else text

        learnt = {name for relation in self.relations for name, _ in relation.learnt}
        texts = {n: _plain(t) if n in learnt else over(n, _plain(t)) for n, t in texts.items()}
        restored: dict[str, pa.Array] = {}
        for relation in self.relations:
            found = {name: over(name, text) for name, text in relation.backward(texts).items()}
            texts |= found
            restored |= found
        if view == "text":
            return restored
        return {name: self._typed(name, text) for name, text in restored.items()}

    def _typed(self, name: str, texts: pa.Array) -> pa.Array:
        form, column = self.forms[name], column_of(name, texts)
        if isinstance(form, CategoricalCodec):
            places = {text: i for i, text in enumerate(form.levels)}
            codes = np.array([*(places.get(text, -1) for text in column.texts), -1])[column.codes]
            each = Encoded(np.arange(len(places), dtype=np.int32)[:, None], _NO_SCALARS[:0])
            return form.decode(each, Draw(0, 0), "typed").take(pa.array(codes, mask=codes < 0))
        values, special = form.parse(column)
        absent = np.isnan(values) & (special < 0)
        if not absent.any():
            return form.render(values, special, "typed")
        body = form.render(np.where(absent, 0.0, values), special, "typed")
        return pc.if_else(pa.array(absent), None, body)

    def type_of(self, name: str, view: View) -> pa.DataType:
        """The Arrow type of a restored column."""
        if view == "text":
            return pa.string()
        form = self.forms[name]
        return form.arrow_type() if isinstance(form, CategoricalCodec) else form.typed_as

    def kept(self, texts: pa.Table) -> Mask:
        """Which rows [n] of a table as written keep all rules that are checked."""
        columns = tuple(column_of(n, texts[n]) for n in texts.column_names)
        table, keep = Table(columns), np.ones(len(texts), bool)
        for rule in self.checked:
            keep &= kept(rule, table, self.readers)
        return keep

    def describe(self) -> list[str]:
        """For `inspect`: each rule, and how it is kept."""
        restored = {name for relation in self.relations for name in relation.restores}
        return [f"{rule.kind}: {rule.words} ({self._how(rule, restored)})" for rule in self.rules]

    def _how(self, rule: Rule, restored: set[str]) -> str:
        if isinstance(rule, Unique):
            return "rows that come twice are left out" if rule in self.unique else "made up so"
        if isinstance(rule, Combinations | OneHot):
            return "by construction"
        if isinstance(rule, Equation) or (isinstance(rule, Inequality) and rule.high in restored):
            return "by construction, and checked"
        return "checked; rows that break it are drawn again"

    def to_json(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "relations": [relation.to_json() for relation in self.relations],
            "rules": [kinds.to_json(rule) for rule in self.rules],
            "readers": {name: reader.to_json() for name, reader in self.readers.items()},
            "forms": {name: form.to_json() for name, form in self.forms.items()},
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Bindings:
        readers = {name: Reader.from_json(entry) for name, entry in data["readers"].items()}
        forms = {n: FORMS[entry["kind"]].from_json(entry) for n, entry in data["forms"].items()}
        return Bindings(
            tuple(data["names"]),
            tuple(relation_from_json(entry, readers, forms) for entry in data["relations"]),
            tuple(kinds.from_json(entry) for entry in data["rules"]),
            readers,
            forms,
        )


def _plain(texts: pa.Array) -> pa.Array:
    return texts.cast(pa.string()) if pa.types.is_dictionary(texts.type) else texts
