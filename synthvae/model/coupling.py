"""A normalizing flow of affine couplings (RealNVP, Dinh et al. 2017)."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

_STEEPEST = 2.0  # log of the most that one coupling stretches or squeezes
_JITTER = 1e-4


class Coupling(nn.Module):
    """Units under the mask stay; the others are stretched and moved by amounts that follow from
    those that stay, so both directions are one pass. Shape: [N, Z] -> [N, Z]."""

    stays: Tensor

    def __init__(self, stays: Tensor, hidden: int) -> None:
        super().__init__()
        self.register_buffer("stays", stays.float(), persistent=False)
        size = len(stays)
        self.inner = nn.Linear(size, hidden)
        self.layer = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 2 * size)

    def start(self, generator: torch.Generator) -> None:
        """Begin with a map that changes nothing."""
        for linear in (self.inner, self.layer):
            linear.weight.normal_(0, linear.in_features**-0.5, generator=generator)
            linear.bias.zero_()
        self.out.weight.zero_()
        self.out.bias.zero_()

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The image [N, Z], and the log determinant [N] of the map at z."""
        stretch, shift = self._amounts(z)
        return z * torch.exp(stretch) + shift, stretch.sum(dim=1)

    def inverse(self, image: Tensor) -> Tensor:
        stretch, shift = self._amounts(image)
        return (image - shift) * torch.exp(-stretch)

    def _amounts(self, z: Tensor) -> tuple[Tensor, Tensor]:
        h = nn.functional.silu(self.inner(z * self.stays))
        h = nn.functional.silu(self.layer(h))
        stretch, shift = self.out(h).chunk(2, dim=1)
        moves = 1 - self.stays
        return _STEEPEST * torch.tanh(stretch / _STEEPEST) * moves, shift * moves


class CouplingFlow(nn.Module):
    """An invertible map of z to a standard normal variable, [N, Z] -> [N, Z]. Before `start` it
    changes nothing."""

    centre: Tensor
    spread: Tensor

    def __init__(self, size: int, layers: int, hidden: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        self.couplings = nn.ModuleList(Coupling(mask, hidden) for mask in _masks(size, layers))
        self.start(None, torch.Generator().manual_seed(0))

    @torch.no_grad()
    def start(self, z: Tensor | None, generator: torch.Generator) -> None:
        """Begin anew with the independent normal distributions of draws z [N, Z]."""
        if z is not None:
            self.centre.copy_(z.mean(dim=0))
            self.spread.copy_(z.var(dim=0, unbiased=False).clamp(min=_JITTER).sqrt())
        for coupling in self._couplings():
            coupling.start(generator)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The image [N, Z], and the log determinant [N] of the map at z."""
        image = (z - self.centre) / self.spread
        volume = -self.spread.log().sum().expand(len(z))
        for coupling in self._couplings():
            image, own = coupling(image)
            volume = volume + own
        return image, volume

    def inverse(self, image: Tensor) -> Tensor:
        for coupling in reversed(self._couplings()):
            image = coupling.inverse(image)
        return image * self.spread + self.centre

    def log_density(self, z: Tensor) -> Tensor:
        """[N, Z] -> [N] nats."""
        image, volume = self.forward(z)
        return volume - 0.5 * (image**2 + math.log(2 * math.pi)).sum(dim=1)

    def _couplings(self) -> list[Coupling]:
        return cast("list[Coupling]", list(self.couplings))


def _masks(size: int, layers: int) -> list[Tensor]:
    """Which units stay in each layer. Pairs of layers split the units by one binary digit of their
    positions, so that any two units are on different sides once in a while."""
    digits = max((size - 1).bit_length(), 1)
    position = torch.arange(size)
    return [(position >> (i // 2 % digits)) % 2 == i % 2 for i in range(layers)]
