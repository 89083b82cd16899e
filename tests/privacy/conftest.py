"""Noise that is known beforehand, for tests of everything but noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray


class Tape:
    """The same noise in every run: rounded Gaussian samples of a fixed seed, or none."""

    source = "a tape"

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._rng = np.random.default_rng(5)

    def gaussian(self, shape: tuple[int, ...], sigma: float) -> NDArray[np.int64]:
        samples = self._rng.normal(0, sigma * self.scale, shape) if self.scale else np.zeros(shape)
        return np.rint(samples).astype(np.int64)


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def silence() -> Tape:
    return Tape(0.0)
