"""Plain training: the gradient of a batch's mean loss, and Adam."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from synthvae.model.objective import Objective
from synthvae.model.spec import TrainingSpec
from synthvae.model.values import Rows
from synthvae.training.average import Average
from synthvae.training.descent import Descent
from synthvae.training.loop import Trainable


class Plain:
    """A regime: `step` moves the model by one batch, `state` is all that a checkpoint needs."""

    def __init__(
        self, model: Trainable, objective: Objective, spec: TrainingSpec, pool: ThreadPoolExecutor
    ) -> None:
        self.model, self.objective = model, objective
        self.descent = Descent(model.parameters(), spec.learning_rate, spec.weight_decay, pool)
        self.average = Average(self.descent.own, spec.averaging)

    def step(self, rows: Rows, noise: Tensor, weight: float, seed: int) -> float:
        """One step on `rows` [B] with the rate weighted by `weight`; the loss in nats per row.
        Dropout follows from `seed`."""

        def loss(shard: int, at: slice) -> Tensor:
            generator = torch.Generator().manual_seed(seed + shard)
            terms = self.model(rows.at(at), noise[at], generator)
            return self.objective.loss(terms, weight).sum() / len(rows)

        total = self.descent.step(loss, len(rows))
        self.average.step()
        return total

    @property
    def learning_rate(self) -> float:
        return self.descent.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self.descent.learning_rate = rate

    def state(self) -> dict[str, Tensor]:
        """The optimizers' moments and the average."""
        return self.descent.state() | self.average.state()

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        self.average.load(state)
        self.descent.load(state)
