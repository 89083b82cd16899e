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
from synthvae.audit.shares import clopper_pearson, rate
from synthvae.evaluation.records import Interval
from synthvae.evaluation.stats import Bools, Floats, Ints, t_quantile
from synthvae.evaluation.stats import auc as area

DELTA = 1e-5
_AT_ONCE = 100
_THRESHOLDS = 50


def auc(members: Floats, others: Floats) -> tuple[float, float]:
    """ROC AUC, ties counting half, and its standard error by DeLong et al. (1988).

    Half of half a row of the smaller group is added to the error, as for any share of so few:
    complete separation of few rows is no certainty.
    """
    positive = np.repeat([True, False], [len(members), len(others)])
    value, influence = area(positive, np.concatenate([members, others]))
    least = min(len(members), len(others))
    error = math.sqrt(float(np.mean(influence**2)) / len(influence) * least / max(least - 1, 1))
    return value, error + 1 / (4 * least)


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


def tpr_value(tpr: Rate, fpr: Rate, aim: float) -> float:
    """The true positive rate at a false positive rate of `aim`, seen at one of `fpr`: along the
    chord to the origin, if more false alarms were raised than were aimed at."""
    return tpr.value * min(1.0, aim / fpr.value) if fpr.hits else tpr.value


def tpr_interval(tpr: Rate, fpr: Rate, aim: float, confidence: float = 0.95) -> Interval:
    """Of the true positive rate at a false positive rate of `aim`, seen at one of `fpr`.

    The threshold came from other rows, so its own rate is not quite the one aimed at. On a concave
    ROC curve TPR / FPR falls, hence TPR at `aim` is at least TPR aim / FPR where FPR is larger,
    and at most that where it is smaller. The lower end takes FPR at its upper end. Only that end
    answers for the threshold's own false alarms: the upper one takes FPR as seen, so it may be too
    low by as much as chance made FPR too high, and tells nothing if no false alarm was seen.
    """
    seen, false = (clopper_pearson(each.hits, each.n, confidence) for each in (tpr, fpr))
    low = seen.low * min(1.0, aim / false.high)
    high = seen.high * max(1.0, aim / fpr.value) if fpr.hits else 1.0
    return Interval(low, min(high, 1.0))


def epsilon_bound(tpr: Rate, fpr: Rate, delta: float = DELTA, confidence: float = 0.95) -> float:
    """The largest epsilon that these rates refute, 0 if none.

    (epsilon, delta)-DP holds TPR <= e^epsilon FPR + delta, and the same for the rates of the
    opposite guess (Kairouz et al. 2015). TPR is taken at its lower, FPR at its upper end, each
    exact and one-sided with half of what `confidence` leaves (Nasr et al. 2021). It takes rows as
    independent: strictly so over many fits, roughly over the rows of one.
    """
    found, false = np.array([tpr.hits]), np.array([fpr.hits])
    return float(_epsilon_bounds(found, tpr.n, false, fpr.n, delta, confidence)[0])


def _epsilon_bounds(
    found: Ints, members: int, false: Ints, others: int, delta: float, confidence: float
) -> Floats:
    """`epsilon_bound` of several thresholds [T] at once."""
    half = (1 - confidence) / 2
    low = np.where(found, betaincinv(np.maximum(found, 1), members - found + 1, half), 0.0)
    left = np.maximum(others - false, 1)
    high = np.where(false < others, betaincinv(false + 1, left, 1 - half), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [(low - delta) / high, (1 - high - delta) / (1 - low)]
        bounds = np.log(np.maximum(np.nan_to_num(ratios), 1.0))
    return np.asarray(bounds.max(axis=0))


def telling_threshold(members: Floats, others: Floats) -> float:
    """The threshold with the largest `epsilon_bound` on these rows."""
    scores = np.sort(np.concatenate([members, others]))
    places = np.linspace(0, len(scores) - 1, _THRESHOLDS).astype(int)
    tails = np.geomspace(1, max(len(scores) // 4, 1), _THRESHOLDS).astype(int)
    candidates = np.unique(scores[np.concatenate([places, len(scores) - tails, tails - 1])])
    found, false = (
        len(each) - np.searchsorted(np.sort(each), candidates, "right")
        for each in (members, others)
    )
    bounds = _epsilon_bounds(found, len(members), false, len(others), DELTA, 0.95)
    best = int(np.argmax(bounds))
    return float(candidates[best] if bounds[best] > 0 else np.median(scores))


def permutation_p(scores: Floats, member: Bools, deals: int, rng: np.random.Generator) -> Floats:
    """One-sided p-values [K] that members of `scores` [K, n] rank no higher than others.

    `member` [n]. Labels are dealt anew `deals` times, the same for all K scores, and the
    true deal counts as one of them (Phipson & Smyth 2010).
    """
    ranks = rankdata(scores, axis=1).astype(np.float64)
    ranks -= ranks.mean(axis=1, keepdims=True)
    seen = ranks @ member
    as_high = np.ones(len(scores))
    for start in range(0, deals, _AT_ONCE):
        rounds = min(_AT_ONCE, deals - start)
        dealt = np.stack([rng.permutation(member) for _ in range(rounds)], axis=1)
        # Half a rank of slack: sums of ranks are whole or half, floating point is not.
        as_high += (ranks @ dealt >= seen[:, None] - 0.25).sum(axis=1)
    return np.asarray(as_high / (deals + 1))
