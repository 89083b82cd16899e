"""Closed forms of one Gaussian release with noise multiplier `noise` = sigma / sensitivity.

Balle & Wang 2018 (analytic Gaussian mechanism): with mu = 1 / noise,
delta(epsilon) = Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu), for neighbours that
add or remove one unit, both ways.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri

Rates = NDArray[np.float64]

_EXACT = 1e-13  # relative tolerance of the root finder


def delta_of(noise: float, epsilon: float) -> float:
    """The least delta at `epsilon`."""
    half, shift = 0.5 / noise, epsilon * noise
    return float(ndtr(half - shift) - math.exp(epsilon + log_ndtr(-half - shift)))


def epsilon_of(noise: float, delta: float) -> float:
    """The least epsilon at `delta`."""
    if delta_of(noise, 0.0) <= delta:
        return 0.0
    high = 1.0
    while delta_of(noise, high) > delta:
        high *= 2
    return float(brentq(lambda epsilon: delta_of(noise, epsilon) - delta, 0, high, rtol=_EXACT))


def gaussian_noise(epsilon: float, delta: float) -> float:
    """The least noise multiplier that is (epsilon, delta)-differentially private."""
    low = high = 1.0
    while delta_of(low, epsilon) < delta:
        low /= 2
    while delta_of(high, epsilon) > delta:
        high *= 2
    if low == high:
        return low
    noise = brentq(lambda noise: delta_of(noise, epsilon) - delta, low, high, rtol=_EXACT)
    return float(noise)


def choosing_epsilon(noise: float) -> float:
    """The greatest epsilon of an exponential mechanism that lets no attacker tell more of a unit
    than a Gaussian release with noise multiplier `noise` does.

    Its privacy losses lie between some t - epsilon and t (bounded range; Dong, Durfee & Rogers
    2020), so an attacker's true positives are at most e^t times false ones, and false negatives at
    least e^(t - epsilon) times true ones. Both limits meet in a corner. The curve of the Gaussian,
    which is concave, lies above both if it lies above the corner: if mu = 1 / noise is at least
    Phi^-1(true) - Phi^-1(false positives) there. That is greatest at t = epsilon / 2 (tests go
    through all t), where the two sum to 1 and have odds of e^(+-epsilon / 2). So costs add up as
    those of Gaussian releases do, whatever is chosen after what (Dong, Roth & Su 2022).
    """
    half = 0.5 / noise
    return float(2 * (log_ndtr(half) - log_ndtr(-half)))


def attack_limit(noise: float, fpr: Rates) -> Rates:
    """The greatest true positive rates [F] of any attacker at false positive rates `fpr` [F]."""
    found: Rates = ndtr(ndtri(fpr) + 1 / noise)
    return found


def epsilon_for_attack(tpr: float, fpr: float, delta: float) -> float:
    """The greatest epsilon at `delta` of a Gaussian release that no attacker beats by more than
    a true positive rate of `tpr` at a false positive rate of `fpr`."""
    if not 0 < fpr < tpr < 1:
        raise ValueError(
            "an attacker's limit is 0 < false positive rate < true positive rate < 1, "
            f"but it is {tpr} at {fpr}; correct it"
        )
    return epsilon_of(float(1 / (ndtri(tpr) - ndtri(fpr))), delta)
