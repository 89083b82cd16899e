"""What means hide is found: one bad column among many, and a value that never comes back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthvae.evaluation import coverage, worst_column


def table(seed: int, rows: int = 3000, columns: int = 20) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{k}": rng.normal(size=rows) for k in range(columns)})
    frame["kind"] = rng.choice(["a", "b", "rare"], rows, p=[0.6, 0.39, 0.01]).astype(object)
    frame["few"] = rng.choice([1.0, 2.0, np.nan], rows, p=[0.9, 0.08, 0.02])
    return frame


REAL, HOLDOUT, FRESH = table(0), table(1), table(2)


def test_fresh_rows_have_no_bad_column_and_all_values() -> None:
    worst, covered = (each(REAL, HOLDOUT, FRESH, seed=0) for each in (worst_column, coverage))
    assert worst.floor is not None
    assert worst.value - worst.floor < 2.5
    assert (covered.value, covered.interval.low, covered.floor) == (1.0, 1.0, 1.0)
    assert covered.detail == {"kind": 1.0, "few": 1.0}


def test_one_constant_column_of_many_is_the_worst() -> None:
    found = worst_column(REAL, HOLDOUT, FRESH.assign(x7=0.0), seed=0)
    assert max(found.detail, key=lambda name: found.detail[name]) == "x7"
    assert found.floor is not None
    assert found.interval.low - found.floor > 40
    assert found.detail["x3"] < 5


@pytest.mark.parametrize(
    ("column", "gone", "left"),
    [("kind", "rare", 2 / 3), ("few", 2.0, 2 / 3), ("few", np.nan, 2 / 3)],
)
def test_a_value_that_is_gone(column: str, gone: object, left: float) -> None:
    without = FRESH.copy()
    mask = without[column].isna() if gone is np.nan else without[column] == gone
    without.loc[mask, column] = "a" if column == "kind" else 1.0
    found = coverage(REAL, HOLDOUT, without, seed=0)
    assert found.detail[column] == pytest.approx(left)
    assert found.value == pytest.approx(5 / 6)
    assert found.interval.high < 1


def test_a_value_too_rare_to_be_expected_is_not_asked_for() -> None:
    few = FRESH.assign(kind="a").head(400)  # four rows of 'rare' are expected
    assert coverage(REAL, HOLDOUT, few, seed=0).detail["kind"] == 0.5  # of 'a' and 'b'


def test_a_value_of_two_rows_might_have_been_lacking() -> None:
    once = FRESH.copy()
    rare = once.index[once["kind"] == "rare"]
    once.loc[rare[2:], "kind"] = "a"
    found = coverage(REAL, HOLDOUT, once, seed=0)
    assert found.value == 1.0
    assert found.interval.low == pytest.approx(5 / 6)


def test_missing_is_one_value_in_whatever_way_it_is_written() -> None:
    real = pd.DataFrame({"kind": np.array(["a", None] * 100, dtype=object)})
    other = pd.DataFrame({"kind": np.array(["a", np.nan] * 100, dtype=object)})
    assert coverage(real, real, other, seed=0).value == 1.0


def test_numbers_alone_have_no_values_to_cover() -> None:
    numbers = [frame.filter(like="x") for frame in (REAL, HOLDOUT, FRESH)]
    found = coverage(*numbers, seed=0)
    assert (found.value, found.interval.low, found.detail) == (1.0, 1.0, {})


def test_values_of_which_none_can_be_expected_are_not_all_there() -> None:
    """Of 50 levels each would have ten rows among 500: that all but one vanished can't be shown."""
    rng = np.random.default_rng(0)
    levels = [f"level {k}" for k in range(50)]
    real, holdout = (
        pd.DataFrame({"kind": rng.choice(levels, rows).astype(object)}) for rows in (4000, 500)
    )
    one = pd.DataFrame({"kind": np.array(["level 0"] * 500, dtype=object)})
    found = coverage(real, holdout, one, seed=0)
    assert np.isnan([found.value, found.interval.low, found.interval.high, found.floor]).all()
    assert found.to_json()["value"] is None
