"""A Gaussian mixture, fitted to the aggregate posterior after training.

While the model is trained the prior is standard normal. What the posterior of all rows makes of
it, the aggregate posterior, is not: sampling from a mixture that follows it closes that gap
(Tomczak & Welling 2018 on why it matters).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synthvae.model.checks import positive
from synthvae.model.parts import Dims
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.values import Noise

_STEPS = 30
_JITTER = 1e-4
_ROWS = 20_000  # draws that the mixture is fitted to, at most


@dataclass(frozen=True)
class GmmSpec:
    """`components`: Gaussians with covariances of their own."""

    kind: Literal["gmm"] = "gmm"
    private: ClassVar[bool | str] = True
    components: int = 32

    def __post_init__(self) -> None:
        positive(components=self.components)

    @property
    def speaks(self) -> str:
        return "points"

    def build(self, dims: Dims) -> GmmPrior:
        return GmmPrior(self.components, dims.latent)


class GmmPrior(NormalPrior):
    """Components [C]: `log_weight` [C], `mean` [C, Z], `factor` [C, Z, Z] (lower Cholesky)."""

    log_weight: Tensor
    mean: Tensor
    factor: Tensor

    def __init__(self, components: int, size: int) -> None:
        super().__init__()
        self.register_buffer("log_weight", torch.full((components,), -math.log(components)))
        self.register_buffer("mean", torch.zeros(components, size))
        self.register_buffer("factor", torch.eye(size).repeat(components, 1, 1))

    def log_density(self, z: Tensor) -> Tensor:
        return torch.logsumexp(self._joint(z), dim=1)

    def sample(self, noise: Noise) -> Tensor:
        share = torch.exp(self.log_weight).cumsum(0)
        chosen = torch.searchsorted(share, noise.choice[:, 0].contiguous()).clamp(
            max=len(share) - 1
        )
        z = self.mean[chosen]
        for component, factor in enumerate(self.factor):
            of_it = chosen == component
            z[of_it] += noise.latent[of_it] @ factor.T
        return z

    @torch.no_grad()
    def fit(self, z: Tensor, seed: int) -> None:
        """EM from random rows. Cost: steps x rows x components x Z^2."""
        generator = torch.Generator().manual_seed(seed)
        z = z[torch.randperm(len(z), generator=generator)[:_ROWS]]
        components, size = self.mean.shape
        self.mean.copy_(z[torch.arange(components) % len(z)])
        spread = z.var(dim=0, unbiased=False).clamp(min=_JITTER).sqrt()
        self.factor.copy_(torch.diag(spread).expand(components, size, size))
        for _ in range(_STEPS):
            share = torch.softmax(self._joint(z), dim=1)  # [N, C]
            mass = share.sum(dim=0) + 1.0
            self.log_weight.copy_(torch.log(mass / mass.sum()))
            self.mean.copy_((share.T @ z) / mass[:, None])
            off = z[None] - self.mean[:, None]  # [C, N, Z]
            covariance = (off * share.T[:, :, None]).transpose(1, 2) @ off / mass[:, None, None]
            covariance += torch.diag(spread**2) / mass[:, None, None] + _JITTER * torch.eye(size)
            self.factor.copy_(torch.linalg.cholesky(covariance))

    def _joint(self, z: Tensor) -> Tensor:
        """log p(component, z) [N, C]."""
        off = (z[None] - self.mean[:, None]).transpose(1, 2)  # [C, Z, N]
        white = torch.linalg.solve_triangular(self.factor, off, upper=False)
        volume = torch.diagonal(self.factor, dim1=1, dim2=2).log().sum(dim=1)
        constant = 0.5 * z.shape[1] * math.log(2 * math.pi)
        joint: Tensor = -0.5 * (white**2).sum(dim=1) - (volume + constant)[:, None]
        return joint.T + self.log_weight
