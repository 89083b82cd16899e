"""From terms to a loss: pure functions of the terms and of how far training has come."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from synthvae.model.checks import not_negative
from synthvae.model.parts import Terms


@dataclass(frozen=True)
class Objective:
    """distortion + beta * rate (Higgins et al. 2017), the rate's weight rising linearly over the
    first `warmup_epochs`."""

    beta: float = 1.0
    warmup_epochs: float = 0.0

    def __post_init__(self) -> None:
        not_negative(beta=self.beta, warmup_epochs=self.warmup_epochs)

    def weight(self, epoch: float) -> float:
        """The rate's weight after `epoch` epochs."""
        if self.warmup_epochs <= 0:
            return self.beta
        return self.beta * min(1.0, epoch / self.warmup_epochs)

    def loss(self, terms: Terms, weight: float) -> Tensor:
        """[B] nats."""
        return terms.distortion + weight * terms.rate.sum(dim=1)
