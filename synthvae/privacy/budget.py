"""What a private fit may cost, and whom it protects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

ROW = "row"
MAX_EPSILON = 100.0  # a promise that allows odds to grow e^100-fold is none
MIN_DELTA, MAX_DELTA = 1e-12, 1e-2  # a delta of 1/n would allow to publish one whole row


@dataclass(frozen=True)
class Budget:
    """(epsilon, delta) under add/remove of one unit: a row, or all rows of one value of a column.

    `contributions` is how many rows one unit may have; that no unit has more is enforced where
    the rows are read.
    """

    epsilon: float
    delta: float = 1e-5
    unit: str = ROW
    contributions: int = 1

    def __post_init__(self) -> None:
        if not (self.epsilon > 0 and math.isfinite(self.epsilon)):
            raise ValueError(f"epsilon is a number above 0, but it is {self.epsilon}; try 3")
        if self.epsilon > MAX_EPSILON:
            raise ValueError(
                f"epsilon is {MAX_EPSILON:g} at most, since beyond that nothing is promised, but "
                f"it is {self.epsilon:g}; try 3, or fit without one"
            )
        if not MIN_DELTA <= self.delta < MAX_DELTA:
            raise ValueError(
                f"delta is a chance from {MIN_DELTA:g} to below {MAX_DELTA:g}, but it is "
                f"{self.delta:g}; try 1e-5"
            )
        if not self.unit:
            raise ValueError(f"unit is '{ROW}' or a column's name, but it is empty; name one")
        if isinstance(self.contributions, bool) or not isinstance(self.contributions, int):
            raise ValueError(
                f"contributions is a whole number of rows, but it is {self.contributions}; round it"
            )
        if self.contributions < 1:
            raise ValueError(
                f"contributions is at least 1 row, but it is {self.contributions}; raise it"
            )
        if self.unit == ROW and self.contributions > 1:
            raise ValueError(
                f"a unit of one row contributes 1 row, but contributions is {self.contributions}; "
                "name the column that tells units apart"
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "epsilon": self.epsilon,
            "delta": self.delta,
            "unit": self.unit,
            "contributions": self.contributions,
        }


def in_words(unit: str) -> str:
    """'row', or 'value of' the column that tells units apart."""
    return ROW if unit == ROW else f"value of '{unit}'"
