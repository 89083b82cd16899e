"""Uniform numbers that lie evenly over the rows: a Latin hypercube of runs (McKay et al. 1979).

Each single number is uniform, and two dimensions go together no more than independent ones do. But
of every run of 64 rows, each 64th part of [0, 1) gets one number in each dimension, and of a whole
block of runs each part of 1/rows: what is drawn by them has shares closer to a model's than
independent draws have. Runs first, since a table may end within a block.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RUN = 64


def even(rng: np.random.Generator, rows: int, dims: int) -> NDArray[np.float64]:
    """Numbers [rows, dims], 0 or more and below 1. Cost: some 30 ns and 40 bytes each."""
    runs = -(-rows // RUN)
    parts = _shuffled(rng, (dims, runs, RUN))  # of each row, which 64th
    within = _shuffled(rng, (dims, RUN, runs)).transpose(0, 2, 1)  # of each 64th, by its run
    place = np.take_along_axis(within, parts, axis=2) + rng.random((dims, runs, RUN))
    numbers: NDArray[np.float64] = ((place / runs + parts) / RUN).reshape(dims, runs * RUN)
    return np.minimum(numbers.T[:rows], 1 - 2.0**-53)


def _shuffled(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """0, 1 and so on along the last axis, in random orders."""
    drawn = (rng.random(shape, np.float32) * 2**24).astype(np.int64)
    # No two are the same: which of two comes first would depend on the processor.
    return (drawn * shape[-1] + np.arange(shape[-1])).argsort(axis=-1)
