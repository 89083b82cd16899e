"""Lower bounds on epsilon from one run, in which each canary was put in or left out by a coin.

Steinke, Nasr, Jagielski (2023), Privacy auditing with one (1) training run, arXiv 2305.08846. An
auditor guesses for some canaries whether they were in. Under epsilon-DP the number of right
guesses is at most that of coins which are right with probability e^epsilon / (1 + e^epsilon),
although all guesses come from the same run; delta adds a little.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import bdtrc, expit

from synthvae.audit.records import EpsilonBound
from synthvae.audit.roc import DELTA
from synthvae.evaluation.stats import Bools, Floats, Ints

THEOREM = "Steinke, Nasr, Jagielski 2023"
SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
Bound = Callable[[int, int, int, float, float], float]
"""(canaries, guesses, correct, delta, confidence) -> epsilon."""


def p_value(canaries: int, guesses: int, correct: int, epsilon: float, delta: float) -> float:
    """The largest chance of so many right guesses under (epsilon, delta)-DP."""
    chance = float(expit(epsilon))

    def at_least(wins: Ints) -> Floats:
        return np.where(wins <= 0, 1.0, bdtrc(np.maximum(wins, 1) - 1, guesses, chance))

    tail = float(at_least(np.array(correct)))
    if not delta or not correct:
        return min(tail, 1.0)
    back = np.arange(1, correct + 1)
    steepest = float(np.max((at_least(correct - back) - tail) / back, initial=0.0))
    return min(tail + 2 * canaries * delta * steepest, 1.0)


def epsilon(
    canaries: int, guesses: int, correct: int, delta: float = DELTA, confidence: float = 0.95
) -> float:
    """The largest epsilon that `correct` of `guesses` refute at `confidence`, 0 if none."""

    def refuted(value: float) -> bool:
        return p_value(canaries, guesses, correct, value, delta) < 1 - confidence

    return largest(refuted)


def largest(refuted: Callable[[float], bool]) -> float:
    """The largest value >= 0 that is refuted, if all smaller ones are; 0 if none is."""
    if not refuted(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while refuted(high) and high < 64:
        low, high = high, 2 * high
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def right_guesses(scores: Floats, included: Bools, top: int, bottom: int) -> int:
    """How many of the `top` highest were in, and of the `bottom` lowest were out."""
    order = np.argsort(scores, kind="stable")
    below = int((~included[order[:bottom]]).sum())
    return below + (int(included[order[-top:]].sum()) if top else 0)


def ways_of(canaries: int) -> list[tuple[int, int]]:
    """How many of the highest to call in, and of the lowest out: none, or as many."""
    counts = sorted({max(1, round(share * canaries)) for share in SHARES})
    return [(top, low) for top in counts for low in (0, top) if top + low <= canaries]


def best_way(scores: Floats, included: Bools) -> tuple[int, int]:
    """The way of guessing with the largest bound on these canaries, itself no bound."""
    m = len(scores)

    def value(way: tuple[int, int]) -> float:
        return epsilon(m, sum(way), right_guesses(scores, included, *way))

    return max(ways_of(m), key=value)


def bound_of(
    name: str,
    scores: Floats,
    included: Bools,
    *,
    theorem: str = THEOREM,
    bound: Bound = epsilon,
    delta: float = DELTA,
    confidence: float = 0.95,
) -> EpsilonBound:
    """The best bound over how many guesses are ventured, corrected for having looked for it.

    `scores` [m] of all canaries, high for those believed in; `included` [m] as the coins fell.
    Either the highest alone are called in, or as many lowest are called out too. The correction
    is Bonferroni's, over all numbers of guesses.
    """
    m = len(scores)
    ways = ways_of(m)
    strict = 1 - (1 - confidence) / len(ways)
    # Ties are broken by chance, never by the order in which the canaries stand.
    ties = np.random.default_rng(0).permutation(m)
    scores, included = scores[ties], included[ties]
    found = []
    for top, bottom in ways:
        correct = right_guesses(scores, included, top, bottom)
        value = bound(m, top + bottom, correct, delta, strict)
        found.append(
            EpsilonBound(name, theorem, value, delta, confidence, m, top + bottom, correct)
        )
    return max(found, key=lambda each: each.epsilon)
