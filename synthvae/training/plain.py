"""Plain training: the gradient of a batch's mean loss, and Adam.

A batch is cut into a fixed number of shards, each computed on one core and added up in order: the
same weights come out whatever the number of cores, and a busy machine slows training down by its
share instead of stalling it at the barriers of a shared thread pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from synthvae.model.objective import Objective
from synthvae.model.parts import Rows
from synthvae.model.spec import TrainingSpec
from synthvae.model.vae import Vae
from synthvae.training.average import AVERAGE, Average

SHARDS = 2
ROWS_PER_SHARD = 128  # fewer, and handing work over costs more than the second core gives


class Plain:
    """A regime: `step` moves the model by one batch, `state` is all that a checkpoint needs."""

    def __init__(
        self, model: Vae, objective: Objective, spec: TrainingSpec, pool: ThreadPoolExecutor
    ) -> None:
        self.model, self.objective, self.pool = model, objective, pool
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=True
        )
        self.average = Average(self.parameters, spec.averaging)

    def step(self, rows: Rows, noise: Tensor, weight: float, seed: int) -> float:
        """One step on `rows` [B] with the rate weighted by `weight`; the loss in nats per row.
        Dropout follows from `seed`."""
        shards = [
            self.pool.submit(self._shard, rows.at(part), noise[part], weight, seed + i, len(rows))
            for i, part in enumerate(_shards(len(rows)))
        ]
        results = [shard.result() for shard in shards]
        for i, parameter in enumerate(self.parameters):
            total = results[0][1][i]
            for _, gradients in results[1:]:
                total = total + gradients[i]
            parameter.grad = total
        self.optimizer.step()
        self.average.step()
        return sum(loss for loss, _ in results)

    def _shard(
        self, rows: Rows, noise: Tensor, weight: float, seed: int, batch: int
    ) -> tuple[float, tuple[Tensor, ...]]:
        terms = self.model(rows, noise, torch.Generator().manual_seed(seed))
        loss = self.objective.loss(terms, weight).sum() / batch
        gradients = torch.autograd.grad(loss, self.parameters, materialize_grads=True)
        return float(loss.detach()), gradients

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def state(self) -> dict[str, Tensor]:
        """The optimizer's moments, by parameter, and the average."""
        moments = self.optimizer.state_dict()["state"]
        named = {
            f"{i}.{key}": value for i, entry in moments.items() for key, value in entry.items()
        }
        return named | self.average.state()

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        moments: dict[int, dict[str, Tensor]] = {}
        self.average.load(state)
        for name, value in state.items():
            index, key = name.split(".")
            if index == AVERAGE:
                continue
            moments.setdefault(int(index), {})[key] = value
        current = self.optimizer.state_dict()
        self.optimizer.load_state_dict({**current, "state": moments})


def _shards(batch: int) -> list[slice]:
    shards = max(1, min(SHARDS, batch // ROWS_PER_SHARD))
    size = -(-batch // shards)
    return [slice(start, start + size) for start in range(0, batch, size)]
