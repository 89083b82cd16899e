"""Randomness that nobody can repeat, and rows drawn with it.

Privacy is proven for noise and choices that are not known: were they to follow from a fit's seed,
whoever knows the seed could take the noise off again. So they come from the operating system's
cryptographic generator, and have nothing to do with the seed.
"""

from __future__ import annotations

import math
import os
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_ANGLE = 24  # bits of a word of 64 that make the angle of a pair of normals; the rest, its length


class Randomness(Protocol):
    """What draws are made with: `Secret`, or in tests a generator of NumPy's."""

    def random(self, size: int) -> NDArray[np.float64]:
        """Uniform on [0, 1)."""
        ...

    def standard_normal(self, size: int, dtype: type[np.float32]) -> NDArray[np.float32]: ...


class Secret:
    """Numbers from the operating system's cryptographic generator. Nothing is kept. Cost: some 30
    ns a number."""

    source = "the operating system's randomness, Box and Muller's transform"

    def random(self, size: int) -> NDArray[np.float64]:
        uniform: NDArray[np.float64] = (_words(size) >> 11).astype(np.float64) * 2.0**-53
        return uniform

    def standard_normal(
        self, size: int, dtype: type[np.float32] = np.float32
    ) -> NDArray[np.float32]:
        """By Box and Muller (1958), two of a word of 64 bits; at most 7.5 from 0."""
        words = _words(-(-size // 2))
        angle = (words & (2**_ANGLE - 1)).astype(np.float32) * np.float32(math.tau * 2.0**-_ANGLE)
        uniform = torch.from_numpy(((words >> _ANGLE) + 0.5) * 2.0 ** (_ANGLE - 64))
        length, turn = uniform.log_().mul_(-2).sqrt_().float(), torch.from_numpy(angle)
        both: NDArray[np.float32] = torch.cat([length * turn.cos(), length * turn.sin()]).numpy()
        return both[:size]


def included(rng: Randomness, rows: int, rate: float) -> Tensor:
    """Which of `rows` rows take part in a step: each with probability `rate`, whatever the others
    do. Batches differ in size, and may be empty."""
    return torch.from_numpy(np.flatnonzero(rng.random(rows) < rate))


def normal(rng: Randomness, *shape: int) -> Tensor:
    """Standard normal draws."""
    return torch.from_numpy(rng.standard_normal(math.prod(shape), np.float32)).reshape(shape)


def _words(size: int) -> NDArray[np.uint64]:
    return np.frombuffer(os.urandom(8 * size), np.uint64)
