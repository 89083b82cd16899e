"""Noise that nobody can draw again: no seed goes in, and none is kept.

Counts get exact discrete Gaussian noise from OpenDP (Canonne, Kamath & Steinke 2020), whose
randomness is the operating system's. It takes some 20 to 70 seconds a million samples. Names that
only the rows know pass a threshold of OpenDP's too (Rogers 2023), and it chooses the best of many:
by Gumbel noise, which is what exponential mechanisms do. Permute-and-flip, which has no bounded
range, would break what is claimed: tests hold what is drawn to its law.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synthvae.errors import PrivacyError

Integers = NDArray[np.int64]

MOST_SIGMA = 2**40  # sums with counts stay exact in 64 bits
CHUNK = 100_000  # samples a call of OpenDP; bounds the memory of its lists


class Noise(Protocol):
    """Where the noise of counts comes from."""

    def gaussian(self, shape: tuple[int, ...], sigma: float) -> Integers:
        """Independent discrete Gaussian samples: P(x) proportional to exp(-x^2 / 2 sigma^2).
        `sigma` is a whole number."""
        ...

    def above(self, counts: Mapping[str, int], sigma: float, least: int) -> dict[str, int]:
        """The names whose count with such noise reaches `least`, with that count."""
        ...

    def best(self, scores: Integers, scale: float, most: int) -> Integers:
        """The places [most] of the highest of `scores` [M] with Gumbel noise of that scale, the
        highest first: as `most` exponential mechanisms choose, one after the other, of what is left
        (Durfee & Rogers 2019)."""
        ...


class SecureNoise:
    """OpenDP's sampler. PrivacyError at once if OpenDP isn't installed."""

    source = "OpenDP, discrete Gaussian (of choices Gumbel), from the operating system's randomness"

    def __init__(self) -> None:
        self._opendp = _opendp()

    def gaussian(self, shape: tuple[int, ...], sigma: float) -> Integers:
        _check(sigma)
        release, total = self._mechanism(float(sigma)), math.prod(shape)
        samples = np.empty(total, np.int64)
        for start in range(0, total, CHUNK):
            stop = min(start + CHUNK, total)
            samples[start:stop] = release([0] * (stop - start))
        return samples.reshape(shape)

    def above(self, counts: Mapping[str, int], sigma: float, least: int) -> dict[str, int]:
        _check(sigma)
        names = list(counts)
        # By number: a text ends at its first NUL on its way to OpenDP, and two may become one.
        passed = self._thresholded(float(sigma), least)(dict(enumerate(counts.values())))
        return {names[at]: count for at, count in passed.items()}

    def best(self, scores: Integers, scale: float, most: int) -> Integers:
        return np.array(self._chosen(scale, most)(scores.tolist()), np.int64)

    def _chosen(self, scale: float, most: int) -> Any:
        """Integers [n] -> places of the highest."""
        dp = self._opendp
        domain = dp.domains.vector_domain(dp.domains.atom_domain(T="i64"))
        metric = dp.metrics.linf_distance(T="i64")
        measure = dp.measures.zero_concentrated_divergence()
        return dp.measurements.make_noisy_top_k(domain, metric, measure, most, scale)

    def _thresholded(self, sigma: float, least: int) -> Any:
        """Counts by number -> those that pass, with noise."""
        dp = self._opendp
        whole = dp.domains.atom_domain(T="i64")
        metric = dp.metrics.l02inf_distance(dp.metrics.absolute_distance(T="i64"))
        domain = dp.domains.map_domain(whole, whole)
        return dp.measurements.make_gaussian_threshold(domain, metric, sigma, threshold=least)

    def _mechanism(self, sigma: float) -> Any:
        """Integers [n] -> the same with noise."""
        dp = self._opendp
        domain = dp.domains.vector_domain(dp.domains.atom_domain(T="i64"))
        return dp.measurements.make_gaussian(domain, dp.metrics.l2_distance(T="i64"), sigma)


def fresh_seed() -> int:
    """63 unpredictable bits, to be forgotten after use.

    For streams of `synthvae.seeds`. torch's generator on the CPU looks at the low 32 bits of a
    seed, few enough to be tried one by one: what shuffles rows comes from `fresh_stream`.
    """
    return secrets.randbits(63)


def fresh_stream() -> np.random.Generator:
    """A NumPy generator (Philox) under a secret key of 128 bits."""
    return np.random.Generator(np.random.Philox(key=secrets.randbits(128)))


def _check(sigma: float) -> None:
    if int(sigma) != sigma or not 1 <= sigma <= MOST_SIGMA:
        raise PrivacyError(
            f"noise is a whole number of grains from 1 to {MOST_SIGMA:,}, but it is {sigma}; "
            "nothing of a table is left under more, raise epsilon or declare more"
        )


def _opendp() -> Any:
    try:
        import opendp.domains
        import opendp.measurements
        import opendp.measures
        import opendp.metrics
        import opendp.mod
    except ImportError as error:
        raise PrivacyError(
            "a private fit draws its noise with OpenDP, but OpenDP isn't installed; "
            "pip install 'synthvae[dp]'"
        ) from error
    if not hasattr(opendp.measurements, "make_noisy_top_k"):
        raise PrivacyError(
            "a private fit draws its noise with OpenDP 0.14.1 or later, but an older one is "
            "installed; pip install 'synthvae[dp]'"
        )
    opendp.mod.enable_features("contrib")
    return opendp
