"""Randomness that nobody can repeat, and rows drawn with it.

Privacy is proven for noise and choices that are not known: were they to follow from a fit's seed,
whoever knows the seed could take the noise off again. So they come from a generator that is
started from the operating system's entropy, is never saved, and has nothing to do with the seed.
"""

from __future__ import annotations

import secrets

import numpy as np
import torch
from torch import Tensor


def secret() -> np.random.Generator:
    """A generator with a key of 128 bits that is forgotten with it."""
    return np.random.Generator(np.random.Philox(key=secrets.randbits(128)))


def included(rng: np.random.Generator, rows: int, rate: float) -> Tensor:
    """Which of `rows` rows take part in a step: each with probability `rate`, whatever the others
    do. Batches differ in size, and may be empty."""
    return torch.from_numpy(np.flatnonzero(rng.random(rows) < rate))


def normal(rng: np.random.Generator, *shape: int) -> Tensor:
    """Standard normal draws."""
    return torch.from_numpy(rng.standard_normal(shape, np.float32))
