"""Plain training: the gradient of a batch's mean loss, and Adam."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from synthvae.model.compute import Team
from synthvae.model.objective import Objective
from synthvae.model.spec import TrainingSpec
from synthvae.training.average import Average
from synthvae.training.descent import Batch, Descent
from synthvae.training.loop import Trainable


class Plain:
    """A regime: `step` moves the model by one batch, `state` is all that a checkpoint needs."""

    def __init__(
        self, model: Trainable, objective: Objective, spec: TrainingSpec, team: Team
    ) -> None:
        self.model, self.objective = model, objective
        rate, decay = spec.learning_rate, spec.weight_decay
        self.descent = Descent(
            model.parameters(), self._loss, rate, decay, team, clipping=spec.clipping
        )
        self.average = Average([self.descent.own], spec.averaging)

    def step(self, batch: Batch) -> float:
        """One step; the loss in nats per row."""
        total = self.descent.step(batch)
        self.average.step()
        return total

    def _loss(self, batch: Batch) -> Tensor:
        """[B]"""
        terms = self.model(batch.rows, batch.noise, batch.dropout())
        return self.objective.loss(terms, batch.weight)

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
