"""Area, thresholds and bounds, against scores of which the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from synthvae.audit.roc import (
    auc,
    auc_interval,
    epsilon_bound,
    permutation_p,
    rates,
    telling_threshold,
    threshold,
)
from synthvae.audit.shares import rate


def test_auc_counts_won_comparisons_and_half_of_ties():
    value, _ = auc(np.array([0.0, 4, 6, 7]), np.array([1.0, 2, 3, 5]))
    assert value == pytest.approx(11 / 16)
    assert auc(np.zeros(5), np.zeros(7))[0] == pytest.approx(0.5)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.8])
def test_delong_intervals_cover_over_a_thousand_score_sets(shift: float):
    rng, truth, covered = np.random.default_rng(5), norm.cdf(shift / math.sqrt(2)), 0
    for _ in range(1000):
        value, error = auc(rng.normal(shift, 1, 250), rng.normal(0, 1, 250))
        found = auc_interval(value, error, 250)
        covered += found.low <= truth <= found.high
    assert covered >= 950


def test_separation_of_few_rows_is_no_certainty():
    value, error = auc(np.arange(5.0) + 10, np.arange(5.0))
    found = auc_interval(value, error, 5)
    assert found.high == value == 1.0
    assert found.low < 0.9


def test_a_threshold_keeps_its_false_positive_rate_on_fresh_rows():
    rng = np.random.default_rng(0)
    shares = [norm.sf(threshold(rng.normal(size=199), 0.01) or 0.0) for _ in range(1000)]
    assert np.mean(shares) == pytest.approx(0.01, abs=0.001)
    assert threshold(rng.normal(size=98), 0.01) is None
    assert threshold(rng.normal(size=99), 0.01) is not None
    assert threshold(rng.normal(size=998), 0.001) is None


def test_epsilon_of_known_rates():
    """5 % of members found at 1 % false alarms: the research notes' values."""
    found = [epsilon_bound(rate(n // 20, n), rate(n // 100, n), 0.0) for n in (200, 1000, 5000)]
    assert found == pytest.approx([0.0, 0.71, 1.2], abs=0.03)


def test_epsilon_bounds_hold_for_randomised_response():
    """A mechanism that is exactly 1-DP: in at most one run of twenty is a larger epsilon 'shown',
    although the threshold was sought on other rows of the run."""
    rng, above, seen = np.random.default_rng(1), 0, []
    keep = math.e / (1 + math.e)
    for _ in range(400):
        members, others = (
            np.where(rng.random(600) < keep, told, 1.0 - told) for told in (1.0, 0.0)
        )
        at = telling_threshold(members[:300], others[:300])
        seen.append(epsilon_bound(*rates(members[300:], others[300:], at), 0.0))
        above += seen[-1] > 1.0
    assert above <= 20
    assert np.mean(seen) > 0.6


def test_the_opposite_guess_counts_too():
    """All others are below the threshold of a few: no epsilon follows from the true positives."""
    assert epsilon_bound(rate(1000, 1000), rate(500, 1000), 0.0) == pytest.approx(
        math.log((1 - 0.5314) / 0.00368), abs=0.05
    )


def test_permutation_p_values_are_uniform_where_nothing_is():
    rng, member = np.random.default_rng(2), np.repeat([True, False], [30, 60])
    p_values = permutation_p(rng.normal(size=(400, 90)), member, 199, rng)
    assert 0.02 <= (p_values <= 0.05).mean() <= 0.08
    assert p_values.min() >= 1 / 200
    assert permutation_p(member[None].astype(float), member, 199, rng)[0] == pytest.approx(1 / 200)
