"""What training takes from the size of the table: the one place where such rules stand.

- Batch: `batch_scale` times the root of the number of rows, as a power of two, within 32 to 2,048
  rows: gradients of small tables may be noisy, which regularises, and large tables take steps that
  use the machine.
- Epochs: as many as make `visits` visits to rows, within 6 to 300 (docs/log.md has what fewer
  cost).
- Patience: as many epochs as the spec says, but at least 100 steps; none is lost while the
  learning rate or the rate's weight still rises.
- Dropout: as the parts say. In a table of few rows for its features more of it is tried, from the
  best weights on, the first time that the held-out loss hardly falls any more: a table whose
  columns have a common cause is better learnt by the latent than by heart, one whose columns hang
  on few others wants to see them, and only held-out rows tell which (docs/log.md). If they do not
  gain `WORTH` within `TRIAL` times the patience, nor would if they went on to gain as they do, all
  is as before the trial, and the learning rate falls.
- Warm-up of the rate's weight: as the objective says, but at most a third of the epochs, two
  thirds if it goes in cycles.
- Learning rate: rising over the first fiftieth, constant up to two thirds of the training, then
  falling linearly to a twentieth. If the held-out loss hardly falls any more (patience), it begins
  to fall at once, over a third as many epochs as were trained until then.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from synthvae.model.objective import Objective
from synthvae.model.spec import TrainingSpec

EPOCHS = (6, 300)
BATCH = (32, 2048)
PATIENT_STEPS = 100
RISING = 1 / 50
CONSTANT = 2 / 3
LAST = 1 / 20
COOLING = 1 / 3
SCARCE = 5  # rows a feature
TRIAL = 2
WORTH = 1.0  # nats a row
WARMUP = {"linear": 1 / 3, "capacity": 1 / 3, "cyclical": 2 / 3}


@dataclass(frozen=True)
class Plan:
    """`epochs` at most, of batches of `batch` rows, under `objective`; `patience` in epochs;
    `trial`: for how many epochs more dropout is tried, 0: not at all."""

    epochs: int
    batch: int
    patience: int
    objective: Objective
    trial: int = 0

    def may_try(self, epoch: int) -> bool:
        """Whether more dropout may be tried after `epoch` epochs, and be judged before the learning
        rate falls."""
        return self.trial > 0 and not self.cools(epoch + self.trial)

    @property
    def patient_until(self) -> float:
        """The epoch up to which no better held-out loss is expected."""
        return max(self.objective.warmup_epochs, RISING * self.epochs)

    def cools(self, epoch: float, early: int = 0) -> bool:
        """Whether the learning rate falls after `epoch` epochs; `early`: the epoch from which it
        does so before its time, if any."""
        return epoch > (early or CONSTANT * self.epochs)

    def last(self, early: int = 0) -> int:
        """How many epochs there are in all."""
        cooling = max(round(early * COOLING), 1)
        return min(self.epochs, early + cooling) if early else self.epochs

    def rate_factor(self, epoch: float, early: int = 0) -> float:
        """What the learning rate is multiplied with after `epoch` epochs."""
        if not self.cools(epoch, early):
            return min(1.0, epoch / self.epochs / RISING + LAST)
        start, last = early or CONSTANT * self.epochs, self.last(early)
        return 1.0 - (1.0 - LAST) * (epoch - start) / (last - start)


def plan(spec: TrainingSpec, objective: Objective, rows: int, features: int = 0) -> Plan:
    """The plan for a table of `rows` training rows, of each of which more dropout would be of
    `features`."""
    batch = spec.batch or int(np.clip(_power_of_two(spec.batch_scale * rows**0.5), *BATCH))
    epochs = spec.epochs or int(np.clip(round(spec.visits / rows), *EPOCHS))
    warmup = min(objective.warmup_epochs, epochs * WARMUP[objective.schedule.kind])
    batch = min(batch, rows)
    patience = max(spec.patience, PATIENT_STEPS // max(rows // batch, 1))
    objective = dataclasses.replace(objective, warmup_epochs=warmup)
    trial = TRIAL * patience if rows < SCARCE * features else 0
    return Plan(epochs, batch, patience, objective, trial)


def _power_of_two(value: float) -> int:
    """The nearest, by ratio."""
    return 1 << max(round(math.log2(value)), 0)
