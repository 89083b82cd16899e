"""What a ledger holds: a line for each release, noisy counts, and what all of it promises."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthvae.privacy.accounting import Event


@dataclass(frozen=True, kw_only=True)
class Line:
    """One release. `sigma` is in the units of what is released, `sensitivity` the L2 change that
    one unit can make there; of training both are in clipping norms of a row; of choices they are
    those of the Gaussian release that tells no less."""

    stage: str
    what: str
    mechanism: str
    sensitivity: float
    sigma: float
    rate: float = 1.0
    steps: int = 1
    delta: float = 0.0
    cells: int = 0
    epsilon_alone: float

    @property
    def event(self) -> Event:
        return Event(self.sigma / self.sensitivity, self.rate, self.steps)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Noisy:
    """Released counts, any shape, and the standard deviation of the noise in each."""

    values: NDArray[np.float64]
    sigma: float


@dataclass(frozen=True)
class Claim:
    """What all releases together promise; `limits` by false positive rate."""

    epsilon: float
    delta: float
    rdp_epsilon: float
    limits: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
