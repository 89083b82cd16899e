"""Sets of values, held to what they are value by value."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthvae.codecs import allowed
from synthvae.codecs.allowed import ValueSet, drawn_from, paired, plain
from synthvae.codecs.grid import Grid

LINE = np.arange(-1, 42) / 2
ends = st.lists(st.integers(0, 20), max_size=12, unique=True).map(sorted)


def set_of(marks: list[int]) -> ValueSet:
    """Between each two marks."""
    spans = np.array(marks[: len(marks) & ~1], float).reshape(-1, 2)
    return ValueSet(np.zeros(1, bool), spans)


def held(wanted: ValueSet) -> list[bool]:
    return wanted.holds(*plain(LINE)).tolist()


@given(st.lists(ends, min_size=1, max_size=7))
def test_as_value_by_value(marks: list[list[int]]) -> None:
    sets = [set_of(own) for own in marks]
    each = [[any(a <= x <= b for a, b in one.spans.tolist()) for x in LINE] for one in sets]
    assert [held(one) for one in sets] == each
    assert held(paired(ValueSet.__and__, sets)) == [all(x) for x in zip(*each, strict=True)]
    assert held(paired(ValueSet.__or__, sets)) == [any(x) for x in zip(*each, strict=True)]


def test_states_and_nothing() -> None:
    wanted = ValueSet(np.array([True, False]), np.empty((0, 2)))
    values, form = np.array([np.nan, np.nan, -np.inf, 3.0]), np.array([0, 1, -1, -1], np.int32)
    assert wanted.holds(values, form).tolist() == [True, False, False, False]


def test_many_spans_are_held_by_fewer(monkeypatch) -> None:
    monkeypatch.setattr(allowed, "MOST", 3)
    points = np.array([1.0, 2.0, 10.0, 11.0, 30.0, 100.0])
    spans = drawn_from(np.stack([points, points], axis=1), Grid(0, 1), 0.0, 200.0)
    assert spans.tolist() == [[0.5, 11.5], [29.5, 30.5], [99.5, 100.5]]
