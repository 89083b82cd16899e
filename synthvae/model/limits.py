"""What rows that are being drawn may hold, what that costs, and which of them go on.

A block that is limited is drawn from its conditional distribution within what is allowed, and the
row's weight takes the mass that lies there, p(allowed | z, earlier blocks): importance sampling of
p(row | all blocks within their limits). Gates make rows of equal weight of it. At a gate with bound
c a row of weight w goes on with probability min(1, w / c), and weighs max(w, c) from there on
(rejection control, Liu, Chen & Wong 1998). After the last gate all rows count alike: with a bound
that no weight exceeds that is rejection sampling, else the weights are cut off at the bound.

Rows whose blocks are seldom followed by what is allowed are most of those drawn. So blocks may be
steered: `tilt` adds nats to the logits of classes for a part of the rows, and weights make up for
it. The other part, `PLAIN` of them, is drawn as the model does, and a row counts as a draw from the
mixture of both, whose weights are never above mass / PLAIN (defensive mixture, Hesterberg 1995).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from synthvae.model.heads import Heads
from synthvae.model.truncated import Mixture
from synthvae.model.values import Rows

PLAIN = 0.2


@dataclass(frozen=True)
class ScalarLimit:
    """Intervals `spans` [classes, k, 2] (double) by the class of the block `classes`; one class if
    there is no such block."""

    classes: int | None
    spans: Tensor

    def of_rows(self, codes: Tensor) -> Tensor:
        """The intervals of each row, codes [n, class blocks] -> [n, k, 2]."""
        if self.classes is None:
            return self.spans.expand(len(codes), -1, 2)
        return self.spans[codes[:, self.classes].long()]


@dataclass(frozen=True)
class Limits:
    """Of modelled blocks, by their positions in `Rows`. `never` [O] (`Heads.never`) keeps classes
    of the `classes` blocks from being drawn; `scalars` lie within intervals; `tilt` [O]: nats by
    which classes are drawn more often by rows that are steered. `set_codes`, `set_scalars`: what
    blocks are set to, whatever the model says; nothing is weighed for it."""

    never: Tensor
    classes: frozenset[int] = frozenset()
    scalars: Mapping[int, ScalarLimit] = field(default_factory=dict)
    tilt: Tensor | None = None
    set_codes: Mapping[int, int] = field(default_factory=dict)
    set_scalars: Mapping[int, float] = field(default_factory=dict)


class Gate(Protocol):
    """Decides which rows go on."""

    def __call__(self, stage: int, log_weight: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Log weights [n] at gate `stage` and uniform `level` [n] -> which rows go on [m], and by
        how much that raised their log weights [m]."""
        ...


@dataclass(frozen=True)
class Guidance:
    """All that it takes to draw rows within limits: `level` [n, 1 + gates] uniform, the first for
    which rows are steered; `gate` is asked after every limited block, or once if all blocks are
    drawn at once."""

    heads: Heads
    limits: Limits
    gate: Gate
    level: Tensor

    @property
    def steered(self) -> Tensor:
        """Which rows are steered, [n]."""
        return self.level[:, 0] >= (PLAIN if self.limits.tilt is not None else 2.0)


@dataclass(frozen=True)
class Survivors:
    """Rows [m] that passed all gates, where they stood among those begun (`index`), and their log
    weights, which the last gate has not raised."""

    rows: Rows
    index: Tensor
    log_weight: Tensor


@dataclass(frozen=True)
class Bounds:
    """A gate with a log bound a stage."""

    logs: Sequence[float]

    def __call__(self, stage: int, log_weight: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        excess = log_weight - self.logs[stage]
        kept = torch.nonzero(torch.log(level) < excess)[:, 0]
        return kept, (-excess[kept]).clamp(min=0)


class Weights:
    """Log weights of rows [n] in the making."""

    def __init__(self, steered: Tensor) -> None:
        nothing = torch.zeros(len(steered), dtype=torch.double)
        self.steered = steered
        self.mass, self.paid = nothing, nothing  # what limits took, what gates gave
        self.ahead = nothing  # log density of steered rows over that of plain ones

    def log(self) -> Tensor:
        """[n]."""
        mixed = torch.logaddexp(
            torch.full_like(self.ahead, math.log(PLAIN)), self.ahead + math.log1p(-PLAIN)
        )
        return self.mass - torch.where(self.ahead == 0, 0.0, mixed) + self.paid

    def limit(self, log_mass: Tensor) -> None:
        self.mass = self.mass + log_mass.double()

    def steer(self, log_ratio: Tensor) -> None:
        self.ahead = self.ahead + log_ratio.double()

    def keep(self, rows: Tensor, raised: Tensor) -> None:
        self.steered, self.mass, self.ahead = (
            self.steered[rows],
            self.mass[rows],
            self.ahead[rows],
        )
        self.paid = self.paid[rows] + raised


def within_ends(mixture: Mixture, spans: Tensor, ends: tuple[float, float] | None) -> Tensor:
    """Intervals [n, k, 2] of what is drawn -> of the mixture, where all beyond `ends` counts as
    them."""
    if ends is None:
        return spans
    low, high = spans.unbind(dim=-1)
    gone = (low > ends[1]) | (high < ends[0]) | (low > high)
    low = torch.where(low <= ends[0], -torch.inf, low)
    high = torch.where(high >= ends[1], torch.inf, high)
    nothing = torch.tensor([torch.inf, -torch.inf], dtype=spans.dtype)
    return torch.where(gone[..., None], nothing, torch.stack([low, high], dim=-1))
