"""The form of identifiers: which characters may stand at each position, and unique texts of it.

A form must not hold an identifier of the table, so it keeps a character only where many texts have
the same one.
"""

from __future__ import annotations

import math
import string
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from re import _constants as tokens  # type: ignore[attr-defined]
from re import _parser as regex  # type: ignore[attr-defined]
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
HEX = ("ABCDEF", "abcdef")
MANY = 20  # texts of a form, from which on what they have in common is the form's and no one's
ROOM = 1_000_000  # texts that a form should have, if its zeros allow
MOST_FORMS = 20
_COVERED = 0.9
_SEGMENT = 1 << 62
_CATEGORIES = {
    tokens.CATEGORY_DIGIT: string.digits,
    tokens.CATEGORY_WORD: string.ascii_letters + string.digits + "_",
}


@dataclass(frozen=True)
class Pattern:
    """`alphabets`: the characters that may stand at each position."""

    alphabets: tuple[str, ...]

    @property
    def space(self) -> int:
        """How many texts there are."""
        return math.prod(map(len, self.alphabets))

    def texts(self, positions: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.str_]:
        """The texts [n] at `positions` [n] of an order that `rng` shuffles: distinct positions
        give distinct texts, up to `space` of them."""
        letters = np.empty((len(positions), len(self.alphabets)), "<U1")
        for places in self._segments():
            space = math.prod(len(self.alphabets[i]) for i in places)
            step, start = _coprime(space, rng), int(rng.integers(space))
            rest = np.array([(int(p) * step + start) % space for p in positions], np.int64)
            for i in places:
                alphabet = np.array(list(self.alphabets[i]))
                rest, digit = np.divmod(rest, len(alphabet))
                letters[:, i] = alphabet[digit]
        joined: NDArray[np.str_] = letters.view(f"<U{len(self.alphabets)}")[:, 0]
        return joined

    def _segments(self) -> list[list[int]]:
        """Positions from the right, in pieces small enough to be counted in 64 bits: each piece
        walks through its own texts."""
        pieces: list[list[int]] = [[]]
        space = 1
        for i in reversed(range(len(self.alphabets))):
            space *= len(self.alphabets[i])
            if space > _SEGMENT:
                pieces.append([])
                space = len(self.alphabets[i])
            pieces[-1].append(i)
        return pieces


def _coprime(space: int, rng: np.random.Generator) -> int:
    """A multiplier that walks through all of `space` before it repeats."""
    step = int(rng.integers(max(space, 2))) | 1
    while math.gcd(step, space) > 1:
        step += 2
    return step


def infer(texts: Sequence[str]) -> list[tuple[Pattern, float]]:
    """The commonest forms among distinct `texts`, with their shares. Forms tell digits, capital and
    small letters apart; if that makes too many, as with hexadecimals, only length and marks."""
    for kind_of in (_class_of, _letter_or_mark):
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for text in texts:
            groups[tuple(map(kind_of, text))].append(text)
        common = sorted(groups.values(), key=len, reverse=True)[:MOST_FORMS]
        total = sum(map(len, common))
        if total >= _COVERED * len(texts):
            break
    return [(_pattern(group), len(group) / total) for group in common]


def _class_of(letter: str) -> str:
    """The class of a letter or digit of any script; any other character stands for itself."""
    if letter.isdigit():
        return string.digits
    if letter.isalnum():
        return string.ascii_uppercase if letter.isupper() else string.ascii_lowercase
    return letter


def _letter_or_mark(letter: str) -> str:
    return "" if letter.isalnum() else letter


def _pattern(texts: Sequence[str]) -> Pattern:
    """The form of `texts`, all of one form: a character that all have stays (but leading zeros
    give way if the form is too narrow); else any of the classes that stand at its place."""
    seen = [set(letters) for letters in zip(*texts, strict=True)]
    classes = [_classes(letters, len(texts) >= MANY) for letters in seen]
    if classes[0] == string.digits and "0" not in seen[0]:
        classes[0] = string.digits[1:]
    keep = [len(texts) >= MANY and len(letters) == 1 for letters in seen]
    alphabets = [min(s) if k else c for s, c, k in zip(seen, classes, keep, strict=True)]
    for i in reversed(range(len(alphabets))):
        if alphabets[i] == "0" and math.prod(map(len, alphabets)) < ROOM:
            alphabets[i] = classes[i]
    return Pattern(tuple(alphabets))


def _classes(letters: set[str], many: bool) -> str:
    """The classes that stand at one place; hexadecimals if many texts show no other letters."""
    kinds = sorted(set(map(_class_of, letters)))
    if many:
        for i, kind in enumerate(kinds):
            seen = letters & set(kind)
            kinds[i] = next((hexes for hexes in HEX if seen and seen <= set(hexes)), kind)
    return "".join(kinds)


def from_regex(expression: str) -> Pattern:
    """The pattern of a regex of literals, classes and fixed repeats; ValueError for others."""
    try:
        alphabets = _positions(regex.parse(expression))
    except (regex.error, KeyError) as error:
        raise ValueError(str(error)) from error
    if not all(alphabets) or not alphabets:
        raise ValueError("it stands for no text")
    return Pattern(tuple(alphabets))


def _positions(parsed: Any) -> list[str]:
    out: list[str] = []
    for code, value in parsed:
        if code is tokens.LITERAL:
            out.append(chr(value))
        elif code is tokens.IN:
            out.append(_alphabet(value))
        elif code in (tokens.MAX_REPEAT, tokens.MIN_REPEAT) and value[1] <= 64:
            out.extend(_positions(value[2]) * value[1])
        elif code is tokens.SUBPATTERN:
            out.extend(_positions(value[-1]))
        elif code is not tokens.AT:
            raise ValueError(f"{str(code).lower()} is not supported")
    return out


def _alphabet(members: Any) -> str:
    letters = ""
    for code, value in members:
        if code is tokens.LITERAL:
            letters += chr(value)
        elif code is tokens.RANGE:
            letters += "".join(map(chr, range(value[0], value[1] + 1)))
        else:
            letters += _CATEGORIES[value]
    return "".join(dict.fromkeys(letters))
