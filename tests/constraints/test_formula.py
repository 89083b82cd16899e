"""Formulas give what Python gives, and nothing but arithmetic is let through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthvae.constraints.formula import Formula

leaves = st.sampled_from(["a", "b", "`c d`", "2", "0.5"])
terms = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"-{t}"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
    ),
    max_leaves=8,
)
numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(terms, st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=5))
def test_as_python_computes(text: str, rows: list[tuple[float, float, float]]):
    columns = zip(*rows, strict=True)
    values = {n: np.array(c) for n, c in zip(("a", "b", "c d"), columns, strict=True)}
    text = f"a * 1 + {text}"
    found = Formula(text).of(values)
    for i, (a, b, c) in enumerate(rows):
        try:
            expected = eval(text.replace("`c d`", "c"), {"a": a, "b": b, "c": c, "max": max})
        except ZeroDivisionError:
            assert np.isnan(found[i])
            continue
        assert found[i] == pytest.approx(expected) or not np.isfinite(expected)


def test_nothing_follows_from_a_division_by_zero():
    assert np.isnan(Formula("max(a, -(2 / a))").of({"a": np.zeros(1)})).all()


def test_columns_in_their_order_and_missing_operands():
    formula = Formula("`unit price` * n - min(rebate, 3)")
    assert formula.columns == ("unit price", "n", "rebate")
    values = {"unit price": np.array([2.0, np.nan]), "n": np.array([3.0, 1]), "rebate": np.zeros(2)}
    assert formula.of(values).tolist()[0] == 6.0
    assert np.isnan(formula.of(values)[1])


@pytest.mark.parametrize(
    "text",
    ["a.real", "a[0]", "(lambda: 1)()", "[a for a in b]", "a if b else a", "a ** b", "open(a)",
     "max()", "'a'", "a; b", "a and b", "min(a, key=b)", "True + a"],
)  # fmt: skip
def test_only_arithmetic(text: str):
    with pytest.raises(ValueError, match="a formula is"):
        Formula(text)


@pytest.mark.parametrize("text", ["round(a, 2)", "abs(a, b)", "floor(a, b)", "a + ceil(a, 1)"])
def test_what_takes_one_value_is_given_one(text: str):
    with pytest.raises(ValueError, match="takes one value, but"):
        Formula(text)


def test_numbers_beyond_all_are_none():
    for text in ("a + 1e999", f"a + 1{'0' * 400}"):
        with pytest.raises(ValueError, match="a formula is"):
            Formula(text)
