"""A moving average of the weights: what training settles around (Polyak & Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

AVERAGE = "average"
_START = 10
_EARLY = 100
EVERY = 4  # later on, steps between two looks: what lies between hardly differs


class Average:
    """Follows `parameters` with `decay`, faster over the first steps; with decay 0 it is the
    parameters themselves."""

    def __init__(self, parameters: Sequence[Tensor], decay: float) -> None:
        self.parameters, self.decay = list(parameters), decay
        self.steps = torch.zeros(1)
        self.values = [p.detach().clone() for p in parameters] if decay else []

    @torch.no_grad()
    def step(self) -> None:
        """After every step of the optimizer."""
        if not self.values:
            return
        self.steps += 1
        done = float(self.steps)
        every = EVERY if done > _EARLY else 1
        if done % every == 0:
            decay = min(self.decay, done / (done + _START)) ** every
            torch._foreach_lerp_(self.values, self.parameters, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model has the averaged weights inside."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def keep(self) -> None:
        """The averaged weights become the model's own, for good."""
        for value, parameter in zip(self.values, self.parameters, strict=False):
            parameter.copy_(value)

    def restart(self) -> None:
        """Go on from the parameters as they are now."""
        for value, parameter in zip(self.values, self.parameters, strict=False):
            value.copy_(parameter.detach())

    @torch.no_grad()
    def _swap(self) -> None:
        for value, parameter in zip(self.values, self.parameters, strict=False):
            kept = parameter.clone()
            parameter.copy_(value)
            value.copy_(kept)

    def state(self) -> dict[str, Tensor]:
        named = {f"{AVERAGE}.{i}": value for i, value in enumerate(self.values)}
        return named | {f"{AVERAGE}.steps": self.steps}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        self.steps = state[f"{AVERAGE}.steps"].clone()
        for i, value in enumerate(self.values):
            value.copy_(state[f"{AVERAGE}.{i}"])
