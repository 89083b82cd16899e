"""Distances, half samples and intervals on cases of known truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from synthvae.evaluation.stats import (
    HalfSamples,
    auc,
    cut_cells,
    influence_interval,
    kolmogorov_smirnov,
    pick,
    subsample_error,
    t_quantile,
    total_variation,
    tree_codes,
)

NAN = math.nan


def ks(real: list[float], other: list[float]) -> float:
    cells, size, distance = kolmogorov_smirnov(np.array(real, float), np.array(other, float))
    return float(distance(np.bincount(cells, minlength=size)[None].astype(float))[0])


@pytest.mark.parametrize(
    ("real", "other", "expected"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], 0.0),
        ([1, 2, 3, 4], [3, 4, 5, 6], 0.5),
        ([3, 4, 5, 6], [1, 2, 3, 4], 0.5),
        ([1, 2, 3, 4], [9], 1.0),
        ([0, 0, 0, 1], [0, 1, 1, 1], 0.5),
        ([1, 2, 3, 4], [2.5], 0.5),
        ([1, 2, 3, 4], [1, 2, 3, 4, NAN, NAN, NAN, NAN], 0.5),
        ([1, 2, NAN, NAN], [1, 2, 1, 2], 0.5),
        ([1, 2, NAN, NAN], [7, 7, NAN, NAN], 1.0),
        ([NAN, NAN], [NAN, NAN], 0.0),
        ([1, 2], [NAN, NAN], 1.0),
        ([NAN, NAN], [1, 2], 1.0),
    ],
)
def test_kolmogorov_smirnov_by_hand(real, other, expected):
    assert ks(real, other) == pytest.approx(expected)


values = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 7.0]), min_size=1, max_size=12)


@given(values, values)
def test_kolmogorov_smirnov_is_the_widest_gap_of_the_two_cdfs(real, other):
    gaps = [
        abs(np.mean([a <= x for a in real]) - np.mean([b <= x for b in other]))
        for x in real + other
    ]
    assert ks(real, other) == pytest.approx(max(gaps))


def test_total_variation_by_hand():
    distance = total_variation(np.array([0, 0, 1, 2]), 4)
    counts = np.array([[2.0, 1, 1, 0], [0, 0, 0, 8], [4, 0, 0, 0]])
    assert distance(counts) == pytest.approx([0.0, 1.0, 0.5])


def test_halves_take_half_of_the_rows_and_the_first_takes_all():
    cells = np.arange(64) % 3
    halves = HalfSamples.draw(64, np.random.default_rng(0))
    assert halves.distances(cells, 3, lambda counts: counts.sum(axis=1))[0] == 64
    assert set(halves.distances(cells, 3, lambda counts: counts.sum(axis=1))[1:]) == {32}
    ones = halves.distances(cells, 3, lambda counts: counts[:, 1])
    assert ones[0] == np.sum(cells == 1)
    assert len(set(ones[1:])) > 1


@pytest.mark.parametrize("rows", [2, 3, 31, 33])
def test_halves_of_few_or_odd_rows_are_never_empty(rows):
    halves = HalfSamples.draw(rows, np.random.default_rng(0))
    sizes = halves.distances(np.zeros(rows, int), 1, lambda counts: counts.sum(axis=1))
    assert sizes[0] == rows
    assert sizes[1:].min() >= 1


def test_wide_histograms_are_counted_in_pieces_without_a_difference(monkeypatch):
    cells = np.random.default_rng(1).integers(0, 50, 500)
    halves = HalfSamples.draw(500, np.random.default_rng(0))
    distance = total_variation(np.arange(50), 50)
    whole = halves.distances(cells, 50, distance)
    monkeypatch.setattr("synthvae.evaluation.stats._COUNTS_AT_ONCE", 120)
    assert halves.distances(cells, 50, distance) == pytest.approx(whole, abs=0)


def test_the_spread_of_half_samples_is_the_standard_error_of_a_mean():
    values = (np.random.default_rng(3).random(3200) < 0.3).astype(int)
    halves = HalfSamples.draw(len(values), np.random.default_rng(4))
    shares = halves.distances(values, 2, lambda counts: counts[:, 1] / counts.sum(axis=1))
    known = math.sqrt(0.3 * 0.7 / len(values))
    assert subsample_error(shares[1:], 1, 2) == pytest.approx(known, rel=0.35)
    interval = halves.interval(shares, 1.0)
    assert (interval.high - interval.low) / 2 == pytest.approx(2.04 * known, rel=0.35)


def test_a_subsample_error_is_scaled_to_all_rows():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=1000)
    means = np.array([rng.permutation(rows)[:100].mean() for _ in range(400)])
    assert subsample_error(means, 100, 1000) == pytest.approx(1 / math.sqrt(1000), rel=0.15)


@pytest.mark.parametrize(("degrees", "quantile"), [(3, 3.182), (10, 2.228), (31, 2.040)])
def test_t_quantiles_are_those_of_the_tables(degrees, quantile):
    assert t_quantile(degrees) == pytest.approx(quantile, rel=0.01)


def test_auc_is_scikit_learns_with_ties():
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.4
    scores = np.round(rng.normal(size=200) + positive, 1)
    value, influence = auc(positive, scores)
    assert value == pytest.approx(roc_auc_score(positive, scores))
    assert influence.mean() == pytest.approx(0, abs=1e-12)


def test_auc_by_hand():
    value, influence = auc(np.array([True, True, False, False]), np.array([3.0, 1.0, 2.0, 1.0]))
    # Won comparisons: 3 beats both; 1 loses one and ties one.
    assert value == pytest.approx(2.5 / 4)
    # Own shares 1, 1/4 | 1/2, 3/4 less the AUC, over the share of the class.
    assert influence == pytest.approx([0.75, -0.75, -0.25, 0.25])


def test_the_auc_interval_covers_the_true_auc():
    rng = np.random.default_rng(5)
    truth = 0.7602499389  # normal scores, one standard deviation apart: Phi(1 / sqrt(2))
    hits = 0
    for _ in range(300):
        positive = np.arange(150) < 60
        value, influence = auc(positive, rng.normal(size=150) + positive)
        interval = influence_interval(value, influence, 0.0, 1.0)
        hits += interval.low <= truth <= interval.high
    assert 0.91 <= hits / 300 <= 0.98


def test_intervals_stay_within_their_bounds():
    value, influence = auc(np.array([True, True, True, False]), np.array([3.0, 4.0, 1.0, 2.0]))
    interval = influence_interval(value, influence, 0.0, 1.0)
    assert interval.low >= 0.0
    assert interval.high == 1.0


def test_pick_draws_distinct_rows_and_leaves_small_frames_alone():
    frame = pd.DataFrame({"a": np.arange(100.0)})
    drawn = pick(frame, 30, np.random.default_rng(0))
    assert len(drawn) == drawn["a"].nunique() == 30
    assert pick(frame, 30, np.random.default_rng(0)).equals(drawn)
    assert not pick(frame, 30, np.random.default_rng(1)).equals(drawn)
    assert pick(frame, 100, np.random.default_rng(0)) is frame


def test_tree_codes_know_missing_and_new_levels():
    reference = pd.DataFrame({"t": ["b", "b", "a", None], "x": [1.0, 2.0, NAN, 4.0]})
    other = pd.DataFrame({"t": ["a", "new", None], "x": [5.0, NAN, 6.0]}, dtype=object)
    other["x"] = other["x"].astype(float)
    (codes,), categorical = tree_codes(reference, [other])
    assert categorical == [True, False]
    assert codes[:, 0] == pytest.approx([1, 2, NAN], nan_ok=True)
    assert codes[:, 1] == pytest.approx([5, NAN, 6], nan_ok=True)


def test_tree_codes_do_not_depend_on_the_order_of_rows():
    reference = pd.DataFrame({"t": ["a", "b", "c", "c"]})
    (codes,), _ = tree_codes(reference, [reference])
    (backwards,), _ = tree_codes(reference[::-1], [reference])
    assert codes.tolist() == backwards.tolist()


def test_text_with_too_many_levels_is_left_to_the_trees_as_a_number():
    many = pd.DataFrame({"t": [f"v{k}" for k in range(255)]})
    assert tree_codes(many, [many])[1] == [False]
    assert tree_codes(many[:254], [many])[1] == [True]


def test_cells_of_numbers_are_quantile_bins_of_the_real_column():
    real = pd.Series(np.arange(1000.0))
    other = pd.Series([-5.0, 0.0, 99.0, 100.0, 998.0, 5000.0, NAN])
    cells = cut_cells(real, [other])
    assert np.bincount(cells.real).tolist() == [0, *[100] * 9, 99, 1]
    assert cells.others[0].tolist() == [0, 1, 1, 2, 10, 11, 12]
    assert cells.size == 13


def test_cells_of_few_numbers_are_their_values():
    real = pd.Series([0.0, 0.0, 1.0, NAN])
    cells = cut_cells(real, [pd.Series([0.0, 1.0, NAN])])
    assert len(set(cells.others[0].tolist())) == 3
    assert cells.others[0].tolist() == [cells.real[0], cells.real[2], cells.real[3]]


def test_cells_of_text_are_the_top_levels_the_rest_and_missing():
    real = pd.Series([f"v{k:03}" for k in range(120)] + [f"v{k:03}" for k in range(100)] + [None])
    cells = cut_cells(real, [pd.Series(["v000", "v099", "v110", "new", None], dtype=object)])
    known, last, rare, new, missing = cells.others[0]
    assert known != last
    assert rare == new == 100
    assert missing == 101
    assert cells.size == 102
