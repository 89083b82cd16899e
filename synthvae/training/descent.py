"""One step of gradient descent: Adam on all parameters in one vector.

A batch is cut into a fixed number of shards, each computed on one core and added up in order: the
same weights come out whatever the number of cores, and a busy machine slows training down by its
share instead of stalling it at the barriers of a shared thread pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

from synthvae.training.flat import Flat

SHARDS = 2
ROWS_PER_SHARD = 128  # fewer, and handing work over costs more than the second core gives

ShardLoss = Callable[[int, slice], Tensor]


class Descent:
    """Moves `parameters`. `own`: the same, in the few parts that are moved side by side."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        learning_rate: float,
        weight_decay: float,
        pool: ThreadPoolExecutor,
    ) -> None:
        self.parameters, self.pool = [p for p in parameters if p.requires_grad], pool
        self.flat = Flat(self.parameters)
        self.slices = self.flat.slices(SHARDS)
        # Kept from step to step: memory that was just asked for costs as much as the sums do.
        self.gradients = [torch.zeros_like(self.flat.vector) for _ in range(SHARDS)]
        self.views = [self.flat.views(gradient) for gradient in self.gradients]
        self.own = [nn.Parameter(self.flat.vector[at]) for at in self.slices]
        self.optimizers = [
            torch.optim.Adam([part], lr=learning_rate, weight_decay=weight_decay, fused=True)
            for part in self.own
        ]

    def step(self, loss: ShardLoss, rows: int) -> float:
        """One step on a batch of `rows` rows, and its loss. `loss`(shard, rows of it): the share of
        these rows in the batch's mean; it may be called in several threads at once."""
        parts = _shards(rows)
        shards = [self.pool.submit(self._shard, i, part, loss) for i, part in enumerate(parts)]
        total = sum((shard.result() for shard in shards), 0.0)
        updates = [self.pool.submit(self._update, i, len(parts)) for i in range(len(self.own))]
        for update in updates:
            update.result()
        return total

    def _shard(self, shard: int, rows: slice, loss: ShardLoss) -> float:
        """The gradients go to the shard's own."""
        value = loss(shard, rows)
        gradients = torch.autograd.grad(value, self.parameters, materialize_grads=True)
        torch._foreach_copy_(self.views[shard], gradients)
        return float(value.detach())

    def _update(self, part: int, shards: int) -> None:
        """Move one part of the parameters along the sum of the gradients."""
        total, *others = (gradient[self.slices[part]] for gradient in self.gradients[:shards])
        for other in others:
            total += other
        self.own[part].grad = total
        self.optimizers[part].step()

    @property
    def learning_rate(self) -> float:
        return float(self.optimizers[0].param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = rate

    def state(self) -> dict[str, Tensor]:
        """The optimizers' moments."""
        return {
            f"{i}.{key}": value
            for i, optimizer in enumerate(self.optimizers)
            for key, value in optimizer.state_dict()["state"].get(0, {}).items()
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        for i, optimizer in enumerate(self.optimizers):
            moments = {
                key.removeprefix(f"{i}."): value
                for key, value in state.items()
                if key.startswith(f"{i}.")
            }
            optimizer.load_state_dict({**optimizer.state_dict(), "state": {0: moments}})


def _shards(batch: int) -> list[slice]:
    shards = max(1, min(SHARDS, batch // ROWS_PER_SHARD))
    size = -(-batch // shards)
    return [slice(start, start + size) for start in range(0, batch, size)]
