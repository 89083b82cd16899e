"""A budget that promises nothing is refused in words."""

import math
from typing import Any

import pytest

from synthvae.privacy.budget import Budget


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"epsilon": 0.0}, "epsilon is a number above 0"),
        ({"epsilon": math.nan}, "epsilon is a number above 0"),
        ({"epsilon": math.inf}, "epsilon is a number above 0"),
        ({"epsilon": 101.0}, "epsilon is 100 at most, since beyond that nothing is promised"),
        ({"epsilon": 1.0, "delta": 0.0}, "delta is a chance from 1e-12 to below 0.01"),
        ({"epsilon": 1.0, "delta": 1e-300}, "but it is 1e-300; try 1e-5"),
        ({"epsilon": 1.0, "delta": 0.01}, "but it is 0.01; try 1e-5"),
        ({"epsilon": 1.0, "unit": ""}, "unit is 'row' or a column's name"),
        ({"epsilon": 1.0, "unit": "person", "contributions": 0}, "at least 1 row"),
        ({"epsilon": 1.0, "unit": "person", "contributions": 1.5}, "a whole number of rows"),
        ({"epsilon": 1.0, "contributions": 2}, "name the column that tells units apart"),
    ],
)
def test_a_budget_that_promises_nothing_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Budget(**wrong)


def test_a_budget_is_written_down_whole() -> None:
    budget = Budget(3.0, unit="person", contributions=4)
    assert Budget(**budget.to_json()) == budget
