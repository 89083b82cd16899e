"""Noise that nobody can draw again: no seed goes in, and none is kept.

Discrete Gaussian samples by Canonne, Kamath & Steinke 2020: uniform whole numbers, compared and
counted, so that every probability is exact and no rounding tells counts apart. The bits are the
operating system's. OpenDP draws the same law one sample at a time, at 20 to 70 seconds a million
where this takes two; tests hold this file to it.
"""

from __future__ import annotations

import math
import os
import secrets
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthvae.errors import PrivacyError

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_SIGMA = 2**26  # below, all products of whole numbers fit 63 bits
CHUNK = 1 << 17  # proposals at a time
_FAR = 30  # sigmas beyond which a proposal is rejected but for e^-420: enough to know it is far


class Noise(Protocol):
    """Where the noise of counts comes from."""

    def gaussian(self, shape: tuple[int, ...], sigma: float) -> Integers:
        """Independent discrete Gaussian samples: P(x) proportional to exp(-x^2 / 2 sigma^2).
        `sigma` is a whole number."""
        ...


class SecureNoise:
    """Samples from the operating system's randomness."""

    source = "discrete Gaussian, exact, from the operating system's randomness"

    def gaussian(self, shape: tuple[int, ...], sigma: float) -> Integers:
        scale = int(sigma)
        if scale != sigma or not 1 <= scale <= MOST_SIGMA:
            raise PrivacyError(
                f"noise is a whole number of grains from 1 to {MOST_SIGMA:,}, but it is {sigma}; "
                "nothing of a table is left under more, raise epsilon or declare more"
            )
        total = math.prod(shape)
        samples = np.empty(total, np.int64)
        done = 0
        while done < total:
            some = _gaussians(min(CHUNK, 3 * (total - done) + 64), scale)[: total - done]
            samples[done : done + len(some)] = some
            done += len(some)
        return samples.reshape(shape)


def fresh_seed() -> int:
    """63 unpredictable bits, to be forgotten after use.

    For streams of `synthvae.seeds`. torch's generator on the CPU looks at the low 32 bits of a
    seed, few enough to be tried one by one: noise of training comes from `fresh_stream`.
    """
    return secrets.randbits(63)


def fresh_stream() -> np.random.Generator:
    """A NumPy generator (Philox) under a secret key of 128 bits."""
    return np.random.Generator(np.random.Philox(key=secrets.randbits(128)))


def _gaussians(proposals: int, sigma: int) -> Integers:
    """About half as many samples as there are proposals: a discrete Laplace of the same scale is
    kept with chance e^-((|y| - sigma)^2 / 2 sigma^2)."""
    y = _laplaces(proposals, sigma)
    off = np.minimum(np.abs(y), _FAR * sigma) - sigma
    return y[_chance(off * off, 2 * sigma * sigma)]


def _laplaces(proposals: int, scale: int) -> Integers:
    """Samples of P(y) proportional to e^(-|y| / scale): place in a stretch of `scale`, number of
    stretches, sign; zero has one sign."""
    place = _uniform(proposals, scale)
    place = place[_chance(place, scale)]
    size = place + scale * _stretches(len(place))
    negative = _uniform(len(size), 2) == 1
    keep = ~negative | (size > 0)
    signed: Integers = np.where(negative, -size, size)[keep]
    return signed


def _stretches(total: int) -> Integers:
    """How many times in a row a chance of 1/e came true [total]."""
    number = np.zeros(total, np.int64)
    alive = np.arange(total)
    while len(alive):
        alive = alive[_chance(np.ones(len(alive), np.int64), 1)]
        number[alive] += 1
    return number


def _chance(parts: Integers, whole: int) -> Flags:
    """True with chance e^-(parts / whole) [n]: each whole one is a chance of 1/e."""
    units, rest = np.divmod(parts, whole)
    true = _small_chance(rest, whole)
    alive = np.flatnonzero(true & (units > 0))
    done = 0
    while len(alive):
        still = _small_chance(np.ones(len(alive), np.int64), 1)
        true[alive[~still]] = False
        done += 1
        alive = alive[still]
        alive = alive[units[alive] > done]
    return true


def _small_chance(parts: Integers, whole: int) -> Flags:
    """The same for parts <= whole: of events with chances g/1, g/2, g/3 ... the first that fails
    has an odd number with chance e^-g."""
    true = np.zeros(len(parts), np.bool_)
    alive = np.arange(len(parts))
    number = 1
    while len(alive):
        came = _uniform(len(alive), whole * number) < parts[alive]
        true[alive[~came]] = number % 2 == 1
        alive = alive[came]
        number += 1
    return true


def _uniform(total: int, bound: int) -> Integers:
    """Whole numbers in [0, bound) [total]; words beyond the last full multiple are drawn again."""
    last = 2**63 - 2**63 % bound - 1
    words = _words(total)
    while (beyond := np.flatnonzero(words > last)).size:
        words[beyond] = _words(len(beyond))
    return words % bound


def _words(total: int) -> Integers:
    """63 random bits each [total]."""
    return (np.frombuffer(os.urandom(8 * total), np.uint64) >> np.uint64(1)).astype(np.int64)
