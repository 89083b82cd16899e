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
_WORK = 2 * 10**8  # draws x components x Z^2 that a step looks at, at most
_FEWEST = 20_000  # but as many draws, if there are...
_HELD = 3 * 10**7  # ... and their terms are no more values than that
_CHUNK = 2048  # rows whose terms stay in the cache


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
        order = torch.argsort(chosen, stable=True)  # a component's draws side by side
        counts = torch.bincount(chosen, minlength=len(share)).tolist()
        parts = torch.split(noise.latent[order], counts)
        off = [part @ factor.T for part, factor in zip(parts, self.factor, strict=True)]
        return self.mean[chosen].index_add_(0, order, torch.cat(off))

    @torch.no_grad()
    def fit(self, z: Tensor, seed: int) -> None:
        """EM from random draws z [N, Z]. Cost: steps x draws x components x Z^2; memory: draws x
        Z^2 / 2, at most 120 MB."""
        generator = torch.Generator().manual_seed(seed)
        z = z[torch.randperm(len(z), generator=generator)[: self._most(z.shape[1])]]
        middle = z.mean(dim=0)
        z = z - middle  # squares of what is far off lose the digits that count
        components, size = self.mean.shape
        spread = torch.diag(z.var(dim=0, unbiased=False).clamp(min=_JITTER)).double()
        log_weight = self.log_weight.double()
        mean = z[torch.arange(components) % len(z)].double()
        terms = _terms(z)
        covariance = spread.expand(components, size, size)
        for _ in range(_STEPS):
            mass, first, second = _moments(terms, log_weight, mean, covariance)
            heavier = mass + 1.0
            log_weight = torch.log(heavier / heavier.sum())
            mean = first / heavier[:, None]
            crossed = mean[:, :, None] * first[:, None]
            own = mass[:, None, None] * mean[:, :, None] * mean[:, None]
            around = second - crossed - crossed.transpose(1, 2) + own
            covariance = (around + spread) / heavier[:, None, None] + _JITTER * torch.eye(size)
        self.log_weight.copy_(log_weight)
        self.mean.copy_(mean + middle)
        self.factor.copy_(torch.linalg.cholesky(covariance))

    def _most(self, size: int) -> int:
        """Draws that are looked at."""
        often = max(_WORK // (len(self.mean) * size**2), _FEWEST)
        return min(often, _HELD // (size * (size + 1) // 2 + size + 1))

    def _joint(self, z: Tensor) -> Tensor:
        """log p(component, z) [N, C]."""
        off = (z[None] - self.mean[:, None]).transpose(1, 2)  # [C, Z, N]
        white = torch.linalg.solve_triangular(self.factor, off, upper=False)
        volume = torch.diagonal(self.factor, dim1=1, dim2=2).log().sum(dim=1)
        constant = 0.5 * z.shape[1] * math.log(2 * math.pi)
        joint: Tensor = -0.5 * (white**2).sum(dim=1) - (volume + constant)[:, None]
        return joint.T + self.log_weight


def _terms(z: Tensor) -> Tensor:
    """z [N, Z] -> products of two units, the units, and 1 [N, pairs + Z + 1]."""
    first, second = torch.triu_indices(z.shape[1], z.shape[1])
    pairs = len(first)
    terms = z.new_ones(len(z), pairs + z.shape[1] + 1)
    for part, of_it in zip(torch.split(terms, _CHUNK), torch.split(z, _CHUNK), strict=True):
        products = of_it.index_select(1, first) * of_it.index_select(1, second)
        part[:, :pairs], part[:, pairs:-1] = products, of_it
    return terms


def _moments(
    terms: Tensor, log_weight: Tensor, mean: Tensor, covariance: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of each component its mass [C], and sums of z [C, Z] and of z z' [C, Z, Z] over its share of
    the draws, whose `terms` are given.

    log p(component, z) is linear in them, and the sums are over them: two matrix products do it.
    """
    components, size = mean.shape
    pairs = torch.triu_indices(size, size)
    weights = _weights(log_weight, mean, covariance, pairs).float()
    sums = weights.new_zeros(weights.shape, dtype=torch.double)
    for part in torch.split(terms, _CHUNK):
        share = torch.softmax(part @ weights.T, dim=1)
        sums += share.T @ part
    second = torch.empty(components, size, size, dtype=torch.double)
    second[:, pairs[0], pairs[1]] = second[:, pairs[1], pairs[0]] = sums[:, : -size - 1]
    return sums[:, -1], sums[:, -size - 1 : -1], second


def _weights(log_weight: Tensor, mean: Tensor, covariance: Tensor, pairs: Tensor) -> Tensor:
    """[C, pairs + Z + 1]: what times the terms is log p(component, z), up to a constant."""
    factor = torch.linalg.cholesky(covariance)
    precision = torch.cholesky_inverse(factor)
    often = torch.where(pairs[0] == pairs[1], 0.5, 1.0)
    pull = (precision @ mean[:, :, None])[:, :, 0]
    volume = torch.diagonal(factor, dim1=1, dim2=2).log().sum(dim=1)
    constant = log_weight - volume - 0.5 * (pull * mean).sum(dim=1)
    return torch.cat([-often * precision[:, pairs[0], pairs[1]], pull, constant[:, None]], dim=1)
