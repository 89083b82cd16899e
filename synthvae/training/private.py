"""Training with differential privacy (DP-SGD, Abadi et al. 2016).

A step takes each row with probability `rate`, clips every row's gradient, adds normal noise to the
sum and divides by the number of rows that it would take of a table of `expected_rows`, a number
that is public. How many steps there are is known beforehand. No loss is looked at, nothing is held
out, nothing stops early, and what comes back are the weights alone: whatever else depended on the
rows would have to be paid for. The moving average of the weights is made of what is public by then.

What a row is trained with besides (noise of the posterior) is drawn with the same secret generator
as the noise of the gradient. Were it to follow from the seed by its place in the batch, one more
row would shift what all later rows are given, and with it their gradients. There is no dropout.

Noise is drawn in floating point: attacks on its last bits (Mironov 2012) are not ruled out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from opacus.optimizers import DPOptimizerFastGradientClipping
from torch import Tensor, nn

from synthvae.errors import TrainingError
from synthvae.layout import Layout
from synthvae.model.checks import positive, share
from synthvae.model.compute import Team
from synthvae.model.objective import Objective
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.training.average import Average
from synthvae.training.clipping import ClippedSum
from synthvae.training.descent import Batch
from synthvae.training.guards import check, unmoved
from synthvae.training.poisson import Randomness, Secret, included, normal
from synthvae.training.private_plan import AVERAGING, LEARNING_RATE, rate_factor, warmed_up
from synthvae.training.stage_two import OfDraws


@dataclass(frozen=True)
class PrivateSpec:
    """What the privacy of a run follows from: the deviation of the `noise`, in units of `clip`; the
    `rate` at which a step takes rows; the number of `steps`. `clip`: the longest gradient a row may
    have. `averaging`: decay of the moving average of the weights."""

    noise: float
    rate: float
    steps: int
    clip: float = 1.0
    learning_rate: float = LEARNING_RATE
    averaging: float = AVERAGING

    def __post_init__(self) -> None:
        positive(noise=self.noise, rate=self.rate, steps=self.steps, clip=self.clip)
        positive(learning_rate=self.learning_rate)
        share(averaging=self.averaging)
        if self.rate > 1:
            raise ValueError(f"rate is a probability, but it is {self.rate}; lower it")


def train_private(
    model: Vae | OfDraws,
    rows: Rows,
    layout: Layout,
    objective: Objective,
    spec: PrivateSpec,
    expected_rows: int,
    team: Team,
    watch: Callable[[float], None] = lambda _: None,
) -> None:
    """Train `model` on `rows` [N] of `layout`. Its first weights must not depend on the rows, but
    for what was paid for. `watch` is told the share of the steps that is done. TrainingError if
    the model can't keep a row's gradient to itself."""
    steps = PrivateSteps(model, objective, spec, expected_rows, team, Secret())
    check(steps.sums, layout, model.space.size, objective.final)
    objective = warmed_up(objective, spec.rate * spec.steps)
    with steps.sums.watching(), unmoved(model):
        for step in range(spec.steps):
            weight = objective.weight(step * spec.rate)
            factor = rate_factor(step / spec.steps)
            steps.step(rows.at(included(steps.rng, len(rows), spec.rate)), weight, factor)
            watch((step + 1) / spec.steps)
    steps.average.keep()


class PrivateSteps:
    """Steps of Adam on noisy sums of clipped gradients."""

    def __init__(
        self,
        model: Vae | OfDraws,
        objective: Objective,
        spec: PrivateSpec,
        expected_rows: int,
        team: Team,
        rng: Randomness,
    ) -> None:
        if objective.iwae > 1:
            raise TrainingError(
                f"under privacy a row has one draw a step, but iwae is {objective.iwae}; set it "
                "to 1"
            )
        positive(expected_rows=expected_rows)
        self.model, self.objective, self.spec, self.rng = model, objective, spec, rng
        self.sums = ClippedSum(model, self._loss, spec.clip, team)
        self.own = nn.Parameter(self.sums.flat.vector)
        adam = torch.optim.Adam([self.own], lr=spec.learning_rate, fused=True)
        self.optimizer = NoisyOptimizer(
            adam,
            noise_multiplier=spec.noise,
            max_grad_norm=spec.clip,
            expected_batch_size=spec.rate * expected_rows,
            in_use=self.sums.in_use(),
            rng=rng,
        )
        self.average = Average([self.own], spec.averaging)

    def step(self, rows: Rows, weight: float, factor: float) -> None:
        """One step on `rows` [B], which may be none, at `factor` learning rates."""
        noise = normal(self.rng, len(rows), self.model.space.size)
        self.optimizer.zero_grad()
        self.own.grad = self.sums.of(Batch.of(rows, noise, weight, seed=0))
        self.optimizer.param_groups[0]["lr"] = factor * self.spec.learning_rate
        self.optimizer.step()
        self.average.step()

    def _loss(self, batch: Batch) -> Tensor:
        """[B]"""
        return self.objective.loss(self.model(batch.rows, batch.noise), batch.weight)


class NoisyOptimizer(DPOptimizerFastGradientClipping):  # type: ignore[misc]
    """Opacus' optimizer, which adds the noise once a step and divides by the expected batch, with
    noise from a generator of ours: torch's are started from 32 bits."""

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        *,
        in_use: Tensor,
        rng: Randomness,
        **all_else: Any,
    ) -> None:
        super().__init__(optimizer, **all_else)
        self.in_use, self.rng = in_use, rng

    def add_noise(self) -> None:
        """Where no weight is, there is nothing to hide, and zeros have to stay."""
        deviation = self.noise_multiplier * self.max_grad_norm
        for p in self.params:
            p.grad = p.summed_grad + deviation * self.in_use * normal(self.rng, *p.shape)
