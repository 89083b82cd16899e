"""From terms to a loss: pure functions of the terms and of how far training has come."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from synthvae.model.checks import not_negative, positive
from synthvae.model.schedules import Capacity, Cyclical, Linear
from synthvae.model.values import Terms


@dataclass(frozen=True)
class Objective:
    """distortion + beta * rate (Higgins et al. 2017), the rate coming in over the first
    `warmup_epochs` as `schedule` says. `free_nats`: a unit's rate in a row counts from there on, so
    that units stay in use (free bits, Kingma et al. 2016; taken by row, so that no row's loss
    depends on another row). `iwae`: draws of z a row, weighed by importance (Burda et al. 2016)."""

    beta: float = 1.0
    warmup_epochs: float = 0.0
    free_nats: float = 0.0
    schedule: Linear | Cyclical | Capacity = field(default_factory=Linear)
    iwae: int = 1

    def __post_init__(self) -> None:
        not_negative(beta=self.beta, warmup_epochs=self.warmup_epochs, free_nats=self.free_nats)
        positive(iwae=self.iwae)
        if self.schedule.kind == "cyclical" and not self.warmup_epochs:
            raise ValueError(
                "schedule: cyclical repeats the warm-up, but warmup_epochs is 0; set it to the "
                "epochs that all cycles take"
            )
        if self.iwae > 1 and (self.free_nats or self.schedule.kind == "capacity"):
            other = "free_nats" if self.free_nats else "schedule: capacity"
            raise ValueError(
                f"iwae: {self.iwae} weighs draws by their own rates, but {other} bounds the rate "
                f"of a posterior; leave {other} out, or set iwae to 1"
            )

    def weight(self, epoch: float) -> float:
        """What `loss` takes after `epoch` epochs: the rate's weight, or its capacity in nats."""
        done = min(1.0, epoch / self.warmup_epochs) if self.warmup_epochs > 0 else 1.0
        return self.schedule.weight(self.beta, done)

    @property
    def final(self) -> float:
        """The weight after the warm-up, which rows that are held out are always scored with."""
        return self.schedule.weight(self.beta, 1.0)

    def noise(self, rows: int, size: int, generator: torch.Generator) -> Tensor:
        """Standard normal noise of a batch: [rows, size], or [rows, iwae, size]."""
        shape = (rows, size) if self.iwae == 1 else (rows, self.iwae, size)
        return torch.randn(shape, generator=generator)

    def loss(self, terms: Terms, weight: float) -> Tensor:
        """[B] nats; with `iwae`, of terms [B * iwae], the draws of a row one after the other."""
        rate = terms.rate.clamp(min=self.free_nats) if self.free_nats else terms.rate
        loss = terms.distortion + self.schedule.cost(rate.sum(dim=1), weight, self.beta)
        if terms.penalty is not None:
            loss = loss + terms.penalty
        if self.iwae == 1:
            return loss
        return math.log(self.iwae) - torch.logsumexp(-loss.view(-1, self.iwae), dim=1)
