"""Hashes that came up before, found again at a cost that hardly grows with their number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


class Seen:
    """A set of hashes, 8 bytes each, in sorted runs, each more than twice as long as the next:
    there are few to look into, and each hash is merged into a longer run but a few times."""

    def __init__(self) -> None:
        self.runs: list[Hashes] = []

    def holds(self, keys: Hashes) -> NDArray[np.bool_]:
        """Which of `keys` [n] are in the set."""
        found = np.zeros(len(keys), bool)
        for run in self.runs:
            at = np.searchsorted(run, keys)
            found |= run[np.minimum(at, len(run) - 1)] == keys
        return found

    def add(self, keys: Hashes) -> None:
        """Put `keys` [n] into the set."""
        run: Hashes = np.unique(keys)
        while self.runs and len(self.runs[-1]) <= 2 * len(run):
            run = np.union1d(self.runs.pop(), run)
        if len(run):
            self.runs.append(run)
