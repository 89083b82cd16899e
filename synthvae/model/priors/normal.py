"""The standard normal prior."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.model.parts import Dims
from synthvae.model.values import Noise, Posterior


@dataclass(frozen=True)
class NormalSpec:
    """No fields: there is nothing to choose."""

    kind: Literal["normal"] = "normal"
    private: ClassVar[bool | str] = True

    @property
    def speaks(self) -> str:
        return "points"

    def build(self, dims: Dims) -> NormalPrior:
        return NormalPrior()


class NormalPrior(nn.Module):
    """p(z) = N(0, I)."""

    def rate(self, posterior: Posterior) -> Tensor:
        """KL(q || p) in closed form, [B, Z] nats."""
        mean, log_var = posterior.mean, posterior.log_var
        return 0.5 * (mean**2 + torch.expm1(log_var) - log_var)

    def log_density(self, z: Tensor) -> Tensor:
        return -0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=1)

    def sample(self, noise: Noise) -> Tensor:
        return noise.latent

    def fit(self, z: Tensor, seed: int) -> None:
        """It stays what it is."""
