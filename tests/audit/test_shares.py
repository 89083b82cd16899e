"""Shares and their differences, against enumeration and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from synthvae.audit.shares import clopper_pearson, excess_interval, holm, rate


@pytest.mark.parametrize("n", [1, 7, 40])
@pytest.mark.parametrize("truth", [0.0, 0.004, 0.1, 0.5, 0.93, 1.0])
def test_exact_intervals_cover_at_least_as_often_as_they_say(n: int, truth: float):
    covers = [
        clopper_pearson(hits, n).low <= truth <= clopper_pearson(hits, n).high
        for hits in range(n + 1)
    ]
    assert binom.pmf(np.arange(n + 1), n, truth)[covers].sum() >= 0.95


def test_known_exact_intervals():
    assert clopper_pearson(0, 100).high == pytest.approx(1 - 0.025 ** (1 / 100))
    found = clopper_pearson(10, 100)
    assert (found.low, found.high) == pytest.approx((0.0490, 0.1762), abs=1e-4)


@pytest.mark.parametrize(("ours", "theirs"), [(0.5, 0.5), (0.05, 0.01), (0.3, 0.2), (0.002, 0.0)])
def test_intervals_of_an_excess_cover_over_a_thousand_tables(ours: float, theirs: float):
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1000):
        found = excess_interval(
            rate(int(rng.binomial(900, ours)), 900), rate(int(rng.binomial(400, theirs)), 400)
        )
        covered += found.low <= ours - theirs <= found.high
    assert covered >= 950


def test_no_rows_tell_nothing():
    found = excess_interval(rate(3, 10), rate(0, 0))
    assert (found.low, found.high) == (-1.0, 1.0)


def test_holm_against_the_definition():
    adjusted = holm(np.array([0.01, 0.04, 0.03, 0.5]))
    assert adjusted == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm(np.array([0.9, 0.6])) == pytest.approx([1.0, 1.0])
