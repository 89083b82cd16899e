"""The language of conditions: `income == '>50K' and (age > 60 or age is missing)`.

    either   = both ("or" both)*
    both     = single ("and" single)*
    single   = "not" single | "(" either ")" | relation
    relation = operand (op operand)+                        60 < age <= 70 is two comparisons
             | operand "not"? "in" "[" operand ("," operand)* "]"
             | operand "not"? "between" operand "and" operand      both ends belong to it
             | operand "is" "not"? "missing"
    op       = "==" | "!=" | "<" | "<=" | ">" | ">="

A parser of its own rather than Python's: `between`, `is missing` and backticks are not Python, and
every error has a place. Nothing is evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn, cast

from synthvae.errors import UsageError
from synthvae.where.expression import (
    All,
    Any,
    Comparison,
    Expression,
    Missing,
    OneOf,
    Op,
    Operand,
    negation,
)

MOST_CHARACTERS, DEEPEST = 100_000, 50
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.:/-]))
    | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<quoted>`[^`]+`)
    | (?P<op>==|!=|<=|>=|<|>)
    | (?P<mark>[(),\[\]])
    | (?P<name>[^\W\d][\w.]*(?:-[\w.]+)*)
    )""",
    re.VERBOSE,
)
_WORDS = {"and", "or", "not", "in", "is", "between", "missing", "null"}
_HINTS = {
    "=": "equality is written ==",
    "&": "write 'and'",
    "|": "write 'or'",
    "~": "write 'not'",
    "!": "write 'not', or !=",
    "'": "the quote is never closed",
    '"': "the quote is never closed",
    "`": "the backtick is never closed",
    "-": "a date is quoted, and a column with such a name stands in backticks",
}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Expression:
    """`text` as a tree. UsageError that points at the first place where it is none."""
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"a condition has at most {MOST_CHARACTERS:,} characters, but this one has "
            f"{len(text):,}; give rows of values with --conditions"
        )
    return _Parser(text, _tokens(text)).whole()


def fail(text: str, at: int, why: str) -> NoReturn:
    """UsageError with an arrow under the place `at`."""
    raise UsageError(
        pointed(text, at, f"a condition is like \"age > 60 and sex == 'F'\", but {why}")
    )


def pointed(text: str, at: int, reason: str) -> str:
    """`reason`, and below it the part of `text` around the place `at` with an arrow under it."""
    first = max(0, at - 40)
    line = text[first : at + 40].replace("\n", " ").replace("\t", " ")
    return f"{reason}\n    {line}\n    {' ' * (at - first)}^"


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            sign = text[at]
            number = sign.isdigit()
            hint = (
                "texts and dates are quoted"
                if number
                else _HINTS.get(sign, "quote it, if it is a value")
            )
            fail(text, at, f"'{sign}' can't stand here; {hint}")
        kind = cast("str", found.lastgroup)
        tokens.append(_token(kind, found[kind], found.start(kind)))
        at = found.end()
    return [*tokens, _Token("end", "", len(text))]


def _token(kind: str, raw: str, at: int) -> _Token:
    if kind == "text":
        return _Token("text", raw[1:-1].replace(raw[0] * 2, raw[0]), at)  # 'it''s'
    if kind == "quoted":
        return _Token("name", raw[1:-1], at)
    if kind == "name" and raw.lower() in _WORDS:
        return _Token("word", raw.lower(), at)
    return _Token(kind, raw, at)


class _Parser:
    """Recursive descent, one method a rule of the grammar."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self.text, self.tokens, self.next, self.depth = text, tokens, 0, 0

    def whole(self) -> Expression:
        tree = self.either()
        if self.token.kind != "end":
            self.wrong("'and' or 'or' joins comparisons")
        return tree

    def either(self) -> Expression:
        parts = [self.both()]
        while self.takes("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def both(self) -> Expression:
        parts = [self.single()]
        while self.takes("and"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def single(self) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            self.wrong(f"parentheses and 'not' nest at most {DEEPEST} deep")
        if self.takes("not"):
            tree = negation(self.single())
        elif self.takes("("):
            tree = self.either()
            self.expect(")")
        else:
            tree = self.relation()
        self.depth -= 1
        return tree

    def relation(self) -> Expression:
        left = self.operand()
        if self.takes("is"):
            negated = self.takes("not")
            if not (self.takes("missing") or self.takes("null")):
                self.wrong("'is' is followed by 'missing' or 'not missing'")
            return Missing(left, negated)
        negated = self.takes("not")
        if self.takes("in"):
            return OneOf(left, self.values(), negated)
        if self.takes("between"):
            return self.range(left, negated)
        if negated or self.token.kind != "op":
            self.wrong("a column is followed by ==, <, in, between or is")
        return self.comparisons(left)

    def comparisons(self, left: Operand) -> Expression:
        operands, ops = [left], []
        while self.token.kind == "op":
            ops.append(self.take())
            operands.append(self.operand())
        parts = tuple(
            Comparison(a, cast("Op", op.text), b, op.at)
            for (a, b), op in zip(pairwise(operands), ops, strict=True)
        )
        return parts[0] if len(parts) == 1 else All(parts)

    def range(self, column: Operand, negated: bool) -> Expression:
        at = self.tokens[self.next - 1].at
        low = self.operand()
        self.expect("and")
        high = self.operand()
        inside = All((Comparison(column, ">=", low, at), Comparison(column, "<=", high, at)))
        return negation(inside) if negated else inside

    def values(self) -> tuple[Operand, ...]:
        close = "]" if self.takes("[") else ")"
        if close == ")":
            self.expect("(")
        found = [self.operand()]
        while self.takes(","):
            found.append(self.operand())
        self.expect(close)
        return tuple(found)

    def operand(self) -> Operand:
        token = self.token
        if token.kind in ("name", "text", "number"):
            self.next += 1
            return Operand(token.text, token.kind, token.at)  # type: ignore[arg-type]
        word = token.kind == "word"
        why = "a column with this name stands in backticks" if word else "a column or value belongs"
        return self.wrong(f"{why} here" if not word else why)

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def take(self) -> _Token:
        self.next += 1
        return self.tokens[self.next - 1]

    def takes(self, text: str) -> bool:
        """Whether the next token is the word or mark `text`, which is then behind us."""
        found = self.token.kind in ("word", "mark") and self.token.text == text
        self.next += found
        return found

    def expect(self, text: str) -> None:
        if not self.takes(text):
            self.wrong(f"a '{text}' is missing")

    def wrong(self, hint: str) -> NoReturn:
        what = f"'{self.token.text}' can't stand here" if self.token.text else "it ends too soon"
        fail(self.text, self.token.at, f"{what}; {hint}")
