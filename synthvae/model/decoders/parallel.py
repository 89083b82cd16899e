"""All blocks independent given the latent: one pass through an MLP."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.model.checks import positive_widths
from synthvae.model.heads import Heads
from synthvae.model.limits import Guidance, Limits, Survivors
from synthvae.model.nets import Mlp, RowEmbedding
from synthvae.model.parts import Dims
from synthvae.model.values import Dropout, Held, Noise, Rows, in_chunks
from synthvae.model.weighed import drawn_at_once

_CHUNK = 2048  # rows that are drawn at once: their outputs stay in the cache


@dataclass(frozen=True)
class ParallelSpec:
    """`hidden`: widths of the layers."""

    kind: Literal["parallel"] = "parallel"
    private: ClassVar[bool | str] = True
    hidden: tuple[int, ...] = (128, 128)

    def __post_init__(self) -> None:
        positive_widths(hidden=self.hidden)

    def build(self, dims: Dims) -> ParallelDecoder:
        return ParallelDecoder(dims, self.hidden)


class ParallelDecoder(nn.Module):
    """z [B, Z], given Rows [B] -> outputs [B, O]; the modelled rows are not looked at."""

    def __init__(self, dims: Dims, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.latent = nn.Linear(dims.latent, hidden[0])
        given = dims.given.layout
        self.given = RowEmbedding(given, hidden[0]) if given.blocks else None
        self.trunk = Mlp(hidden[0], hidden[1:])
        self.out = nn.Linear(self.trunk.out_features, dims.heads.outputs)

    def forward(
        self,
        z: Tensor,
        rows: Rows | None,
        given: Rows,
        dropout: Dropout | None = None,
    ) -> Tensor:
        h = self.latent(z)
        if self.given is not None:
            h = h + self.given(given)
        outputs: Tensor = self.out(self.trunk(torch.relu(h)))
        return outputs

    @torch.no_grad()
    def start_at(self, outputs: Tensor) -> None:
        """Begin with outputs [O] that do not depend on z."""
        self.out.bias.copy_(outputs)

    @torch.no_grad()
    def shift(self, outputs: Tensor) -> None:
        """Add outputs [O] to those of every row."""
        self.out.bias.add_(outputs)

    def sample(
        self, z: Tensor, given: Rows, noise: Noise, heads: Heads, held: Held | None = None
    ) -> Rows:
        """z [n, Z], given Rows [n] -> Rows [n]."""
        draw = partial(self._sample, heads=heads)
        return in_chunks(draw, _CHUNK, z, given, noise, held)

    @torch.no_grad()
    def within(self, z: Tensor, given: Rows, noise: Noise, task: Guidance) -> Survivors:
        """z [n, Z], given Rows [n] -> those of n rows that pass the gate of `task`."""
        return drawn_at_once(self(z, None, given), noise, task)

    def gates(self, limits: Limits) -> int:
        """One: what lies within is known before anything is drawn."""
        return int(bool(limits.classes or limits.scalars))

    def steerable(self, limits: Limits) -> None:
        """Nothing is drawn before."""
        return

    def _sample(
        self, z: Tensor, given: Rows, noise: Noise, held: Held | None, heads: Heads
    ) -> Rows:
        outputs = self(z, None, given)
        if held is None:
            return heads.sample(outputs, noise)
        return held.keep(heads.sample(outputs + held.never, noise))
