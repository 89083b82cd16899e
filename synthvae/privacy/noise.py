"""Noise that nobody can draw again.

Counts get discrete Gaussian noise from OpenDP's exact sampler (integer arithmetic and the operating
system's randomness; no rounding that tells values apart). It takes no seed, and none is kept.
"""

from __future__ import annotations

import math
import secrets
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synthvae.errors import PrivacyError

CHUNK = 100_000  # samples a call of OpenDP; bounds the memory of its lists


class Noise(Protocol):
    """Where the noise of counts comes from."""

    def gaussian(self, shape: tuple[int, ...], sigma: float) -> NDArray[np.int64]:
        """Independent discrete Gaussian samples: P(x) proportional to exp(-x^2 / 2 sigma^2)."""
        ...


class SecureNoise:
    """OpenDP's sampler; PrivacyError at once if OpenDP isn't installed."""

    source = "OpenDP discrete Gaussian, operating system's randomness"

    def __init__(self) -> None:
        self._opendp = _opendp()

    def gaussian(self, shape: tuple[int, ...], sigma: float) -> NDArray[np.int64]:
        release = self._mechanism(sigma)
        total = math.prod(shape)
        samples = np.empty(total, np.int64)
        for start in range(0, total, CHUNK):
            stop = min(start + CHUNK, total)
            samples[start:stop] = release([0] * (stop - start))
        return samples.reshape(shape)

    def _mechanism(self, sigma: float) -> Any:
        """Integers [n] -> the same with noise."""
        dp = self._opendp
        domain = dp.domains.vector_domain(dp.domains.atom_domain(T="i64"))
        return dp.measurements.make_gaussian(domain, dp.metrics.l2_distance(T="i64"), sigma)


def fresh_seed() -> int:
    """63 unpredictable bits, to be forgotten after use.

    For streams of `synthvae.seeds`. torch's generator on the CPU looks at the low 32 bits of a
    seed, few enough to be tried one by one: noise of training comes from `fresh_stream`.
    """
    return secrets.randbits(63)


def fresh_stream() -> np.random.Generator:
    """A NumPy generator (Philox) under a secret key of 128 bits."""
    return np.random.Generator(np.random.Philox(key=secrets.randbits(128)))


def _opendp() -> Any:
    try:
        import opendp.domains
        import opendp.measurements
        import opendp.metrics
        import opendp.mod
    except ImportError as error:
        raise PrivacyError(
            "a private fit draws its noise with OpenDP, but OpenDP isn't installed; "
            "pip install 'synthvae[dp]'"
        ) from error
    opendp.mod.enable_features("contrib")
    return opendp
