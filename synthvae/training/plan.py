"""What training takes from the size of the table: the one place where such rules stand.

- Batch: a 64th of the rows as a power of two, so that an epoch has some 64 to 128 steps, within 32
  to 2,048 rows; beyond that a larger batch no longer saves time.
- Epochs: as many as visit 2.4 million rows, within 20 to 300: 68 on 35,000 rows. A third fewer
  cost utility on adult (docs/log.md).
- Warm-up of the rate's weight: as the objective says, but at most a third of the epochs.
- Learning rate: constant for two thirds of the epochs, then falling linearly to a twentieth.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from synthvae.model.objective import Objective
from synthvae.model.spec import TrainingSpec

VISITS = 2_400_000
EPOCHS = (20, 300)
BATCH = (32, 2048)
CONSTANT = 2 / 3
LAST = 1 / 20


@dataclass(frozen=True)
class Plan:
    """`epochs` at most, of batches of `batch` rows, under `objective`."""

    epochs: int
    batch: int
    objective: Objective

    def rate_factor(self, epoch: int) -> float:
        """What the learning rate is multiplied with in `epoch`, counted from 0."""
        start = CONSTANT * self.epochs
        if epoch <= start:
            return 1.0
        return 1.0 - (1.0 - LAST) * (epoch - start) / (self.epochs - start)


def plan(spec: TrainingSpec, objective: Objective, rows: int) -> Plan:
    """The plan for a table of `rows` training rows."""
    batch = spec.batch or int(np.clip(1 << max(rows // 64, 1).bit_length() - 1, *BATCH))
    epochs = spec.epochs or int(np.clip(round(VISITS / rows), *EPOCHS))
    warmup = min(objective.warmup_epochs, epochs / 3)
    return Plan(epochs, min(batch, rows), dataclasses.replace(objective, warmup_epochs=warmup))
