"""Epochs, held-out loss, early stop, checkpoints. What a step is, the regime knows.

Every epoch draws its order and its noise from streams named after it, so an epoch depends on the
state before it and on nothing else: stopping and resuming changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from synthvae.errors import TrainingError
from synthvae.model.objective import Objective
from synthvae.model.spec import TrainingSpec
from synthvae.model.values import Dropout, Rows, Space, Terms
from synthvae.seeds import derive
from synthvae.training.average import Average
from synthvae.training.checkpoint import Checkpoint, Progress
from synthvae.training.descent import Batch
from synthvae.training.plan import WORTH, plan

_HARDLY = 0.02  # nats a row: held-out losses that differ by less are as good as each other
_DIVERGED = 1e9  # nats
_VALIDATION_BATCH = 4096
_LOOKED_AT = 8192  # rows before an epoch, for what is not in use


class Trainable(Protocol):
    """What is trained: rows and noise -> terms; a Vae, or a prior on its own."""

    space: Space

    def droppable(self, share: float) -> int: ...

    def __call__(self, rows: Rows, noise: Tensor, dropout: Dropout | None = None) -> Terms: ...

    def revive(self, rows: Rows, generator: torch.Generator) -> None: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any], /) -> Any: ...


class Regime(Protocol):
    """How one step is made, and what it remembers."""

    learning_rate: float
    average: Average

    def step(self, batch: Batch) -> float: ...

    def state(self) -> dict[str, Tensor]: ...

    def load(self, state: Mapping[str, Tensor]) -> None: ...


@dataclass(frozen=True)
class Trained:
    """What a fit leaves behind: the best weights are in the model already."""

    progress: Progress
    stopped: str


Watch = Callable[[Progress, int], None]


class Loop:
    """Trains `model` on encoded `rows` [N]; a share of them is held out for validation."""

    def __init__(
        self, model: Trainable, regime: Regime, objective: Objective, spec: TrainingSpec, seed: int
    ) -> None:
        self.model, self.regime = model, regime
        self.objective, self.spec, self.seed = objective, spec, seed
        self.latent = model.space.size
        self.device = next((p.device for p in model.parameters()), torch.device("cpu"))
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}

    def run(self, rows: Rows, watch: Watch, checkpoint: Checkpoint | None, resume: bool) -> Trained:
        """Train to the end. `watch` is told after every epoch, and of how many at most."""
        index, self.held_out = self._split(len(rows))
        train, held_out = (rows.at(at).to(self.device) for at in (index, self.held_out))
        features = self.model.droppable(self.spec.raised) if len(train) < len(rows) else 0
        self.plan = plan(self.spec, self.objective, len(train), features)
        if resume and checkpoint is not None and checkpoint.path.exists():
            self._restore(checkpoint)
        saved = time.monotonic()
        while not (stopped := self._stop()):
            self._epoch(train, held_out)
            watch(self.progress, self.plan.epochs)
            if checkpoint and time.monotonic() - saved >= checkpoint.every:
                self._save(checkpoint)
                saved = time.monotonic()
        self.model.load_state_dict(self.best)
        if dropped := self.progress.dropped:
            stopped += f", with dropout raised to {dropped:g}"
        return Trained(self.progress, stopped)

    def _split(self, rows: int) -> tuple[Tensor, Tensor]:
        """Which rows are learnt, and which are held out; all are both if none can be spared."""
        order = torch.randperm(rows, generator=self._generator("split"))
        held_out = round(self.spec.validation * rows)
        return order[held_out:], order[:held_out] if held_out else order

    def _stop(self) -> str:
        progress = self.progress
        if progress.epoch >= self.plan.epochs:
            return f"reached {self.plan.epochs} epochs"
        if progress.early and progress.epoch >= self.plan.last(progress.early):
            return f"hardly a better held-out loss after epoch {progress.early}"
        if self._cools() and progress.waited >= self.plan.patience:
            return f"no better held-out loss since epoch {progress.best_epoch}"
        return ""

    def _cools(self) -> bool:
        return self.plan.cools(self.progress.epoch, self.progress.early)

    def _epoch(self, train: Rows, held_out: Rows) -> None:
        started, progress = time.monotonic(), self.progress
        losses = self._train(train)
        with self.regime.average.in_place():
            held = self._validate(held_out)
            self._check(held["loss"])
            progress.epoch += 1
            progress.history.append({"train": losses, **held})
            self._keep(held["loss"])
        progress.seconds += time.monotonic() - started
        if not self._cools() and self._stalls():
            self._stalled()

    def _train(self, train: Rows) -> float:
        epoch, size = self.progress.epoch, self.plan.batch
        generator = self._generator("epoch", epoch)
        order = torch.randperm(len(train), generator=generator).to(self.device)
        steps = max(len(train) // size, 1)
        seeds = torch.randint(1 << 62, (steps,), generator=generator).tolist()
        self.model.revive(train.at(order[:_LOOKED_AT]), self._generator("revive", epoch))
        total = 0.0
        for step, index in enumerate(torch.split(order[: steps * size], size)):
            noise = self._noise(len(index), generator)
            done = epoch + step / steps
            weight = self.plan.objective.weight(done)
            batch = Batch.of(train.at(index), noise, weight, seeds[step], self.progress.dropped)
            self.regime.learning_rate = self.spec.learning_rate * self.plan.rate_factor(
                done, self.progress.early
            )
            total += self.regime.step(batch)
            self._check(total)
        return total / steps

    def _check(self, loss: float) -> None:
        if not loss < _DIVERGED:
            raise TrainingError(
                f"a loss falls, but in epoch {self.progress.epoch + 1} it grew beyond all bounds; "
                f"lower training.learning_rate (now {self.regime.learning_rate:g})"
            )

    @torch.no_grad()
    def _validate(self, held_out: Rows) -> dict[str, float]:
        """The held-out loss, always under the same noise, and what it is made of."""
        generator, objective = self._generator("validation"), self.objective
        sums = {"loss": 0.0, "distortion": 0.0, "rate": 0.0}
        batch = max(_VALIDATION_BATCH // objective.iwae, 1)
        for index in torch.split(torch.arange(len(held_out)), batch):
            noise = self._noise(len(index), generator)
            terms = self.model(held_out.at(index), noise)
            sums["loss"] += float(objective.loss(terms, objective.final).sum())
            sums["distortion"] += float(terms.distortion.sum()) / objective.iwae
            sums["rate"] += float(terms.rate.sum()) / objective.iwae
        return {name: value / len(held_out) for name, value in sums.items()}

    def _keep(self, loss: float) -> None:
        """Keep the weights if they are the best so far. While the learning rate falls, as good as
        the best is enough: of equals, those that have settled."""
        progress, cools = self.progress, self._cools()
        worth = WORTH if progress.trial else 0.0
        good = loss < progress.best + (_HARDLY if cools else -worth)
        if good:
            progress.best_epoch, progress.best = progress.epoch, min(progress.best, loss)
            self.best = {k: v.clone() for k, v in self.model.state_dict().items()}
        begins = cools and not self.plan.cools(progress.epoch - 1, progress.early)
        if begins or (good if cools else loss < progress.mark - _HARDLY):
            progress.mark, progress.waited = loss, 0
        else:
            progress.waited += progress.epoch > self.plan.patient_until

    def _stalls(self) -> bool:
        progress = self.progress
        if progress.trial:
            return progress.epoch >= progress.raised + self.plan.trial and not self._nearly()
        return progress.waited >= self.plan.patience

    def _nearly(self) -> bool:
        """Whether a trial gains enough within a patience, if it gains as much as in the last."""
        losses = [entry["loss"] for entry in self.progress.history]
        now, before = losses[-1], losses[-1 - self.plan.patience]
        return now - (before - now) < self.progress.best - WORTH

    def _stalled(self) -> None:
        """The held-out loss hardly falls any more: from the best weights on, more dropout is tried,
        or the learning rate falls."""
        progress = self.progress
        if not progress.raised and self.plan.may_try(progress.epoch):
            progress.raised, progress.dropped = progress.epoch, self.spec.raised
        else:
            progress.dropped = 0.0 if progress.trial else progress.dropped
            progress.early = progress.epoch
        progress.waited = 0
        self.model.load_state_dict(self.best)
        self.regime.average.restart()

    def _save(self, checkpoint: Checkpoint) -> None:
        states = {
            "model": self.model.state_dict(),
            "best": self.best,
            "regime": self.regime.state(),
        }
        checkpoint.save(self.progress, states)

    def _restore(self, checkpoint: Checkpoint) -> None:
        self.progress, states = checkpoint.load()
        self.model.load_state_dict(states["model"])
        self.best = states["best"]
        self.regime.load(states["regime"])

    def _noise(self, rows: int, generator: torch.Generator) -> Tensor:
        return self.objective.noise(rows, self.latent, generator).to(self.device)

    def _generator(self, *names: str | int) -> torch.Generator:
        return torch.Generator().manual_seed(derive(self.seed, "training", *names))
