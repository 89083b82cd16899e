"""Shares without noise's nonsense, classes in groups."""

from typing import Any

import numpy as np
import pytest

from synthvae.marginals.shares import OneWay

RNG = np.random.default_rng(3)


def one(counts: Any, sigma: float = 0.01, ordered: bool = False, doubtful: Any = ()) -> OneWay:
    counts = np.asarray(counts, float)
    return OneWay.of(counts, np.full(len(counts), sigma), counts.sum(), ordered, doubtful)


def test_shares_sum_to_1_and_hold_nothing_negative() -> None:
    found = OneWay.of(np.array([50.0, 49.0, -3.0, 0.5]), np.full(4, 1.0), 100.0, False)
    assert found.best.sum() == pytest.approx(1)
    assert (found.best >= 0).all()
    assert found.best[0] > found.best[1] > 0.45
    assert found.shares.tolist() == [0.5, 0.49, -0.03, 0.005]


def test_a_doubtful_class_is_absent_unless_it_stands_out() -> None:
    faint = one([60, 38, 4.9, 2], sigma=1.0, doubtful=(2, 3))
    assert faint.absent.tolist() == [False, False, True, True]
    assert faint.best[2:].tolist() == [0, 0]
    assert not one([60, 30, 5, 5], sigma=1.0, doubtful=(2, 3)).absent.any()


def test_nothing_but_noise_is_spread_over_what_may_be() -> None:
    found = OneWay.of(np.array([-2.0, -1.0, 0.5]), np.full(3, 1.0), 1.0, False, (2,))
    assert found.best.tolist() == [0.5, 0.5, 0]
    lone = OneWay.of(np.array([0.5]), np.full(1, 1.0), 1.0, False, (0,))
    assert lone.best.tolist() == [1]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 19, 20, 50])
def test_groups_are_as_many_as_said(most: int) -> None:
    counts = RNG.integers(1, 100, 20)
    for ordered in (True, False):
        groups = one(counts, ordered=ordered).groups(most)
        assert sorted(set(groups.tolist())) == list(range(groups.max() + 1))
        assert groups.max() + 1 <= most or most >= 20
        assert groups.max() + 1 >= min(most, 20) - 4


def test_groups_of_ordered_classes_are_neighbours_of_like_mass() -> None:
    groups = one(np.full(100, 7.0), ordered=True).groups(4)
    assert (np.diff(groups) >= 0).all()
    assert np.bincount(groups).tolist() == [25, 25, 25, 25]


def test_the_largest_categories_stay_on_their_own() -> None:
    assert one([5, 1, 9, 2, 7]).groups(3).tolist() == [2, 2, 0, 2, 1]
