"""Nobody counts for more rows than were said, and which ones is chance."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.errors import SchemaError
from synthvae.marginals.units import bounded
from synthvae.privacy.budget import Budget

PEOPLE = ["a"] * 7 + ["b"] + ["c"] * 3 + ["", None, "NA", "-9"]


@pytest.fixture
def table(make_table: Callable[..., Any]) -> Any:
    return make_table({"person": PEOPLE, "row": [str(i) for i in range(len(PEOPLE))]})


def kept(table: Any, **budget: Any) -> list[int]:
    small = bounded(table, Budget(1.0, **budget), ["-9"])
    return [int(small["row"].texts[code]) for code in small["row"].codes]


def test_a_row_is_a_unit_of_its_own(table: Any) -> None:
    assert bounded(table, Budget(1.0)) is table


@pytest.mark.parametrize("most", [1, 2, 3, 7, 50])
def test_no_unit_has_more_rows_than_said(table: Any, most: int) -> None:
    rows = kept(table, unit="person", contributions=most)
    people = [PEOPLE[row] for row in rows]
    assert {p: people.count(p) for p in "abc"} == {"a": min(7, most), "b": 1, "c": min(3, most)}
    assert rows == sorted(set(rows))


def test_rows_of_nobody_are_left_out(table: Any) -> None:
    assert max(kept(table, unit="person", contributions=50)) == 10


def test_every_row_of_a_unit_is_as_likely_as_the_others(table: Any) -> None:
    draws = [row for _ in range(2000) for row in kept(table, unit="person", contributions=2)]
    counts = np.bincount(draws, minlength=len(PEOPLE))
    assert counts[7] == 2000
    assert counts[:7] / 2000 == pytest.approx(np.full(7, 2 / 7), abs=0.05)
    assert counts[8:11] / 2000 == pytest.approx(np.full(3, 2 / 3), abs=0.05)


def test_a_unit_is_a_column(table: Any) -> None:
    with pytest.raises(SchemaError, match=r"no column 'persn'.*did you mean 'person'"):
        bounded(table, Budget(1.0, unit="persn"))
