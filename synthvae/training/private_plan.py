"""What private training takes from the public number of rows: the one place where such rules stand.

Nothing here may look at the rows, nor be tuned on them: the numbers come from public tables
(docs/log.md).

- Rate: a batch of about 2,048 rows, but a hundredth to a quarter of the table.
- Steps: 400, whatever epsilon and the number of rows: where fewer were tried (epsilon 1 and 3) they
  lost a little; more (1, 3 and 10) lost or gained little for their time.
- Learning rate: rising over the first twentieth, constant, falling linearly over the last third. At
  400 steps three times that of plain training was best.
- Warm-up of the rate's weight: as the objective says, but within the plain plan's share of all
  epochs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from synthvae.model.objective import Objective
from synthvae.training.plan import WARMUP

BATCH = 2048
RATE = (0.01, 0.25)
STEPS = 400
LEARNING_RATE = 1e-2
GENTLE = 2e-3  # of a model that knows the counts already, and should keep them
AVERAGING = 0.99
RISING = 1 / 20
FALLING = 1 / 3
LAST = 1 / 20


@dataclass(frozen=True)
class PrivatePlan:
    """`rate` at which a step takes rows, and number of `steps`: with the budget, what the noise
    follows from."""

    rate: float
    steps: int
    learning_rate: float = LEARNING_RATE
    averaging: float = AVERAGING


def private_plan(expected_rows: int) -> PrivatePlan:
    """The plan for a table of about `expected_rows` rows, a number that is public."""
    return PrivatePlan(float(np.clip(BATCH / max(expected_rows, 1), *RATE)), STEPS)


def rate_factor(done: float) -> float:
    """What the learning rate is multiplied with when a share `done` of the steps is."""
    rising = LAST + (1 - LAST) * done / RISING
    falling = LAST + (1 - LAST) * (1 - done) / FALLING
    return min(1.0, rising, falling)


def warmed_up(objective: Objective, epochs: float) -> Objective:
    """`objective`, its warm-up within `epochs`."""
    most = epochs * WARMUP[objective.schedule.kind]
    return dataclasses.replace(objective, warmup_epochs=min(objective.warmup_epochs, most))
