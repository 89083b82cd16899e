"""Bounds from one run, against enumeration, papers' settings and mechanisms of known epsilon."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from scipy.stats import beta, binom

from synthvae.audit import f_dp, one_run


def test_without_delta_the_bound_is_the_exact_interval_of_a_coin():
    """Right guesses of randomised response are binomial, and it is the worst case."""
    for guesses, correct in ((100, 90), (30, 30), (50, 31)):
        share = beta.ppf(0.05, correct, guesses - correct + 1)
        known = math.log(share / (1 - share))
        found = one_run.epsilon(1000, guesses, correct, delta=0.0)
        assert found == pytest.approx(max(known, 0.0), abs=1e-4)


def test_known_values():
    """The research notes' figures: 1,000 canaries, 100 guesses at delta 1e-5."""
    assert one_run.epsilon(1000, 100, 90) == pytest.approx(1.63, abs=0.01)
    assert one_run.epsilon(1000, 100, 70) == pytest.approx(0.47, abs=0.01)


def test_the_share_of_delta_against_the_sum_of_the_theorem():
    """Term by term, as the paper has it."""
    canaries, guesses, correct, epsilon, delta = 40, 12, 9, 0.7, 1e-3
    chance = 1 / (1 + math.exp(-epsilon))
    tail = sum(binom.pmf(k, guesses, chance) for k in range(correct, guesses + 1))
    worst = max(
        sum(binom.pmf(k, guesses, chance) for k in range(correct - i, correct)) / i
        for i in range(1, correct + 1)
    )
    expected = tail + 2 * canaries * delta * worst
    found = one_run.p_value(canaries, guesses, correct, epsilon, delta)
    assert found == pytest.approx(expected)


def test_more_delta_or_fewer_right_guesses_give_a_smaller_bound():
    bounds = [one_run.epsilon(500, 80, 70, delta) for delta in (0.0, 1e-5, 1e-3, 1e-1)]
    assert bounds == sorted(bounds, reverse=True)
    assert one_run.epsilon(500, 80, 40) == 0.0
    assert f_dp.mu(500, 80, 40) == 0.0
    assert f_dp.mu(500, 80, 75) > f_dp.mu(500, 80, 65) > 0


def test_guesses_are_counted_from_both_ends():
    scores = np.array([5.0, 4, 3, 2, 1])
    included = np.array([True, False, True, True, False])
    assert one_run.right_guesses(scores, included, 2, 0) == 1
    assert one_run.right_guesses(scores, included, 2, 2) == 2
    assert one_run.right_guesses(scores, included, 0, 1) == 1


def test_gaussian_trade_off_in_numbers():
    """mu of Gaussian mechanisms with epsilon 1, 3 and 8 at delta 1e-5, from the exact curve."""
    found = [f_dp.epsilon_of(mu, 1e-5) for mu in (0.27, 0.72, 1.67)]
    assert found == pytest.approx([1.0, 3.0, 8.0], abs=0.03)


def test_the_curve_of_a_coin_against_enumeration():
    """One guess about one canary: it is right with probability q at most, where q solves
    1 - q = f(q); refuted at level tau is every curve with q < tau."""
    for mu in (0.1, 0.5, 1.0):
        for level in (0.4, 0.55, 0.65, 0.8):
            best = f_dp.ndtr(mu / 2)  # the chance of a right guess about N(+-mu/2, 1)
            refuted = f_dp.refutes(partial(f_dp.gaussian_shrink, mu), 1, 1, 1, level)
            assert refuted == (best < level)


@pytest.mark.slow
@pytest.mark.parametrize(("bound", "least"), [(one_run.bound_of, 0.2), (f_dp.f_dp_bound_of, 0.33)])
def test_bounds_hold_for_a_gaussian_mechanism(bound, least):
    """mu = 1 is epsilon 4.38 at 1e-5; each canary is seen through noise of its own."""
    truth, seen = f_dp.epsilon_of(1.0, 1e-5), []
    rng = np.random.default_rng(4)
    for _ in range(40):
        included = rng.random(400) < 0.5
        scores = included + rng.normal(size=400)
        seen.append(bound("a test", scores, included).epsilon)
    assert max(seen) < truth
    assert np.mean(seen) > least * truth


def test_randomised_response_of_epsilon_two_is_not_called_worse():
    keep = math.exp(2) / (1 + math.exp(2))
    rng, above = np.random.default_rng(6), 0
    for _ in range(60):
        included = rng.random(200) < 0.5
        scores = np.where(rng.random(200) < keep, included, ~included).astype(float)
        above += one_run.bound_of("a test", scores, included, delta=0.0).epsilon > 2
    assert above <= 3


def test_the_record_says_what_it_rests_on():
    rng = np.random.default_rng(0)
    included = rng.random(300) < 0.5
    found = one_run.bound_of("canaries", included.astype(float), included)
    assert (found.canaries, found.confidence, found.delta) == (300, 0.95, 1e-5)
    assert found.correct == found.guesses
    assert found.epsilon > 2
    with_names = (found.name, found.theorem)
    assert with_names == ("canaries", one_run.THEOREM)
