"""Plain training: the gradient of a batch's mean loss, and Adam.

A batch is cut into a fixed number of shards, each computed on one core and added up in order: the
same weights come out whatever the number of cores, and a busy machine slows training down by its
share instead of stalling it at the barriers of a shared thread pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

from synthvae.model.objective import Objective
from synthvae.model.parts import Rows
from synthvae.model.spec import TrainingSpec
from synthvae.training.average import Average
from synthvae.training.flat import Flat
from synthvae.training.loop import Trainable

SHARDS = 2
ROWS_PER_SHARD = 128  # fewer, and handing work over costs more than the second core gives


class Plain:
    """A regime: `step` moves the model by one batch, `state` is all that a checkpoint needs."""

    def __init__(
        self, model: Trainable, objective: Objective, spec: TrainingSpec, pool: ThreadPoolExecutor
    ) -> None:
        self.model, self.objective, self.pool = model, objective, pool
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.flat = Flat(self.parameters)
        self.slices = self.flat.slices(SHARDS)
        # Kept from step to step: memory that was just asked for costs as much as the sums do.
        self.gradients = [torch.zeros_like(self.flat.vector) for _ in range(SHARDS)]
        self.views = [self.flat.views(gradient) for gradient in self.gradients]
        self.own = [nn.Parameter(self.flat.vector[at]) for at in self.slices]
        self.optimizers = [
            torch.optim.Adam(
                [part], lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=True
            )
            for part in self.own
        ]
        self.average = Average(self.own, spec.averaging)

    def step(self, rows: Rows, noise: Tensor, weight: float, seed: int) -> float:
        """One step on `rows` [B] with the rate weighted by `weight`; the loss in nats per row.
        Dropout follows from `seed`."""
        parts = _shards(len(rows))
        shards = [
            self.pool.submit(self._shard, i, rows.at(part), noise[part], weight, seed, len(rows))
            for i, part in enumerate(parts)
        ]
        loss = sum((shard.result() for shard in shards), 0.0)
        updates = [self.pool.submit(self._update, i, len(parts)) for i in range(len(self.own))]
        for update in updates:
            update.result()
        self.average.step()
        return loss

    def _shard(
        self, shard: int, rows: Rows, noise: Tensor, weight: float, seed: int, batch: int
    ) -> float:
        """The share of `rows` [b] in the loss of a batch; their gradients go to the shard's own."""
        terms = self.model(rows, noise, torch.Generator().manual_seed(seed + shard))
        loss = self.objective.loss(terms, weight).sum() / batch
        gradients = torch.autograd.grad(loss, self.parameters, materialize_grads=True)
        torch._foreach_copy_(self.views[shard], gradients)
        return float(loss.detach())

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
        """The optimizers' moments and the average."""
        named = {
            f"{i}.{key}": value
            for i, optimizer in enumerate(self.optimizers)
            for key, value in optimizer.state_dict()["state"].get(0, {}).items()
        }
        return named | self.average.state()

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        self.average.load(state)
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
