"""The language of conditions: what it reads, and that its errors point at the place."""

from __future__ import annotations

import pytest

from synthvae.errors import UsageError
from synthvae.where.expression import All, Any, Comparison, Missing, OneOf
from synthvae.where.grammar import parse


def written(tree: object) -> str:
    """A tree in a form of one meaning."""
    if isinstance(tree, Comparison):
        return f"{tree.left.text}{tree.op}{tree.right.text}"
    if isinstance(tree, OneOf):
        values = "|".join(value.text for value in tree.values)
        return f"{tree.column.text}{'!' if tree.negated else ''}@{values}"
    if isinstance(tree, Missing):
        return f"{tree.column.text}{'!' if tree.negated else '?'}"
    assert isinstance(tree, All | Any)
    sign = "&" if isinstance(tree, All) else "+"
    return f"({sign.join(written(part) for part in tree.parts)})"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("income == '>50K' and age > 60", "(income==>50K&age>60)"),
        ("a == 1 or b == 2 and c == 3", "(a==1+(b==2&c==3))"),
        ("(a == 1 or b == 2) and not c == 3", "((a==1+b==2)&c!=3)"),
        ("not (a < 1 and b is missing)", "(a>=1+b!)"),
        ("not not a < 1", "a<1"),
        ("30 < age <= 60", "(30<age&age<=60)"),
        ("x between -1 and 2.5e3 and y == 'b'", "((x>=-1&x<=2.5e3)&y==b)"),
        ("x not between 1 and 2", "(x<1+x>2)"),
        ("native-country not in ['Mexico', \"Cuba\"]", "native-country!@Mexico|Cuba"),
        ("`odd name` IN ('x',)".replace(",)", ")"), "odd name@x"),
        ("a == 'it''s'", "a==it's"),
        ("a == ' >50K'", "a== >50K"),
        ("a != -3", "a!=-3"),
        ("pm2.5 is not null", "pm2.5!"),
    ],
)
def test_what_is_read(text: str, meaning: str) -> None:
    assert written(parse(text)) == meaning


@pytest.mark.parametrize(
    ("text", "at", "hint"),
    [
        ("income = 'a'", 7, "equality is written =="),
        ("a > 1 & b < 2", 6, "write 'and'"),
        ("a == 2014-01-01", 5, "texts and dates are quoted"),
        ("a == 'x", 5, "never closed"),
        ("age >", 5, "ends too soon"),
        ("f('x')", 1, "followed by"),
        ("(a == 1", 7, "')' is missing"),
        ("a in 1", 5, "'(' is missing"),
        ("a is 3", 5, "'missing'"),
        ("a == 1 b == 2", 7, "'and' or 'or'"),
        ("", 0, "ends too soon"),
        ("(" * 100 + "a == 1", 50, "nest"),
    ],
)
def test_errors_point_at_the_place(text: str, at: int, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    message, line, arrow = str(caught.value).split("\n")
    assert hint in message
    assert line[4:] == text[max(0, at - 40) : at + 40]
    assert arrow.index("^") - 4 == min(at, 40)


@pytest.mark.parametrize("text", ["__import__('os').system('x')", "a.b()", "lambda: 1", "[1][0]"])
def test_nothing_is_run(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)
