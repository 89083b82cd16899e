"""Finite scalar quantization: codes that are points of a small grid, without a codebook (Mentzer
et al. 2023). With two levels a dimension they are binary codes (Yu et al. 2024).

A dimension is bounded by tanh and rounded to one of its levels, evenly spaced from -1 to 1. Half
of the levels' number is where 0 falls: on the middle level if the number is odd, on the edge
between two if it is even, so that no level is favoured. Nothing is learnt beyond the map from h,
and nothing can die.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.model.checks import codes_a_slot, positive
from synthvae.model.parts import Dims
from synthvae.model.values import Posterior, Space


@dataclass(frozen=True)
class FsqSpec:
    """`slots`: codes S a row; `levels` of each dimension of a slot: C is their product."""

    kind: Literal["fsq"] = "fsq"
    private: ClassVar[bool | str] = True
    slots: int = 8
    levels: tuple[int, ...] = (8, 5, 5)

    def __post_init__(self) -> None:
        positive(slots=self.slots)
        if not self.levels or min(self.levels) < 2:
            raise ValueError(
                f"levels lists two or more a dimension, but it is {list(self.levels)}; correct it"
            )
        codes_a_slot(levels=math.prod(self.levels))

    @property
    def space(self) -> Space:
        return Space(self.slots * len(self.levels), self.slots, math.prod(self.levels))

    def build(self, dims: Dims) -> FsqLatent:
        return FsqLatent(dims.hidden, self)


class FsqLatent(nn.Module):
    """h [B, H] -> Posterior of one point; the noise is not used. Shapes: D dimensions a slot."""

    steps: Tensor
    radix: Tensor

    def __init__(self, hidden: int, spec: FsqSpec) -> None:
        super().__init__()
        self.space = spec.space
        self.project = nn.Linear(hidden, spec.space.size)
        levels = torch.tensor(spec.levels)
        self.register_buffer("steps", levels - 1, persistent=False)  # [D]
        self.register_buffer("radix", levels.cumprod(0) // levels, persistent=False)  # [D]

    def forward(self, h: Tensor, noise: Tensor) -> Posterior:
        bounded = torch.tanh(self.project(h)).view(len(h), self.space.slots, -1)  # [B, S, D]
        index = torch.round((bounded.detach() + 1) / 2 * self.steps).long()
        # The point itself, with the gradient of what was rounded (straight through).
        z = (self._points(index) + (bounded - bounded.detach())).flatten(1)
        codes = (index * self.radix).sum(dim=2)
        return Posterior(z, z, z.new_empty(len(z), 0), codes)

    def embed(self, drawn: Tensor) -> Tensor:
        """Codes [n, S] -> z [n, Z]."""
        index = drawn.long()[:, :, None] // self.radix % (self.steps + 1)
        return self._points(index).flatten(1)

    def _points(self, index: Tensor) -> Tensor:
        """Levels [B, S, D] -> where they stand, from -1 to 1."""
        return 2 * index / self.steps - 1
