"""A diagonal Gaussian posterior (Kingma & Welling 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.model.checks import positive
from synthvae.model.nets import LOG_VAR
from synthvae.model.parts import Dims
from synthvae.model.values import Posterior, Space


@dataclass(frozen=True)
class GaussianSpec:
    """`size`: Z."""

    kind: Literal["gaussian"] = "gaussian"
    private: ClassVar[bool | str] = True
    size: int = 128

    def __post_init__(self) -> None:
        positive(size=self.size)

    @property
    def space(self) -> Space:
        return Space(self.size)

    def build(self, dims: Dims) -> GaussianLatent:
        return GaussianLatent(dims.hidden, self.space)


class GaussianLatent(nn.Module):
    """h [B, H], standard normal noise [B, Z] -> Posterior."""

    def __init__(self, hidden: int, space: Space) -> None:
        super().__init__()
        self.space = space
        self.mean = nn.Linear(hidden, space.size)
        self.log_var = nn.Linear(hidden, space.size)

    def forward(self, h: Tensor, noise: Tensor) -> Posterior:
        mean = self.mean(h)
        log_var = self.log_var(h).clamp(*LOG_VAR)
        return Posterior(mean + torch.exp(0.5 * log_var) * noise, mean, log_var)

    def embed(self, drawn: Tensor) -> Tensor:
        return drawn
