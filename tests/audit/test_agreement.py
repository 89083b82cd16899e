"""The audit's statistics beside implementations that share nothing with it: scikit-learn, scipy,
resampling, and the papers' own words in exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap, permutation_test, rankdata
from sklearn.metrics import roc_auc_score

from synthvae.audit import f_dp, one_run
from synthvae.audit.roc import auc, auc_interval, permutation_p
from synthvae.audit.shares import clopper_pearson


def scores(seed: int, coarse: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = rng.normal(0.7, 1.3, 230), rng.normal(0, 1, 170)
    return (found[0].round(), found[1].round()) if coarse else found


@pytest.mark.parametrize("coarse", [False, True])
def test_area_against_scikit_learn_and_its_error_against_the_bootstrap(coarse: bool) -> None:
    members, others = scores(0, coarse)
    value, error = auc(members, others)
    labels = np.repeat([1, 0], [len(members), len(others)])
    assert value == pytest.approx(roc_auc_score(labels, np.concatenate([members, others])))

    def area(ours: np.ndarray, theirs: np.ndarray) -> float:
        ranks = rankdata(np.concatenate([ours, theirs]))[: len(ours)].sum()
        return (ranks - len(ours) * (len(ours) + 1) / 2) / (len(ours) * len(theirs))

    drawn = bootstrap((members, others), area, n_resamples=2000, vectorized=False, rng=0,
                      method="percentile")  # fmt: skip
    assert error == pytest.approx(drawn.standard_error + 1 / (4 * 170), rel=0.06)
    ours, theirs = auc_interval(value, error, 170), drawn.confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.008)


@pytest.mark.parametrize(("hits", "n"), [(0, 50), (3, 1000), (17, 40), (999, 1000), (50, 50)])
@pytest.mark.parametrize("confidence", [0.95, 0.999])
def test_exact_intervals_against_scipy(hits: int, n: int, confidence: float) -> None:
    ours = clopper_pearson(hits, n, confidence)
    theirs = binomtest(hits, n).proportion_ci(confidence, "exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def p_value_in_fractions(m: int, r: int, v: int, odds: Fraction, delta: Fraction) -> Fraction:
    """Steinke, Nasr & Jagielski (2023), appendix D, as their program has it: `m` canaries, `r`
    guesses, `v` right ones, e^epsilon = `odds`. Nothing is rounded."""
    q = odds / (1 + odds)
    pmf = [comb(r, k) * q**k * (1 - q) ** (r - k) for k in range(r + 1)]
    alpha = total = Fraction(0)
    for i in range(1, v + 1):
        total += pmf[v - i]
        alpha = max(alpha, total / i)
    return min(sum(pmf[v:], Fraction(0)) + alpha * delta * 2 * m, Fraction(1))


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1, 100_000), Fraction(1, 100)])
@pytest.mark.parametrize(("m", "r", "v"), [(1000, 100, 90), (60, 60, 41), (500, 20, 20), (9, 3, 0)])
def test_one_run_against_exact_arithmetic(m: int, r: int, v: int, delta: Fraction) -> None:
    for odds in (Fraction(1), Fraction(3, 2), Fraction(7), Fraction(20)):
        exact = float(p_value_in_fractions(m, r, v, odds, delta))
        found = one_run.p_value(m, r, v, math.log(odds), float(delta))
        assert found == pytest.approx(exact, rel=1e-9)
    bound = one_run.epsilon(m, r, v, float(delta))
    if bound:  # just below it the level is kept, just above it is not
        for step, refuted in ((-1e-4, True), (1e-4, False)):
            odds = Fraction(math.exp(bound + step))
            assert (p_value_in_fractions(m, r, v, odds, delta) < Fraction(1, 20)) == refuted


def test_permutation_p_values_against_scipy() -> None:
    rng = np.random.default_rng(4)
    found = rng.normal(size=60)
    member = np.arange(60) < 30
    found[member] += 0.4
    ours = permutation_p(found[None], member, 4999, rng)[0]

    def lead(a: np.ndarray, b: np.ndarray) -> float:
        return float(rankdata(np.concatenate([a, b]))[: len(a)].sum())

    theirs = permutation_test((found[member], found[~member]), lead, n_resamples=4999,
                              alternative="greater", rng=0)  # fmt: skip
    assert ours == pytest.approx(theirs.pvalue, abs=0.012)


def test_epsilon_of_a_gaussian_against_its_integral() -> None:
    """delta(epsilon) is the mass by which N(mu, 1) exceeds e^epsilon N(0, 1)."""
    grid = np.linspace(-12, 14, 400_001)
    for mu in (0.3, 1.0, 2.0):
        epsilon = f_dp.epsilon_of(mu, 1e-5)
        over = np.exp(-((grid - mu) ** 2) / 2) - np.exp(epsilon - grid**2 / 2)
        delta = np.maximum(over, 0).sum() * (grid[1] - grid[0]) / math.sqrt(2 * math.pi)
        assert delta == pytest.approx(1e-5, rel=2e-3)
