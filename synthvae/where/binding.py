"""Names and values of a condition, looked up among the columns that a model knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NoReturn

import numpy as np

from synthvae.codecs.allowed import NOWHERE, ValueSet, paired
from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.errors import Problems, SchemaError, UsageError, hint
from synthvae.layout import Encoded
from synthvae.where import columns, expression
from synthvae.where.bound import Bound, Every, Mask, Member, Pair, Some, holds, outer
from synthvae.where.bound import columns as columns_of
from synthvae.where.columns import Known
from synthvae.where.expression import FLIPPED, Comparison, Expression, Missing, OneOf, Op, Operand
from synthvae.where.grammar import parse, pointed
from synthvae.where.restriction import Restriction

_WORDS = ("true", "false")


@dataclass(frozen=True)
class Condition:
    """A condition on the rows of a model. `restriction`: what it asks of single blocks, at least;
    `meets` tells whether it is met."""

    text: str
    bound: Bound
    restriction: Restriction
    codec: TableCodec

    @cached_property
    def known(self) -> Mapping[str, Known]:
        return columns.known(self.codec)

    @staticmethod
    def of(text: str, codec: TableCodec) -> Condition:
        """UsageError where `text` is no condition, or with every reason why it is none of this
        model's, or why the model never meets it."""
        return _Binder(text, codec).condition(parse(text))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return tuple(dict.fromkeys(columns_of(self.bound)))

    def meets(self, encoded: Encoded, draw: Draw) -> Mask:
        """Which of the encoded rows [n] of the whole layout meet it once decoded."""
        layout, restored = self.codec.layout, self.codec.bindings.learnt_for
        follow = [name for name in self.columns if name in restored]
        texts = self.codec.arrays(encoded, draw, "text", ()) if follow else {}
        cells = {
            name: columns.read_text(self.known[name], texts[name])
            if name in restored
            else columns.read(self.codec[name], layout.of_column(name).take(encoded), draw)
            for name in self.columns
        }
        return holds(self.bound, cells)


class _Binder:
    def __init__(self, text: str, codec: TableCodec) -> None:
        self.text, self.codec, self.problems = text, codec, Problems()
        self.known = columns.known(codec)
        self.names = list(self.known)

    def condition(self, tree: Expression) -> Condition:
        bound = self.bind(tree)
        self.problems.raise_as(UsageError)
        sets = outer(bound, self.possible)
        if sets is None:
            self.impossible(bound)
        learnt = [name for name in sets if name not in self.codec.bindings.learnt_for]
        allowed = {name: self.codec[name].allow(sets[name]) for name in learnt}
        return Condition(self.text, bound, Restriction.of(self.codec.layout, allowed), self.codec)

    def possible(self, name: str, wanted: ValueSet) -> bool:
        return self.known[name].allow(wanted).possible

    def _possible_of(self, own: str, name: str, wanted: ValueSet) -> bool:
        """The same, but of the column `own` alone."""
        return name != own or self.possible(name, wanted)

    def impossible(self, bound: Bound) -> NoReturn:
        """Say which columns the condition can't be met by."""
        for name in dict.fromkeys(columns_of(bound)):
            if outer(bound, partial(self._possible_of, name)) is None:
                self.problems.add(
                    f"a condition is one that the model's rows can meet, but no value of column "
                    f"'{name}' does{columns.reach(self.known[name])}; widen it"
                )
        if not self.problems.reasons:
            self.problems.add("a condition can be met, but no row meets this one; widen it")
        raise UsageError(*self.problems.reasons)

    def bind(self, tree: Expression) -> Bound:
        if isinstance(tree, expression.All):
            return Every(tuple(self.bind(part) for part in tree.parts))
        if isinstance(tree, expression.Any):
            return Some(tuple(self.bind(part) for part in tree.parts))
        if isinstance(tree, Comparison):
            return self.comparison(tree)
        codec = self.column(tree.column)
        if codec is None:
            return Every(())
        if isinstance(tree, Missing):
            return Member(codec.name, columns.missing_of(codec, tree.negated))
        return self.one_of(codec, tree)

    def one_of(self, codec: Known, tree: OneOf) -> Bound:
        op: Op = "!=" if tree.negated else "=="
        found = [own for value in tree.values if (own := self.values(codec, op, value)) is not None]
        join = ValueSet.__and__ if tree.negated else ValueSet.__or__
        return Member(codec.name, paired(join, found)) if found else Every(())

    def values(self, codec: Known, op: Op, operand: Operand) -> ValueSet | None:
        try:
            return columns.set_of(codec, op, operand)
        except SchemaError as error:
            self.note(operand, error)
            return None

    def comparison(self, tree: Comparison) -> Bound:
        left, right, op = tree.left, tree.right, tree.op
        if not self.is_column(left) and self.is_column(right, left.kind != "name"):
            left, right, op = right, left, FLIPPED[op]
        one = self.column(left)
        if one is not None and self.is_value(right):
            wanted = self.values(one, op, right)
            return Every(()) if wanted is None else Member(one.name, wanted)
        other = self.column(right) if right.kind == "name" else None
        if one is None or other is None:
            return Every(())
        try:
            columns.comparable(one, op, other)
        except SchemaError as error:
            self.note(right, error)
        if one is other and op in ("<", ">", "!="):
            return Member(one.name, ValueSet(np.zeros(len(one.forms), bool), NOWHERE))
        return Pair(one.name, op, other.name)

    def is_value(self, operand: Operand) -> bool:
        word = operand.text.lower() in _WORDS and operand.text not in self.names
        return operand.kind != "name" or word

    def note(self, operand: Operand, error: SchemaError) -> None:
        self.problems.reasons += [pointed(self.text, operand.at, why) for why in error.reasons]

    def is_column(self, operand: Operand, quoted: bool = True) -> bool:
        """A quoted text may name a column on the left of an operator."""
        return operand.kind == "name" or (
            quoted and operand.kind == "text" and operand.text in self.names
        )

    def column(self, operand: Operand) -> Known | None:
        if operand.text in self.names:
            return self.known[operand.text]
        value = "; a value is quoted" if operand.kind == "name" else ""
        self.problems.add(
            pointed(
                self.text,
                operand.at,
                f"a condition is on columns of the model, but '{operand.text}' is none; "
                f"{hint(operand.text, self.names)}{value}",
            )
        )
        return None
