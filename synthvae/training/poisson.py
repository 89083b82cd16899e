"""Randomness that nobody can repeat, and rows drawn with it.

Privacy is proven for noise and choices that are not known: were they to follow from a fit's seed,
whoever knows the seed could take the noise off again. So they come from the operating system's
cryptographic generator, and have nothing to do with the seed.
"""

from __future__ import annotations

import math
import os
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Randomness(Protocol):
    """What draws are made with: `Secret`, or in tests a generator of NumPy's."""

    def random(self, size: int) -> NDArray[np.float64]:
        """Uniform on [0, 1)."""
        ...

    def standard_normal(self, size: int, dtype: type[np.float32]) -> NDArray[np.float32]: ...


class Secret:
    """Numbers from the operating system's cryptographic generator. Nothing is kept. Cost: some 20
    ns a number."""

    source = "the operating system's randomness, Box and Muller's transform"

    def random(self, size: int) -> NDArray[np.float64]:
        uniform: NDArray[np.float64] = (_words(size, np.uint64) >> 11).astype(np.float64) * 2.0**-53
        return uniform

    def standard_normal(
        self, size: int, dtype: type[np.float32] = np.float32
    ) -> NDArray[np.float32]:
        """By Box and Muller (1958), two of a length, from 64 bits, and an angle, from 32; at most
        9.5 from 0."""
        pairs = -(-size // 2)
        uniform = torch.from_numpy((_words(pairs, np.uint64) + 0.5) * 2.0**-64)
        length = uniform.log_().mul_(-2).sqrt_().float()
        turn = torch.from_numpy(_words(pairs, np.uint32).astype(np.float32)).mul_(math.tau / 2**32)
        both: NDArray[np.float32] = torch.cat([length * turn.cos(), length * turn.sin()]).numpy()
        return both[:size]


def included(rng: Randomness, rows: int, rate: float) -> Tensor:
    """Which of `rows` rows take part in a step: each with probability `rate`, whatever the others
    do. Batches differ in size, and may be empty."""
    return torch.from_numpy(np.flatnonzero(rng.random(rows) < rate))


def normal(rng: Randomness, *shape: int) -> Tensor:
    """Standard normal draws."""
    return torch.from_numpy(rng.standard_normal(math.prod(shape), np.float32)).reshape(shape)


def _words(size: int, kind: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    return np.frombuffer(os.urandom(size * np.dtype(kind).itemsize), kind)
