"""From terms to a loss: pure functions of the terms and of how far training has come."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from synthvae.model.checks import not_negative
from synthvae.model.parts import Terms


@dataclass(frozen=True)
class Objective:
    """distortion + beta * rate (Higgins et al. 2017), the rate's weight rising linearly over the
    first `warmup_epochs`. `free_nats`: a unit's rate in a row counts from there on, so that units
    stay in use (free bits, Kingma et al. 2016; taken by row, so that no row's loss depends on
    another row)."""

    beta: float = 1.0
    warmup_epochs: float = 0.0
    free_nats: float = 0.0

    def __post_init__(self) -> None:
        not_negative(beta=self.beta, warmup_epochs=self.warmup_epochs, free_nats=self.free_nats)

    def weight(self, epoch: float) -> float:
        """The rate's weight after `epoch` epochs."""
        if self.warmup_epochs <= 0:
            return self.beta
        return self.beta * min(1.0, epoch / self.warmup_epochs)

    def loss(self, terms: Terms, weight: float) -> Tensor:
        """[B] nats."""
        rate = terms.rate.clamp(min=self.free_nats) if self.free_nats else terms.rate
        loss = terms.distortion + weight * rate.sum(dim=1)
        return loss if terms.penalty is None else loss + terms.penalty
