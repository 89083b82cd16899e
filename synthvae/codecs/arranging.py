"""Which relations keep the rules of a table, and in which order they are undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.datetimes import DatetimeForm
from synthvae.codecs.derived import Derived
from synthvae.codecs.differences import Difference
from synthvae.codecs.numbers import NumberForm
from synthvae.codecs.relations import Combined, Relation
from synthvae.constraints.reading import Readers
from synthvae.constraints.rules import Combinations, Equation, Inequality, OneHot, Rule
from synthvae.errors import SchemaError
from synthvae.schema import ColumnSchema, Schema
from synthvae.table import Column, Table

Written = NumberForm | DatetimeForm | CategoricalCodec
FORMS: Mapping[str, Any] = {
    "number": NumberForm,
    "datetime": DatetimeForm,
    "categorical": CategoricalCodec,
}


def arranged(
    rules: Sequence[Rule], schema: Schema, table: Table, readers: Readers, given: Sequence[str]
) -> tuple[tuple[Relation, ...], dict[str, Written]]:
    """Relations in the order in which they are undone, and how the columns that they restore are
    written. `given` columns are not learnt, so they stay. SchemaError if one would be computed from
    itself."""
    forms: dict[str, Any] = {}
    relations = _ordered(_relations(rules, schema, table, readers, forms, given))
    restored = {name for relation in relations for name in relation.restores}
    return relations, {name: form for name, form in forms.items() if name in restored}


def relation_from_json(
    data: Mapping[str, Any], readers: Readers, forms: Mapping[str, Any]
) -> Relation:
    """The relation that its `to_json` wrote."""
    if data["kind"] == Combined.kind:
        return Combined.from_json(data)
    kind = Difference if data["kind"] == Difference.kind else Derived
    return kind.from_json(data, readers, forms)


def _relations(
    rules: Sequence[Rule],
    schema: Schema,
    table: Table,
    readers: Readers,
    forms: dict[str, Any],
    given: Sequence[str],
) -> list[Relation]:
    """Combined columns, then computed ones, then differences where they don't get in the way of
    one another. `forms` is given those of all columns that may be restored."""
    found: list[Relation] = []

    def form(name: str) -> Any:
        if name not in forms:
            forms[name] = _form(schema[name], table[name].compact())
        return forms[name]

    for group in groups_of(rules):
        for name in group:
            form(name)
        found.append(Combined(group, free_name(group, table.names)))
    for rule in rules:
        if isinstance(rule, Equation):
            forms[rule.column] = form(rule.column).unstepped()
            derived = Derived.fit(rule, table, readers, forms[rule.column])
            if not _fits(derived, found):
                raise SchemaError(
                    f"a column is computed once, from others that are not computed from it, but "
                    f"formula ({rule.words}) would close a circle or compute it again; drop one"
                )
            found.append(derived)
    for rule in rules:
        if isinstance(rule, Inequality) and rule.high not in given:
            difference = Difference.fit(rule, table, readers, form(rule.high))
            if _fits(difference, found):
                found.append(difference)
    return found


def groups_of(rules: Sequence[Rule]) -> list[tuple[str, ...]]:
    """Columns that go together; groups that share a column are one."""
    groups: list[tuple[str, ...]] = []
    for rule in rules:
        if not isinstance(rule, Combinations | OneHot):
            continue
        group = rule.names
        for other in [g for g in groups if set(g) & set(group)]:
            groups.remove(other)
            group = tuple(dict.fromkeys(other + group))
        groups.append(group)
    return groups


def _fits(new: Relation, found: Sequence[Relation]) -> bool:
    """Whether its columns are restored by nothing else, and by nothing that reads them."""
    if {name for relation in found for name in relation.restores} & set(new.restores):
        return False
    by = {name: relation for relation in [*found, new] for name in relation.restores}
    behind, seen = list(new.reads), set()
    while behind:
        name = behind.pop()
        if name in new.restores:
            return False
        if name in by and name not in seen:
            behind.extend(by[name].reads)
        seen.add(name)
    return True


def _ordered(relations: Sequence[Relation]) -> tuple[Relation, ...]:
    """So that what a relation reads is restored before."""
    left, done = list(relations), []
    while left:
        pending = {name for relation in left for name in relation.restores}
        ready = [r for r in left if not set(r.reads) & (pending - set(r.restores))]
        done.extend(ready)
        left = [r for r in left if r not in ready]
    return tuple(done)


def free_name(group: Sequence[str], names: Sequence[str]) -> str:
    """A name for the columns of `group` as one, which no column has."""
    name = " & ".join(group)
    while name in names:
        name += "'"
    return name


def _form(column: ColumnSchema, values: Column) -> Written:
    if column.sdtype == "numerical":
        return NumberForm.fit(values, column.missing)
    if column.sdtype == "datetime":
        return DatetimeForm.fit(values, column.missing, column.datetime_format)
    return CategoricalCodec.fit(values, column.missing)
