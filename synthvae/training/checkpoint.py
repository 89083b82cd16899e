"""A fit, stopped at any moment and gone on with: everything that the next epoch depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from synthvae.errors import TrainingError
from synthvae.files import write_bytes

_KEY = "__progress__"


@dataclass
class Progress:
    """Where training stands after `epoch` epochs. `best`: the lowest held-out loss so far
    that counts; `best_epoch`: whose weights are kept; `mark`: the loss that the next ones are to
    fall below, and `waited`: for how many epochs they did not; `raised`: the epoch from which more
    dropout is tried, 0 if it is not, and `dropped`: how much, 0 if as the parts say; `early`: the
    epoch from which the learning rate falls before its time, 0 if it does not."""

    epoch: int = 0
    best: float = float("inf")
    best_epoch: int = 0
    mark: float = float("inf")
    waited: int = 0
    raised: int = 0
    dropped: float = 0.0
    early: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def trial(self) -> bool:
        """Whether more dropout is on trial: it has not proved worth it yet."""
        return self.dropped > 0 and self.best_epoch <= self.raised


@dataclass(frozen=True)
class Checkpoint:
    """One file, written after the first epoch that ends `every` seconds after the last time.
    `identity` is a hash of the table and of every setting that shapes the model."""

    path: Path
    identity: str
    every: float

    def save(self, progress: Progress, states: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Write `states` (named groups of tensors) and `progress`, whole or not at all."""
        note = json.dumps({"identity": self.identity, **vars(progress)}).encode()
        tensors = {_KEY: torch.frombuffer(bytearray(note), dtype=torch.uint8)}
        for group, state in states.items():
            tensors |= {f"{group}/{name}": value.contiguous() for name, value in state.items()}
        write_bytes(self.path, save(tensors))

    def load(self) -> tuple[Progress, dict[str, dict[str, Tensor]]]:
        """What `save` wrote. TrainingError if the file is no checkpoint of this very fit."""
        try:
            tensors = load_file(self.path)
            note: dict[str, Any] = json.loads(bytes(tensors.pop(_KEY).tolist()))
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise TrainingError(
                f"--resume goes on from a checkpoint, but '{self.path}' is none ({error}); "
                "fit without --resume"
            ) from error
        if note.pop("identity") != self.identity:
            raise TrainingError(
                f"--resume goes on with the same table and settings, but the checkpoint "
                f"'{self.path}' is of others; fit without --resume, or with the settings as before"
            )
        states: dict[str, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            group, _, key = name.partition("/")
            states.setdefault(group, {})[key] = value
        return Progress(**note), states
