"""Identifiers: never learnt, never copied; new ones of the same form, unique in every row."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.parts import Draw
from synthvae.codecs.pattern import Pattern, from_regex, infer
from synthvae.codecs.presence import MadeUp, Presence, is_missing
from synthvae.codecs.specials import Specials, describe
from synthvae.errors import SchemaError
from synthvae.layout import Encoded
from synthvae.seeds import stream
from synthvae.storage import View, ends, is_whole
from synthvae.table import Column

_MOST_ROWS = 1 << 62


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
    def fit(column: Column, missing: frozenset[str], regex_format: str | None) -> IdentifierCodec:
        presence = Presence.fit(column, missing)
        if regex_format is not None:
            try:
                forms = from_regex(regex_format)
            except ValueError as error:
                raise SchemaError(
                    f"column '{column.name}': a regex_format is made of literals, classes, "
                    f"repeats and alternatives, but '{regex_format}' is not ({error}); simplify "
                    "it, or leave it out and the form is inferred"
                ) from error
            declared = tuple(pattern for pattern, _ in forms)
            return IdentifierCodec(presence, declared, tuple(share for _, share in forms), True)
        texts = column.levels.filter(pc.invert(is_missing(column, missing))).to_pylist()
        inferred = infer(texts)
        patterns = tuple(_fitting(pattern, presence.typed_as) for pattern, _ in inferred)
        return IdentifierCodec(presence, patterns, tuple(share for _, share in inferred))

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        """Row i takes place i in a shuffled walk through the texts of its form. A form with fewer
        texts gives way to the longest, which goes on with longer texts: none comes twice."""
        rows = draw.start + np.arange(len(encoded))
        spaces = np.array(self.room)
        lengths = np.array([len(pattern.alphabets) for pattern in self.patterns])
        longest = int(np.lexsort((spaces, lengths))[-1])
        form = draw.stream(self.name).choice(len(spaces), len(rows), p=self.shares)
        form[rows >= spaces[form]] = longest
        texts = np.empty(len(rows), object)
        for i, pattern in enumerate(self.patterns):
            where = form == i
            walk = stream(draw.seed, "identifier", self.name, i)
            texts[where] = pattern.texts(rows[where], walk, self.avoid)
        known = set(self.avoid)
        for at in np.flatnonzero(rows >= spaces[longest]).tolist():
            texts[at] += str(rows[at] // max(spaces[longest], 1))
            while texts[at] in known:
                texts[at] += "0"
        return self.presence.fill(encoded, pa.array(texts, pa.string()), view)

    @cached_property
    def room(self) -> tuple[int, ...]:
        """How many texts each form has."""
        return tuple(min(pattern.room(self.avoid), _MOST_ROWS) for pattern in self.patterns)

    def short_of(self, rows: int) -> str | None:
        """What there is to say about `rows` texts, if no form has as many. SchemaError if the form
        is declared, and so may not give way."""
        most = max(self.room)
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
    """`pattern`, but none of its numbers is larger than a column of type `kind` can hold."""
    if not is_whole(kind):
        return pattern
    largest = str(ends(kind)[1])
    first, *rest = pattern.alphabets
    if len(pattern.alphabets) < len(largest):
        return pattern
    below = "".join(digit for digit in first if digit < largest[0])
    return Pattern((below, *rest)) if below else Pattern((string.digits[1:], *rest[1:]))


def _short(alphabet: str) -> str:
    return alphabet if len(alphabet) < 2 else f"[{alphabet[0]}-{alphabet[-1]}]"
