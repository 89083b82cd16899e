"""Likelihoods of scalar blocks, given the decoder's outputs: nats and sampler in one class.

Shapes: outputs [B, S, width] for S scalar blocks, values [B, S]; NaN: not present.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import torch
from torch import Tensor, nn

from synthvae.model.checks import positive
from synthvae.model.truncated import Mixture

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
SCALE = (0.01, 1.0)  # bounds of a standard deviation, as in Xu et al. 2019
_SCALE_START = 0.1
LOG_SCALE = (-6.0, 3.0)  # beyond these a component is a spike, or flat over the whole scale
_SPREAD = 1.5


class Scalars(Protocol):
    """`width` outputs a scalar block; `start` [width] is what training begins with. `ends`: what is
    drawn beyond them counts as them."""

    width: int
    ends: tuple[float, float] | None

    def nats(self, outputs: Tensor, values: Tensor) -> Tensor:
        """[B, S]; 0 where a value is not present. A density: nats may be negative."""
        ...

    def draw(self, outputs: Tensor, blocks: slice, uniform: Tensor, normal: Tensor) -> Tensor:
        """Values [n, s] of the scalar blocks `blocks`, from their outputs [n, s, width]."""
        ...

    def mean(self, outputs: Tensor) -> Tensor:
        """[B, S]: the mean of what is drawn."""
        ...

    def mixture(self, outputs: Tensor, block: int) -> Mixture:
        """What is drawn from for the scalar block `block`, from its outputs [n, width]."""
        ...

    def start(self) -> Tensor: ...


@dataclass(frozen=True)
class GaussianSpec:
    """No fields: there is nothing to choose."""

    kind: Literal["gaussian"] = "gaussian"
    private: ClassVar[bool | str] = True

    def build(self, scalars: int) -> Gaussian:
        return Gaussian(scalars)


class Gaussian(nn.Module):
    """A Gaussian around tanh of the output, one learned standard deviation a block (as in Xu et
    al. 2019). For values in [-1, 1]."""

    width = 1
    ends: tuple[float, float] | None = (-1.0, 1.0)

    def __init__(self, scalars: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((scalars,), math.log(_SCALE_START)))

    def forward(self, outputs: Tensor) -> Tensor:
        """The log of each block's deviation, [S] whatever the outputs, before it is bounded."""
        return self.weight

    def _log_scale(self, outputs: Tensor) -> Tensor:
        log_scale: Tensor = self(outputs)
        return log_scale.clamp(math.log(SCALE[0]), math.log(SCALE[1]))

    def nats(self, outputs: Tensor, values: Tensor) -> Tensor:
        log_scale = self._log_scale(outputs)
        mean = torch.tanh(outputs[:, :, 0])
        off = (torch.nan_to_num(values) - mean) * torch.exp(-log_scale)
        nats: Tensor = (0.5 * off**2 + log_scale + _LOG_SQRT_2PI) * ~torch.isnan(values)
        return nats

    def draw(self, outputs: Tensor, blocks: slice, uniform: Tensor, normal: Tensor) -> Tensor:
        spread = torch.exp(self._log_scale(outputs)[blocks]) * normal
        return (torch.tanh(outputs[:, :, 0]) + spread).clamp(-1, 1)

    def mixture(self, outputs: Tensor, block: int) -> Mixture:
        scale = torch.exp(self._log_scale(outputs)[block]).expand_as(outputs)
        return Mixture(torch.zeros_like(outputs), torch.tanh(outputs), scale)

    def mean(self, outputs: Tensor) -> Tensor:
        return torch.tanh(outputs[:, :, 0])

    def start(self) -> Tensor:
        return torch.zeros(1)


@dataclass(frozen=True)
class MixtureSpec:
    """`components`: Gaussians a block."""

    kind: Literal["mixture"] = "mixture"
    private: ClassVar[bool | str] = True
    components: int = 8

    def __post_init__(self) -> None:
        positive(components=self.components)

    def build(self, scalars: int) -> GaussianMixture:
        return GaussianMixture(self.components)


class GaussianMixture(nn.Module):
    """A mixture of Gaussians whose weights, means and standard deviations are outputs (Bishop
    1994). For values on a scale where the column is about standard normal."""

    ends: tuple[float, float] | None = None

    def __init__(self, components: int) -> None:
        super().__init__()
        self.width = 3 * components

    def nats(self, outputs: Tensor, values: Tensor) -> Tensor:
        present = ~torch.isnan(values)
        weight, mean, log_scale = outputs.chunk(3, dim=2)  # [B, S, components]
        log_scale = log_scale.clamp(*LOG_SCALE)
        off = (torch.nan_to_num(values)[:, :, None] - mean) * torch.exp(-log_scale)
        joint = torch.log_softmax(weight, dim=2) - log_scale - 0.5 * off**2
        nats: Tensor = (_LOG_SQRT_2PI - torch.logsumexp(joint, dim=2)) * present
        return nats

    def draw(self, outputs: Tensor, blocks: slice, uniform: Tensor, normal: Tensor) -> Tensor:
        weight, mean, log_scale = outputs.chunk(3, dim=2)
        share = torch.softmax(weight, dim=2).cumsum(dim=2)
        last = share.shape[2] - 1
        chosen = (share < uniform[:, :, None]).sum(dim=2, keepdim=True).clamp(max=last)
        scale = torch.exp(log_scale.gather(2, chosen)[:, :, 0].clamp(*LOG_SCALE))
        return mean.gather(2, chosen)[:, :, 0] + scale * normal

    def mixture(self, outputs: Tensor, block: int) -> Mixture:
        weight, mean, log_scale = outputs.chunk(3, dim=1)
        return Mixture(weight, mean, torch.exp(log_scale.clamp(*LOG_SCALE)))

    def mean(self, outputs: Tensor) -> Tensor:
        weight, mean, _ = outputs.chunk(3, dim=2)
        return (torch.softmax(weight, dim=2) * mean).sum(dim=2)

    def start(self) -> Tensor:
        """Components of equal weight, side by side over the scale."""
        ones = torch.ones(self.width // 3)
        means = torch.linspace(-_SPREAD, _SPREAD, len(ones)) if len(ones) > 1 else 0 * ones
        return torch.cat([0 * ones, means, math.log(_SPREAD / len(ones) ** 0.5) * ones])
