"""Ends of a column, and values that hold many rows."""

import numpy as np
import pytest

from synthvae.codecs.bounds import atoms_of, outer_bounds, spikes


@pytest.mark.parametrize(
    ("rows", "low", "high"), [(1, 0, 0), (99, 0, 98), (100, 1, 98), (600, 5, 594), (9999, 5, 9993)]
)
def test_bounds_leave_out_the_outermost_rows(rows: int, low: int, high: int) -> None:
    values = np.random.default_rng(0).permutation(rows).astype(float)
    assert outer_bounds(values) == (low, high)


def test_no_single_row_sets_a_bound() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    with_outliers = np.concatenate([values, [1e9, -1e9, 2e9, -5e9, 7e9]])
    low, high = outer_bounds(with_outliers)
    assert low >= values.min()
    assert high <= values.max()


def test_no_values_have_no_bounds() -> None:
    assert outer_bounds(np.empty(0)) == (0.0, 0.0)


def test_spikes_hold_their_share_of_the_rows_and_enough_of_them() -> None:
    values = np.concatenate(
        [np.zeros(300), np.full(20, 7.0), np.full(19, 5.0), np.arange(1e3, 2e3)]
    )
    assert spikes(values, 0.001).tolist() == [0.0, 7.0]
    assert spikes(values, 0.1).tolist() == [0.0]
    assert spikes(values, 0.001, least=21).tolist() == [0.0]
    assert spikes(np.zeros(19), 0.01).tolist() == []


def test_all_rows_of_one_unit_count_once() -> None:
    values = np.concatenate([np.arange(1000.0), np.full(25, 1234.56), np.full(25, 500.5)])
    units = np.r_[np.arange(1000), np.full(25, 7), np.arange(25)].astype(np.int32)
    assert spikes(values, 0.003).tolist() == [500.5, 1234.56]
    assert spikes(values, 0.003, units=units).tolist() == [500.5]
    assert atoms_of(values, 5, units).tolist() == [500.5]
    assert outer_bounds(values)[1] == 1234.56
    assert outer_bounds(values, units)[1] == 995.0


def test_no_one_s_rows_count_for_themselves() -> None:
    values = np.r_[np.arange(1000.0), np.full(25, 7.5)]
    assert spikes(values, 0.003, units=np.full(1025, -1, np.int32)).tolist() == [7.5]


def test_few_values_are_classes_only_if_enough_rows_hold_each() -> None:
    values = np.repeat(np.arange(100.0), 3)
    assert atoms_of(values, 3).tolist() == [*range(100)]
    assert atoms_of(values, 5).tolist() == []
