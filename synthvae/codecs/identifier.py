"""Identifiers: never learnt, never copied; new ones of the same form, unique in every row."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.parts import Draw
from synthvae.codecs.pattern import Pattern, Taken, from_regex, infer
from synthvae.codecs.presence import MadeUp, Presence, is_missing
from synthvae.codecs.specials import Specials, describe
from synthvae.errors import SchemaError
from synthvae.layout import Encoded
from synthvae.seeds import stream
from synthvae.storage import View, ends, is_whole
from synthvae.table import Column

_MOST_ROWS = 1 << 62
_FIRST = string.digits[1:]  # of a number


def declared_forms(column: str, regex_format: str) -> list[tuple[Pattern, float]]:
    """Patterns and their shares. SchemaError if texts can't be made after this expression."""
    try:
        return from_regex(regex_format)
    except ValueError as error:
        raise SchemaError(
            f"column '{column}': a regex_format is made of literals, classes, repeats and "
            f"alternatives, but '{regex_format}' is not ({error}); simplify it, or leave it out "
            "and the form is inferred"
        ) from error


@dataclass(frozen=True)
class IdentifierCodec(MadeUp):
    """`patterns` with `shares`: the forms that identifiers take, `declared` or seen. `avoid`: texts
    that none shall be, known while rows are drawn and never written down."""

    patterns: tuple[Pattern, ...]
    shares: tuple[float, ...]
    declared: bool = False
    avoid: tuple[str, ...] = ()

    kind = "identifier"

    @staticmethod
    def fit(
        column: Column, missing: frozenset[str], regex_format: str | None, least: int = 0
    ) -> IdentifierCodec:
        """Forms that fewer than `least` identifiers have are left out."""
        presence = Presence.fit(column, missing)
        if regex_format is not None:
            forms = declared_forms(column.name, regex_format)
            declared = tuple(pattern for pattern, _ in forms)
            return IdentifierCodec(presence, declared, tuple(share for _, share in forms), True)
        texts = column.levels.filter(pc.invert(is_missing(column, missing))).to_pylist()
        forms = infer(texts, least)
        if is_whole(presence.typed_as):
            forms = _apart([(_fitting(form, presence.typed_as), share) for form, share in forms])
        patterns = tuple(pattern for pattern, _ in forms)
        return IdentifierCodec(presence, patterns, tuple(share for _, share in forms))

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        """Row i takes place i in a shuffled walk through the texts of its form. A form with fewer
        texts gives way to the longest, which goes on with longer texts: none comes twice."""
        rows = draw.start + np.arange(len(encoded))
        spaces = np.array(self.room)
        longest = self._longest
        form = draw.stream(self.name).choice(len(spaces), len(rows), p=self.shares)
        form[rows >= spaces[form]] = longest
        texts = np.empty(len(rows), object)
        for i, pattern in enumerate(self.patterns):
            where = form == i
            walk = stream(draw.seed, "identifier", self.name, i)
            texts[where] = pattern.texts(rows[where], walk, self._taken[i])
        for at in np.flatnonzero((form == longest) & (rows >= spaces[longest])).tolist():
            texts[at] += str(rows[at] // max(spaces[longest], 1))
            while texts[at] in self._known:
                texts[at] += "0"
        return self.presence.fill(encoded, pa.array(texts, pa.string()), view)

    @cached_property
    def room(self) -> tuple[int, ...]:
        """How many texts each form has."""
        pairs = zip(self.patterns, self._taken, strict=True)
        return tuple(min(pattern.room(taken), _MOST_ROWS) for pattern, taken in pairs)

    @property
    def _longest(self) -> int:
        """The form that others give way to."""
        lengths = [len(pattern.alphabets) for pattern in self.patterns]
        return int(np.lexsort((self.room, lengths))[-1])

    @cached_property
    def _taken(self) -> tuple[Taken, ...]:
        """What is to be avoided of each form. Found once: there may be as many as rows."""
        return tuple(pattern.taken(self.avoid) for pattern in self.patterns)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.avoid)

    def short_of(self, rows: int) -> str | None:
        """What there is to say about `rows` texts, if no form has as many. SchemaError if the form
        may not give way: it is declared, or longer numbers would not fit the column's type."""
        most = max(self.room)
        if self._too_wide(rows):
            raise SchemaError(
                f"column '{self.name}': identifiers are unique and fit the column's type, but "
                f"{rows:,} of its form do not fit {self.presence.typed_as}; ask for fewer rows, or "
                "learn a table in which the type is wider"
            )
        if rows <= most:
            return None
        if self.declared:
            raise SchemaError(
                f"column '{self.name}': identifiers are unique and of the declared form, but it "
                f"has {most:,} texts{' that are no real ones' * bool(self.avoid)}, and "
                f"{rows:,} rows are asked for; widen the regex_format, or ask for fewer rows"
            )
        return (
            f"column '{self.name}': its form has {most:,} texts, so identifiers of later rows are "
            "longer; a wider regex_format in the metadata avoids that"
        )

    def _too_wide(self, rows: int) -> bool:
        """Whether so many identifiers would be numbers that go on beyond the column's type."""
        kind, room = self.presence.typed_as, self.room[self._longest]
        if not is_whole(kind) or self.declared or rows <= room:
            return False
        longer = str((rows - 1) // max(room, 1))
        digits = [a for a in self.patterns[self._longest].alphabets if a != "-"]
        return len(digits) + len(longer) >= len(str(ends(kind)[1]))

    def describe(self) -> Mapping[str, Any]:
        forms = [
            {"form": " ".join(_short(a) for a in pattern.alphabets), "share": share}
            for pattern, share in zip(self.patterns, self.shares, strict=True)
        ]
        return {"forms": forms, **describe(self.presence.specials)}

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "storage": self.presence.storage,
            "missing": self.presence.specials.to_json(),
            "patterns": [list(pattern.alphabets) for pattern in self.patterns],
            "shares": list(self.shares),
            "declared": self.declared,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> IdentifierCodec:
        presence = Presence(data["name"], Specials.from_json(data["missing"]), data["storage"])
        patterns = tuple(Pattern(tuple(alphabets)) for alphabets in data["patterns"])
        declared = data.get("declared", False)
        return IdentifierCodec(presence, patterns, tuple(data["shares"]), declared)


def _fitting(pattern: Pattern, kind: pa.DataType) -> Pattern:
    """`pattern`, but each of its texts is another number, as numbers are written, and none is
    beyond what a column of the type `kind` of whole numbers can hold."""
    sign = [mark for mark in pattern.alphabets[:1] if mark == "-"]
    first, *rest = pattern.alphabets[len(sign) :]
    largest = str(abs(ends(kind)[0 if sign else 1]))
    if sign or rest:
        first = first.replace("0", "") or _FIRST
    if len(rest) + 1 >= len(largest):
        below = "".join(digit for digit in first if digit < largest[0])
        first, *rest = (below, *rest) if below else (_FIRST, *rest[1:])
    return Pattern((*sign, first, *rest))


def _apart(forms: Sequence[tuple[Pattern, float]]) -> list[tuple[Pattern, float]]:
    """`forms` of numbers, of which those of one length and sign, which might have texts in common,
    are one."""
    found: dict[tuple[int, bool], tuple[Pattern, float]] = {}
    for pattern, share in forms:
        key = len(pattern.alphabets), pattern.alphabets[0] == "-"
        if key in found:
            other, more = found[key]
            pairs = zip(pattern.alphabets, other.alphabets, strict=True)
            pattern = Pattern(tuple("".join(sorted({*one, *two})) for one, two in pairs))
            share += more
        found[key] = pattern, share
    return list(found.values())


def _short(alphabet: str) -> str:
    return alphabet if len(alphabet) < 2 else f"[{alphabet[0]}-{alphabet[-1]}]"
