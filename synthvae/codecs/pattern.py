"""The form of identifiers: which characters may stand at each position, and unique texts of it.

A form must not hold an identifier of the table, so it keeps a character only where many texts have
the same one.
"""

from __future__ import annotations

import math
import string
from collections import defaultdict
from collections.abc import Iterable, Sequence
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
MOST_ALTERNATIVES = 100
_COVERED = 0.9
_SEGMENT = 1 << 62
_PRODUCT = 1 << 31  # products of two numbers below it fit into 63 bits
_REPEATS = 8  # more than the fewest, where a repeat has no end
_CATEGORIES = {
    tokens.CATEGORY_DIGIT: string.digits,
    tokens.CATEGORY_WORD: string.ascii_letters + string.digits + "_",
}


Taken = NDArray[np.int64]
NONE: Taken = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Pattern:
    """`alphabets`: the characters that may stand at each position."""

    alphabets: tuple[str, ...]

    @property
    def space(self) -> int:
        """How many texts there are."""
        return math.prod(map(len, self.alphabets))

    def room(self, taken: Taken = NONE) -> int:
        """How many texts there are beside those that are `taken`, or may be."""
        spaces = [self._space(places) for places in self._segments()]
        return math.prod([spaces[0] - len(taken), *spaces[1:]])

    def texts(
        self, positions: NDArray[np.int64], rng: np.random.Generator, taken: Taken = NONE
    ) -> NDArray[np.str_]:
        """The texts [n] at `positions` [n] of an order that `rng` shuffles: distinct positions
        give distinct texts, up to `room` of them, and none of those that are `taken`."""
        letters = np.empty((len(positions), len(self.alphabets)), "<U1")
        for number, places in enumerate(self._segments()):
            taken = taken if number == 0 else NONE
            space = max(self._space(places) - len(taken), 1)
            step, start = _coprime(space, rng), int(rng.integers(space))
            rest = _walked(positions, step, start, space)
            # The k-th number that is not taken: as many are taken below it as leave k before it.
            rest = rest + np.searchsorted(taken - np.arange(len(taken)), rest, side="right")
            for i in places:
                alphabet = np.array(list(self.alphabets[i]))
                rest, digit = np.divmod(rest, len(alphabet))
                letters[:, i] = alphabet[digit % len(alphabet)]
        joined: NDArray[np.str_] = letters.view(f"<U{len(self.alphabets)}")[:, 0]
        return joined

    def _space(self, places: Sequence[int]) -> int:
        return math.prod(len(self.alphabets[i]) for i in places)

    def taken(self, avoid: Iterable[str]) -> Taken:
        """The numbers, sorted, of the last segments of the texts to `avoid` that are of this form:
        whoever shares no last segment with a text is not that text."""
        places = self._segments()[0]
        numbers = set()
        for text in avoid:
            if len(text) != len(self.alphabets):
                continue
            number, weight = 0, 1
            for i in places:
                digit = self.alphabets[i].find(text[i])
                if digit < 0:
                    break
                number, weight = number + digit * weight, weight * len(self.alphabets[i])
            else:
                numbers.add(number)
        return np.array(sorted(numbers), np.int64)

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


def _walked(positions: NDArray[np.int64], step: int, start: int, space: int) -> NDArray[np.int64]:
    """(position * step + start) modulo `space`, which may be beyond 32 bits."""
    if space < _PRODUCT:
        return ((positions % space) * step + start) % space
    return np.array([(p * step + start) % space for p in positions.tolist()], np.int64)


def _coprime(space: int, rng: np.random.Generator) -> int:
    """A multiplier that walks through all of `space` before it repeats."""
    step = (int(rng.integers(max(space, 2))) | 1) % max(space, 2)
    while math.gcd(step, space) > 1:
        step += 2
    return step


def infer(texts: Sequence[str], least: int = 0) -> list[tuple[Pattern, float]]:
    """The commonest forms among distinct `texts`, with their shares. Forms tell digits, capital and
    small letters apart; if that makes too many, as with hexadecimals, only length and marks. A form
    of fewer than `least` texts would tell their marks, and one of marks alone is a text: if there
    are no others, the form is that of digits, of the texts' median length."""
    for kind_of in (_class_of, _letter_or_mark):
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for text in texts:
            groups[tuple(map(kind_of, text))].append(text)
        kept = [g for g in groups.values() if len(g) >= least and any(map(str.isalnum, g[0]))]
        common = sorted(kept, key=len, reverse=True)[:MOST_FORMS]
        total = sum(map(len, common))
        if total >= _COVERED * len(texts):
            break
    if texts and not common:
        return [(Pattern((string.digits,) * max(int(np.median([*map(len, texts)])), 1)), 1.0)]
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


def from_regex(expression: str) -> list[tuple[Pattern, float]]:
    """The forms of a regex of literals, classes, repeats and alternatives, with the share of the
    texts that each has; ValueError for others. Forms have no text in common."""
    try:
        found = _forms(regex.parse(expression))
    except (regex.error, KeyError) as error:
        raise ValueError(str(error)) from error
    forms = list(dict.fromkeys(found))
    if not forms or not all(form and all(form) for form in forms):
        raise ValueError("it stands for no text")
    for i, one in enumerate(forms):
        for other in forms[:i]:
            if len(one) == len(other) and all(
                set(a) & set(b) for a, b in zip(one, other, strict=True)
            ):
                raise ValueError("two of its alternatives stand for the same text")
    patterns = [Pattern(form) for form in forms]
    total = sum(min(pattern.space, ROOM) for pattern in patterns)
    return [(pattern, min(pattern.space, ROOM) / total) for pattern in patterns]


Form = tuple[str, ...]


def _forms(parsed: Any) -> list[Form]:
    """The alphabets by position, of each form that `parsed` can take."""
    out: list[Form] = [()]
    for code, value in parsed:
        out = [(*head, *tail) for head in out for tail in _parts(code, value)]
        if len(out) > MOST_ALTERNATIVES:
            raise ValueError(f"it has more than {MOST_ALTERNATIVES} forms")
    return out


def _parts(code: Any, value: Any) -> list[Form]:
    if code is tokens.LITERAL:
        return [(chr(value),)]
    if code is tokens.IN:
        return [(_alphabet(value),)]
    if code is tokens.BRANCH:
        return [form for branch in value[1] for form in _forms(branch)]
    if code is tokens.SUBPATTERN:
        return _forms(value[-1])
    if code is tokens.AT:
        return [()]
    if code in (tokens.MAX_REPEAT, tokens.MIN_REPEAT):
        fewest, most, inner = value
        most = fewest + _REPEATS if most is tokens.MAXREPEAT else most
        if most <= 64:
            return [form for n in range(fewest, most + 1) for form in _forms(list(inner) * n)]
        raise ValueError(f"it repeats {most} times")
    raise ValueError(f"{str(code).lower()} is not supported")


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
