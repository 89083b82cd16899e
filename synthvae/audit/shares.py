"""Shares of rows with exact intervals, their differences, and many tests at once."""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv

from synthvae.audit.records import Excess, Rate
from synthvae.evaluation.records import Interval
from synthvae.evaluation.stats import Floats


def clopper_pearson(hits: int, n: int, confidence: float = 0.95) -> Interval:
    """The exact two-sided interval of a binomial share (Clopper & Pearson 1934, Biometrika 26).

    It covers the truth at least as often as `confidence` says. No rows tell nothing: 0 to 1.
    """
    tail = (1 - confidence) / 2
    low = betaincinv(hits, n - hits + 1, tail) if hits else 0.0
    high = betaincinv(hits + 1, n - hits, 1 - tail) if hits < n else 1.0
    return Interval(float(low), float(high))


def rate(hits: int, n: int) -> Rate:
    """The record of `hits` among `n` rows."""
    return Rate(hits, n, hits / n if n else float("nan"), clopper_pearson(hits, n))


def excess_interval(training: Rate, control: Rate, confidence: float = 0.95) -> Interval:
    """Of training - control, from the exact intervals of both shares.

    The square-and-add rule of Newcombe (1998), Statistics in Medicine 17, 873; with exact
    intervals in place of Wilson's it errs on the wide side, which a verdict can bear.
    """
    if not training.n or not control.n:
        return Interval(-1.0, 1.0)
    ours = clopper_pearson(training.hits, training.n, confidence)
    theirs = clopper_pearson(control.hits, control.n, confidence)
    value = training.value - control.value
    down = np.hypot(training.value - ours.low, theirs.high - control.value)
    up = np.hypot(ours.high - training.value, control.value - theirs.low)
    return Interval(float(value - down), float(value + up))


def excess(name: str, training: Rate, control: Rate, subject: tuple[str, ...], seed: int) -> Excess:
    """The record of a difference of two shares of disjoint rows."""
    value = training.value - control.value if training.n and control.n else float("nan")
    return Excess(name, training, control, value, excess_interval(training, control), subject, seed)


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values [m] (Holm 1979): at most 5 % chance of any false one below 0.05."""
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
