"""The one-run bound against a whole trade-off curve instead of one epsilon.

Mahloujifar, Melis, Chaudhuri (2024), Auditing f-differential privacy in one run, arXiv
2410.22235. The hypothesis is mu-GDP (Dong, Roth, Su 2022), the curve of the Gaussian mechanism
and a close fit for DP-SGD; a refuted mu is reported as the epsilon that it has at delta. If the
mechanism has another curve the number says how private a Gaussian mechanism it isn't.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from scipy.special import log_ndtr, ndtr, ndtri

from synthvae.audit.one_run import bound_of, largest
from synthvae.audit.records import EpsilonBound
from synthvae.audit.roc import DELTA
from synthvae.evaluation.stats import Bools, Floats

THEOREM = "Mahloujifar, Melis, Chaudhuri 2024, with mu-GDP"
_MOST_EPSILON = 64.0


def refutes(
    shrink: Callable[[float], float], canaries: int, guesses: int, correct: int, level: float
) -> bool:
    """Whether so many right guesses have a chance below `level` under a trade-off curve.

    `shrink(x)`: the least probability that an event can keep under a neighbouring table if it
    has x under the other. From the assumption that `correct` or more have a chance of `level`
    the theorem bounds, count by count, how much probability lower counts hold; if all of it
    together falls short of what the guesses must hold, the assumption was wrong.
    """
    right = level * correct / canaries
    wrong = level * (guesses - correct) / canaries
    for count in range(correct - 1, -1, -1):
        least = shrink(right)
        if least <= wrong or right + wrong > guesses / canaries:
            break  # from here on nothing changes, or only upwards
        right = min(right + count / (guesses - count) * (least - wrong), 1.0)
        wrong = least
    return right + wrong > guesses / canaries


def gaussian_shrink(mu: float, x: float) -> float:
    """For the Gaussian mechanism with sensitivity over noise `mu`."""
    return float(ndtr(ndtri(x) - mu)) if 0 < x < 1 else x


def epsilon_of(mu: float, delta: float) -> float:
    """The epsilon of mu-GDP at `delta` (Dong, Roth, Su 2022, corollary 1)."""
    if mu == 0:
        return 0.0

    def more_than(value: float) -> bool:
        high = float(ndtr(-value / mu + mu / 2))
        low = math.exp(value + float(log_ndtr(-value / mu - mu / 2)))
        return high - low > delta

    return largest(more_than)


def mu(canaries: int, guesses: int, correct: int, confidence: float = 0.95) -> float:
    """The largest mu that `correct` of `guesses` refute at `confidence`, 0 if none."""
    level = 1 - confidence

    def refuted(value: float) -> bool:
        return refutes(partial(gaussian_shrink, value), canaries, guesses, correct, level)

    return largest(refuted)


def epsilon(
    canaries: int, guesses: int, correct: int, delta: float = DELTA, confidence: float = 0.95
) -> float:
    """The epsilon at `delta` of the largest mu that is refuted."""
    return min(epsilon_of(mu(canaries, guesses, correct, confidence), delta), _MOST_EPSILON)


def f_dp_bound_of(
    name: str, scores: Floats, included: Bools, delta: float = DELTA, confidence: float = 0.95
) -> EpsilonBound:
    """`one_run.bound_of` with this theorem."""
    return bound_of(
        name,
        scores,
        included,
        theorem=THEOREM,
        bound=epsilon,
        delta=delta,
        confidence=confidence,
    )
