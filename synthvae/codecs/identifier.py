"""Identifiers: never learnt, never copied; new ones of the same form, unique in every row."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.allowed import Allowed, ValueSet
from synthvae.codecs.parts import Draw
from synthvae.codecs.pattern import Pattern, from_regex, infer
from synthvae.codecs.presence import Presence, is_missing
from synthvae.codecs.specials import Specials, describe
from synthvae.errors import SchemaError
from synthvae.layout import Block, Encoded
from synthvae.seeds import stream
from synthvae.storage import View, ends, is_whole
from synthvae.table import Column

_MOST_ROWS = 1 << 62


@dataclass(frozen=True)
class IdentifierCodec:
    """`patterns` with `shares`: the forms that identifiers take."""

    presence: Presence
    patterns: tuple[Pattern, ...]
    shares: tuple[float, ...]

    kind = "identifier"
    made_up = True

    @staticmethod
    def fit(column: Column, missing: frozenset[str], regex_format: str | None) -> IdentifierCodec:
        presence = Presence.fit(column, missing)
        if regex_format is not None:
            try:
                return IdentifierCodec(presence, (from_regex(regex_format),), (1.0,))
            except ValueError as error:
                raise SchemaError(
                    f"column '{column.name}': a regex_format is made of literals, classes and "
                    f"fixed repeats, but '{regex_format}' is not ({error}); simplify it, or leave "
                    "it out and the form is inferred"
                ) from error
        texts = column.levels.filter(pc.invert(is_missing(column, missing))).to_pylist()
        inferred = infer(texts)
        patterns = tuple(_fitting(pattern, presence.typed_as) for pattern, _ in inferred)
        return IdentifierCodec(presence, patterns, tuple(share for _, share in inferred))

    @property
    def name(self) -> str:
        return self.presence.name

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.presence.blocks

    def encode(self, column: Column, rng: np.random.Generator) -> Encoded:
        return self.presence.encode(column)

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        """Row i takes place i in a shuffled walk through the texts of its form. A form with fewer
        texts gives way to the longest, which goes on with longer texts: none comes twice."""
        rows = draw.start + np.arange(len(encoded))
        spaces = np.array([min(pattern.space, _MOST_ROWS) for pattern in self.patterns])
        lengths = np.array([len(pattern.alphabets) for pattern in self.patterns])
        longest = int(np.lexsort((spaces, lengths))[-1])
        form = draw.stream(self.name).choice(len(spaces), len(rows), p=self.shares)
        form[rows >= spaces[form]] = longest
        texts = np.empty(len(rows), object)
        for i, pattern in enumerate(self.patterns):
            where = form == i
            walk = stream(draw.seed, "identifier", self.name, i)
            texts[where] = pattern.texts(rows[where], walk)
        for at in np.flatnonzero(rows >= spaces[longest]).tolist():
            texts[at] += str(rows[at] // spaces[longest])
        return self.presence.fill(encoded, pa.array(texts, pa.string()), view)

    def arrow_type(self) -> pa.DataType:
        return self.presence.typed_as

    @property
    def forms(self) -> tuple[str, ...]:
        return self.presence.specials.texts

    @property
    def absent(self) -> tuple[bool, ...]:
        return self.presence.specials.missing

    def allow(self, wanted: ValueSet) -> Allowed:
        return self.presence.allow(wanted)

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
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> IdentifierCodec:
        presence = Presence(data["name"], Specials.from_json(data["missing"]), data["storage"])
        patterns = tuple(Pattern(tuple(alphabets)) for alphabets in data["patterns"])
        return IdentifierCodec(presence, patterns, tuple(data["shares"]))


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
