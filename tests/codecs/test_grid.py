"""The grid that numbers stand on: found exactly, and snapped to exactly."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synthvae.codecs.grid import Grid


@pytest.mark.parametrize(
    ("values", "places", "step", "origin"),
    [
        ([1.0, 1.25, 3.5], 2, 25, 0),
        ([0.1, 0.4, 1.0], 1, 3, 1),
        ([86400.0, 0.0, -172800.0], 0, 86400, 0),
        ([10.0, 17.0, 31.0], 0, 7, 3),
        ([-3.0, 4.0], 0, 7, 4),
        ([5.0, 5.0], 0, 1, 0),
        ([0.12], 2, 1, 0),
        ([2.0**60, 2.0**60 + 1024], 0, 1024, 0),
    ],
)
def test_the_coarsest_grid_is_found(
    values: list[float], places: int, step: int, origin: int
) -> None:
    assert Grid.fit(np.array(values), places) == Grid(places, step, origin)


@pytest.mark.parametrize(
    ("values", "places"), [([1e300, 2e300], 0), ([1e16, 0.5], 1), ([2.0**62], 0), ([], 0)]
)
def test_where_floats_are_too_coarse_there_is_no_grid(values: list[float], places: int) -> None:
    grid = Grid.fit(np.array(values), places)
    assert grid.step == 0
    assert grid.unit == 0
    np.testing.assert_array_equal(grid.snap(np.array([0.123, 1e300])), [0.123, 1e300])


ticks = st.integers(-(10**9), 10**9)


@settings(deadline=None)
@given(
    origin=ticks,
    step=st.integers(1, 10**5),
    counts=st.lists(st.integers(-1000, 1000), min_size=2, max_size=20, unique=True),
    places=st.integers(0, 6),
)
def test_values_on_a_grid_stay_and_others_go_to_the_nearest(
    origin: int, step: int, counts: list[int], places: int
) -> None:
    exact = [Decimal(origin + k * step).scaleb(-places) for k in counts]
    values = np.array([float(value) for value in exact])
    grid = Grid.fit(values, places)
    assert grid.step % step == 0
    assert grid.snap(values).tolist() == values.tolist()
    assert grid.at(grid.index(values)).tolist() == values.tolist()
    assert grid.ticks(values).tolist() == [origin + k * step for k in counts]
    nudged = grid.snap(values + 0.49 * grid.unit)
    assert nudged.tolist() == values.tolist()


@settings(deadline=None)
@given(value=st.floats(-1e18, 1e18), places=st.integers(0, 3), step=st.integers(1, 1000))
def test_any_value_snaps_to_a_grid_point_at_most_half_a_step_away(
    value: float, places: int, step: int
) -> None:
    assume(abs(value) * 10**places < 2**50)
    grid = Grid(places, step, step // 3)
    snapped = float(grid.snap(np.array([value]))[0])
    assert (int(grid.ticks(np.array([snapped]))[0]) - step // 3) % step == 0
    assert abs(snapped - value) <= grid.unit / 2 * (1 + 1e-9) + abs(value) * 1e-15


def test_large_whole_numbers_stay_exact_beside_small_ones() -> None:
    """All are 1 more than a multiple of 3, but a float can't count that many threes."""
    values = np.array([1.0, 4.0, 2.0**60, 2.0**60 + 768])
    grid = Grid.fit(values, 0)
    assert grid.ticks(values).tolist() == [1, 4, 2**60, 2**60 + 768]


def test_values_out_of_all_reach_do_not_overflow() -> None:
    snapped = Grid(2, 1).snap(np.array([1e300, -1e300]))
    assert snapped[0] > 1e16
    assert snapped[1] < -1e16
