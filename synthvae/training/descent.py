"""One step of gradient descent: Adam on all parameters in one vector.

A batch is cut into a fixed number of shards, each computed on one core and added up in order: the
same weights come out whatever the number of cores, and a busy machine slows training down by its
share instead of stalling it at the barriers of a shared thread pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from synthvae.layout import Encoded
from synthvae.model.compute import Team
from synthvae.model.crew import shared
from synthvae.model.values import Rows
from synthvae.training.flat import Flat

SHARDS = 2
_ADAM = "adam."
ROWS_PER_SHARD = 128  # fewer, and handing work over costs more than the second core gives


@dataclass(frozen=True)
class Batch:
    """Rows [B] and standard normal noise [B, Z] or [B, k, Z]; the rate's weight; what else is drawn
    follows from `seed`. A shard of a batch knows `whole`, the rows of all its shards."""

    rows: Rows
    noise: Tensor
    weight: float
    seed: int
    whole: int

    @staticmethod
    def of(rows: Rows, noise: Tensor, weight: float, seed: int) -> Batch:
        return Batch(rows, noise, weight, seed, len(rows))

    def shards(self) -> list[Batch]:
        count = max(1, min(SHARDS, self.whole // ROWS_PER_SHARD))
        size = -(-self.whole // count)
        cuts = [slice(start, start + size) for start in range(0, self.whole, size)]
        return [
            Batch(self.rows.at(at), self.noise[at], self.weight, self.seed + i, self.whole)
            for i, at in enumerate(cuts)
        ]

    def at(self, index: Tensor | slice) -> Batch:
        """Some of its rows."""
        rows, noise = self.rows.at(index), self.noise[index]
        return Batch(rows, noise, self.weight, self.seed, self.whole)

    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)

    def __reduce__(self) -> tuple[Any, ...]:
        # As numpy arrays: torch would pickle a tensor as a file, or pass handles of shared memory.
        return _batch, (
            self.rows.encoded(),
            self.noise.numpy(),
            self.weight,
            self.seed,
            self.whole,
        )


def _batch(rows: Encoded, noise: Any, weight: float, seed: int, whole: int) -> Batch:
    return Batch(Rows.of(rows), torch.from_numpy(noise), weight, seed, whole)


Loss = Callable[[Batch], Tensor]


class Descent:
    """Moves `parameters` down `loss`(shard) [B], nats of each row. `own`: all of them, as one."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        loss: Loss,
        learning_rate: float,
        weight_decay: float,
        team: Team,
    ) -> None:
        self.parameters, self.loss = [p for p in parameters if p.requires_grad], loss
        self.flat = Flat(self.parameters)
        # Kept from step to step: memory that was just asked for costs as much as the sums do.
        self.gradients = [shared(len(self.flat.vector)) for _ in range(SHARDS)]
        self.views = [self.flat.views(gradient) for gradient in self.gradients]
        self.own = nn.Parameter(self.flat.vector)
        self.optimizer = torch.optim.Adam(
            [self.own], lr=learning_rate, weight_decay=weight_decay, fused=True
        )
        self.crew = team.crew(self._gradient)

    def step(self, batch: Batch) -> float:
        """One step down the mean loss of a batch; that loss."""
        shards = batch.shards()
        total = sum(self.crew.all(list(enumerate(shards))))
        gradient, *others = self.gradients[: len(shards)]
        for other in others:
            gradient += other
        self.own.grad = gradient
        self.optimizer.step()
        return total

    def _gradient(self, task: tuple[int, Batch]) -> float:
        """A shard's share of the loss; its gradient goes to the shard's own memory."""
        shard, batch = task
        value = self.loss(batch).sum() / batch.whole
        gradients = torch.autograd.grad(value, self.parameters, materialize_grads=True)
        torch._foreach_copy_(self.views[shard], gradients)
        return float(value.detach())

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self.optimizer.param_groups[0]["lr"] = rate

    def state(self) -> dict[str, Tensor]:
        """The optimizer's moments, each under `adam.`."""
        moments = self.optimizer.state_dict()["state"].get(0, {})
        return {_ADAM + name: value for name, value in moments.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        moments = {
            name.removeprefix(_ADAM): value
            for name, value in state.items()
            if name.startswith(_ADAM)
        }
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": {0: moments}})
