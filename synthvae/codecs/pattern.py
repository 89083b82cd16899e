"""The form of identifiers: which characters may stand at each position, and unique texts of it."""

from __future__ import annotations

import math
import string
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from re import _constants as tokens  # type: ignore[attr-defined]
from re import _parser as regex  # type: ignore[attr-defined]
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
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
        space = min(self.space, 1 << 62)
        step, start = _coprime(space, rng), int(rng.integers(space))
        index = [(int(p) * step + start) % space for p in positions]
        rest = np.array(index, np.int64)
        letters = np.empty((len(positions), len(self.alphabets)), "<U1")
        for i in reversed(range(len(self.alphabets))):
            alphabet = np.array(list(self.alphabets[i]))
            rest, digit = np.divmod(rest, len(alphabet))
            letters[:, i] = alphabet[digit]
        joined: NDArray[np.str_] = letters.view(f"<U{len(self.alphabets)}")[:, 0]
        return joined


def _coprime(space: int, rng: np.random.Generator) -> int:
    """A multiplier that walks through all of `space` before it repeats."""
    step = int(rng.integers(max(space, 2))) | 1
    while math.gcd(step, space) > 1:
        step += 2
    return step


def infer(texts: Sequence[str], most: int = 20) -> list[tuple[Pattern, float]]:
    """The commonest forms among distinct `texts`, with their shares. A position keeps its character
    only if every text of the form has it; else any character of its class may stand there."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for text in texts:
        groups[tuple(_class_of(letter) for letter in text)].append(text)
    common = Counter({form: len(group) for form, group in groups.items()}).most_common(most)
    total = sum(count for _, count in common)
    return [(_pattern(groups[form]), count / total) for form, count in common]


def _class_of(letter: str) -> str:
    return next((alphabet for alphabet in CLASSES if letter in alphabet), letter)


def _pattern(texts: Sequence[str]) -> Pattern:
    alphabets = []
    for i, letters in enumerate(zip(*texts, strict=True)):
        seen = set(letters)
        alphabet = letters[0] if len(seen) == 1 else _class_of(letters[0])
        leads = i == 0 and alphabet == string.digits and "0" not in seen
        alphabets.append(alphabet[1:] if leads else alphabet)
    return Pattern(tuple(alphabets) or ("",))


def from_regex(expression: str) -> Pattern:
    """The pattern of a `regex_format`: literals, classes and fixed repeats. ValueError otherwise."""
    try:
        return Pattern(tuple(_positions(regex.parse(expression))))
    except (regex.error, KeyError) as error:
        raise ValueError(str(error)) from error


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
