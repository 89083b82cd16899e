"""One step of gradient descent: Adam on all parameters in one vector.

A batch is cut into a fixed number of shards, each computed on one core and added up in order: the
same weights come out whatever the number of cores, and a busy machine slows training down by its
share instead of stalling it at the barriers of a shared thread pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from synthvae.layout import Encoded
from synthvae.model.compute import Team
from synthvae.model.values import Dropout, Rows
from synthvae.training.flat import Flat

SHARDS = 2
_ADAM = "adam."
_BETAS, _EPSILON = (0.9, 0.999), 1e-8
_LAST = 0.02  # how much of the mean length the last gradient is
ROWS_PER_SHARD = 128  # fewer, and handing work over costs more than the second core gives


@dataclass(frozen=True)
class Batch:
    """Rows [B] and standard normal noise [B, Z] or [B, k, Z]; the rate's weight; what else is drawn
    follows from `seed`. A shard of a batch knows `whole`, the rows of all its shards. `dropped`:
    the share that dropout drops at least."""

    rows: Rows
    noise: Tensor
    weight: float
    seed: int
    whole: int
    dropped: float = 0.0

    @staticmethod
    def of(rows: Rows, noise: Tensor, weight: float, seed: int, dropped: float = 0.0) -> Batch:
        return Batch(rows, noise, weight, seed, len(rows), dropped)

    def shards(self) -> list[Batch]:
        count = max(1, min(SHARDS, self.whole // ROWS_PER_SHARD))
        size = -(-self.whole // count)
        cuts = [slice(start, start + size) for start in range(0, self.whole, size)]
        return [
            replace(self, rows=self.rows.at(at), noise=self.noise[at], seed=self.seed + i)
            for i, at in enumerate(cuts)
        ]

    def at(self, index: Tensor | slice) -> Batch:
        """Some of its rows."""
        return replace(self, rows=self.rows.at(index), noise=self.noise[index])

    def dropout(self) -> Dropout:
        generator = torch.Generator(self.noise.device).manual_seed(self.seed)
        return Dropout(generator, self.dropped)

    def __reduce__(self) -> tuple[Any, ...]:
        # As numpy arrays: torch would pickle a tensor as a file, or pass handles of shared memory.
        return _batch, (
            self.rows.encoded(),
            self.noise.numpy(),
            self.weight,
            self.seed,
            self.whole,
            self.dropped,
        )


def _batch(rows: Encoded, noise: Any, *rest: Any) -> Batch:
    return Batch(Rows.of(rows), torch.from_numpy(noise), *rest)


Loss = Callable[[Batch], Tensor]


class Descent:
    """Moves `parameters` down `loss`(shard) [B], nats of each row, by Adam (Kingma & Ba 2015).
    `own`: all of them, as one. `clipping`: gradients longer than so many times the mean length
    are cut to that (Pascanu et al. 2013), 0: none are. A density that has become narrow makes such
    ones, each of which throws training back. The mean, over some fifty steps, is of lengths before
    they are cut: that of cut ones stays where training began (docs/log.md).

    The function, not the class `torch.optim.Adam`: making one of these imports a compiler that
    nothing here uses, which takes longer than an epoch of a small table.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        loss: Loss,
        learning_rate: float,
        weight_decay: float,
        team: Team,
        clipping: float = 0.0,
    ) -> None:
        self.parameters, self.loss = [p for p in parameters if p.requires_grad], loss
        self.flat = Flat(self.parameters)
        # Kept from step to step: memory that was just asked for costs as much as the sums do.
        self.gradients = [self.flat.zeros() for _ in range(SHARDS)]
        self.views = [self.flat.views(gradient) for gradient in self.gradients]
        self.own = nn.Parameter(self.flat.vector)
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.clipping = clipping
        self.moments = {
            "exp_avg": torch.zeros_like(self.flat.vector),
            "exp_avg_sq": torch.zeros_like(self.flat.vector),
            "step": self.flat.vector.new_zeros(()),
            "length": self.flat.vector.new_zeros(()),
        }
        self.crew = team.crew(self._gradient)

    def step(self, batch: Batch) -> float:
        """One step down the mean loss of a batch; that loss."""
        shards = batch.shards()
        total = sum(self.crew.all(list(enumerate(shards))))
        gradient, *others = self.gradients[: len(shards)]
        for other in others:
            gradient += other
        if self.clipping:
            self._cut(gradient)
        self._move(gradient)
        return total

    @torch.no_grad()
    def _cut(self, gradient: Tensor) -> None:
        length, mean = gradient.norm(), self.moments["length"]
        if not self.moments["step"]:
            mean.copy_(length)
        most = self.clipping * mean
        if length > most:
            gradient.mul_(most / length)
        mean.lerp_(length, _LAST)

    @torch.no_grad()
    def _move(self, gradient: Tensor) -> None:
        adam(
            [self.flat.vector],
            [gradient],
            [self.moments["exp_avg"]],
            [self.moments["exp_avg_sq"]],
            [],
            [self.moments["step"]],
            fused=True,
            amsgrad=False,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            eps=_EPSILON,
            maximize=False,
        )

    def _gradient(self, task: tuple[int, Batch]) -> float:
        """A shard's share of the loss; its gradient goes to the shard's own memory."""
        shard, batch = task
        value = self.loss(batch).sum() / batch.whole
        gradients = torch.autograd.grad(value, self.parameters, materialize_grads=True)
        torch._foreach_copy_(self.views[shard], gradients)
        return float(value.detach())

    def state(self) -> dict[str, Tensor]:
        """The moments, each under `adam.`."""
        return {_ADAM + name: value for name, value in self.moments.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        for name, value in self.moments.items():
            value.copy_(state[_ADAM + name])
