"""VampPrior: a mixture of the posteriors of learnt pseudo-rows (Tomczak & Welling 2018).

It is trained together with the model, so that the aggregate posterior and the prior meet halfway.
Where it differs from the paper: a pseudo-row is not a row but what the encoder's first layer would
make of one. That layer is linear, so rows mixed in any shares have their place there too, and
everything above it is shared with the posteriors of real rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.model.checks import positive
from synthvae.model.parts import Dims, Inference
from synthvae.model.values import Noise, Posterior


@dataclass(frozen=True)
class VampSpec:
    """`components`: pseudo-rows, all of the same weight."""

    kind: Literal["vamp"] = "vamp"
    private: ClassVar[bool | str] = (
        "puts pseudo-rows, which all rows share, through the encoder's layers"
    )
    components: int = 32

    def __post_init__(self) -> None:
        positive(components=self.components)

    @property
    def speaks(self) -> str:
        return "points"

    def build(self, dims: Dims) -> VampPrior:
        if dims.inference is None:
            raise ValueError("prior: vamp is made of posteriors, but there is no encoder; give one")
        return VampPrior(self.components, dims.inference)


class VampPrior(nn.Module):
    """p(z) = mean over c of q(z | pseudo-row c). `pseudo` [C, W]."""

    def __init__(self, components: int, inference: Inference) -> None:
        super().__init__()
        self.inference = inference
        self.pseudo = nn.Parameter(
            torch.randn(components, inference.encoder.embedding.out_features)
        )

    def rate(self, posterior: Posterior) -> Tensor:
        """log q(z | x) - log p(z) of the one draw, [B, Z] nats: its mean over draws is the KL
        divergence, a single one may be negative. By the chain rule a unit's rate is that given the
        units before it, so that free bits hold each unit."""
        joint = self._each(posterior.z).cumsum(dim=2)
        seen = torch.logsumexp(joint, dim=1) - math.log(len(self.pseudo))  # log p(z_1 .. z_d)
        return posterior.log_density() - torch.diff(
            seen, dim=1, prepend=seen.new_zeros(len(seen), 1)
        )

    def log_density(self, z: Tensor) -> Tensor:
        return torch.logsumexp(self._each(z).sum(dim=2), dim=1) - math.log(len(self.pseudo))

    def sample(self, noise: Noise) -> Tensor:
        centres, components = self._centres(), len(self.pseudo)
        chosen = (noise.choice[:, 0] * components).long().clamp(max=components - 1)
        return centres.mean[chosen] + torch.exp(0.5 * centres.log_var[chosen]) * noise.latent

    def fit(self, z: Tensor, seed: int) -> None:
        """It stays what training made of it."""

    def _centres(self) -> Posterior:
        """q(z | pseudo-row), [C, Z]."""
        return self.inference.centre(self.pseudo)

    def _each(self, z: Tensor) -> Tensor:
        """log q(z_d | pseudo-row c) [B, C, Z]."""
        centres = self._centres()
        white = (z[:, None] - centres.mean) * torch.exp(-0.5 * centres.log_var)
        return -0.5 * (white**2 + centres.log_var + math.log(2 * math.pi))
