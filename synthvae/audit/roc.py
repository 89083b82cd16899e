"""How well scores tell members from others: area, rates at a threshold, lower bound on epsilon.

Scores are arrays [n]; a row is called a member if its score is above the threshold.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from scipy.special import betaincinv, expit, logit
from scipy.stats import rankdata

from synthvae.audit.records import Rate
from synthvae.audit.shares import rate
from synthvae.evaluation.records import Interval
from synthvae.evaluation.stats import Bools, Floats, t_quantile
from synthvae.evaluation.stats import auc as area

DELTA = 1e-5
PERMUTATIONS = 1_999
_AT_ONCE = 100
_THRESHOLDS = 50


def auc(members: Floats, others: Floats) -> tuple[float, float]:
    """ROC AUC, ties counting half, and its standard error by DeLong et al. (1988).

    The error is at least that of a share of one half in the smaller group: complete separation
    of few rows is no certainty.
    """
    positive = np.repeat([True, False], [len(members), len(others)])
    value, influence = area(positive, np.concatenate([members, others]))
    least = min(len(members), len(others))
    error = math.sqrt(float(np.mean(influence**2)) / len(influence) * least / max(least - 1, 1))
    return value, max(error, 1 / (4 * least))


def auc_interval(value: float, error: float, least: int, confidence: float = 0.95) -> Interval:
    """Student's interval on the logit scale, where it stays within 0 and 1.

    `least`: rows of the smaller group; they are what the error rests on.
    """
    edge = 1 / (4 * least)
    middle = min(max(value, edge), 1 - edge)
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    quantile *= t_quantile(max(least - 1, 3)) / NormalDist().inv_cdf(0.975)
    margin = quantile * error / (middle * (1 - middle))
    ends = expit(logit(middle) + np.array([-margin, margin]))
    return Interval(min(float(ends[0]), value), max(float(ends[1]), value))


def threshold(others: Floats, fpr: float) -> float | None:
    """The score that a fresh row of `others`' kind exceeds with probability `fpr` at most.

    That is one of their own scores, the k-th highest with k / (n + 1) <= `fpr`. None if there
    are too few of them to tell.
    """
    place = math.floor(fpr * (len(others) + 1) + 1e-9)
    return float(np.sort(others)[-place]) if place else None


def rates(members: Floats, others: Floats, at: float) -> tuple[Rate, Rate]:
    """True and false positive rate of the threshold `at`."""
    above = int((members > at).sum()), int((others > at).sum())
    return rate(above[0], len(members)), rate(above[1], len(others))


def epsilon_bound(tpr: Rate, fpr: Rate, delta: float = DELTA, confidence: float = 0.95) -> float:
    """The largest epsilon that these rates refute, 0 if none.

    (epsilon, delta)-DP holds TPR <= e^epsilon FPR + delta, and the same for the rates of the
    opposite guess (Kairouz et al. 2015). TPR is taken at its lower, FPR at its upper end, each
    exact and one-sided with half of what `confidence` leaves (Nasr et al. 2021). It takes rows as
    independent: strictly so over many fits, roughly over the rows of one.
    """
    half = (1 - confidence) / 2
    found = betaincinv(tpr.hits, tpr.n - tpr.hits + 1, half) if tpr.hits else 0.0
    false = betaincinv(fpr.hits + 1, fpr.n - fpr.hits, 1 - half) if fpr.hits < fpr.n else 1.0
    bound = 0.0
    for more, less in ((found - delta, false), (1 - false - delta, 1 - found)):
        if more > less > 0:
            bound = max(bound, math.log(more / less))
    return bound


def telling_threshold(members: Floats, others: Floats) -> float:
    """The threshold with the largest `epsilon_bound` on these rows."""
    scores = np.sort(np.concatenate([members, others]))
    places = np.unique(np.linspace(0, len(scores) - 1, _THRESHOLDS).astype(int))
    tails = np.unique(np.geomspace(1, max(len(scores) // 4, 1), _THRESHOLDS).astype(int))
    candidates = np.unique(scores[np.concatenate([places, len(scores) - tails, tails - 1])])
    bounds = [epsilon_bound(*rates(members, others, at)) for at in candidates]
    best = int(np.argmax(bounds))
    if bounds[best] > 0:
        return float(candidates[best])
    return float(np.median(scores))


def permutation_p(scores: Floats, member: Bools, rng: np.random.Generator) -> Floats:
    """One-sided p-values [K] that members of `scores` [K, n] rank no higher than others.

    `member` [n]. Labels are dealt anew PERMUTATIONS times, the same for all K scores, and the
    true deal counts as one of them (Phipson & Smyth 2010).
    """
    ranks = rankdata(scores, axis=1).astype(np.float64)
    ranks -= ranks.mean(axis=1, keepdims=True)
    seen = ranks @ member
    as_high = np.ones(len(scores))
    for start in range(0, PERMUTATIONS, _AT_ONCE):
        rounds = min(_AT_ONCE, PERMUTATIONS - start)
        deals = np.stack([rng.permutation(member) for _ in range(rounds)], axis=1)
        # Half a rank of slack: sums of ranks are whole or half, floating point is not.
        as_high += (ranks @ deals >= seen[:, None] - 0.25).sum(axis=1)
    return np.asarray(as_high / (PERMUTATIONS + 1))
