"""Mixtures of Gaussians within intervals: how much of them lies there, and draws from that part.

Shapes: `weight` (log shares), `mean`, `scale` [n, C]; intervals [n, k, 2] or [k, 2], closed, empty
ones from infinity to minus infinity. In double precision, since intervals lie in tails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_TINY = 1e-300
_MOST = 1.0 - 1e-16
_AT_ONCE = 1 << 18  # of rows x components x intervals
_SQRT_HALF = math.sqrt(0.5)


@dataclass(frozen=True)
class Mixture:
    """Of n rows."""

    weight: Tensor
    mean: Tensor
    scale: Tensor

    def mass(self, intervals: Tensor) -> Tensor:
        """The log of what lies within, [n]."""
        masses = [
            torch.log(some._parts(own)[0].sum(dim=(1, 2)).clamp(min=_TINY))
            for some, own in self._pieces(intervals)
        ]
        return torch.cat(masses)

    def draw(self, intervals: Tensor, choice: Tensor, level: Tensor) -> Tensor:
        """A value within a row [n]: uniform `choice` [n] takes a component and an interval, uniform
        `level` [n] a place there."""
        pieces = list(self._pieces(intervals))
        sizes = [len(some.mean) for some, _ in pieces]
        uniform = zip(torch.split(choice, sizes), torch.split(level, sizes), strict=True)
        drawn = [some._draw(own, *u) for (some, own), u in zip(pieces, uniform, strict=True)]
        return torch.cat(drawn)

    def _pieces(self, intervals: Tensor) -> Iterator[tuple[Mixture, Tensor]]:
        """A few rows at a time, so that memory does not grow with the number of intervals."""
        n, components = self.mean.shape
        rows = max(_AT_ONCE // (components * max(intervals.shape[-2], 1)), 1)
        own = intervals.expand(n, -1, 2)
        parts = (torch.split(part, rows) for part in (self.weight, self.mean, self.scale, own))
        for weight, mean, scale, some in zip(*parts, strict=True):
            yield Mixture(weight, mean, scale), some

    def _draw(self, intervals: Tensor, choice: Tensor, level: Tensor) -> Tensor:
        parts, low, high, flipped = self._parts(intervals)
        n, components, k = parts.shape
        cumulative = parts.reshape(n, -1).cumsum(dim=1)
        at = choice[:, None].double() * cumulative[:, -1:]
        chosen = torch.searchsorted(cumulative, at, right=True).clamp(max=components * k - 1)
        a, b, sign = (part.reshape(n, -1).gather(1, chosen)[:, 0] for part in (low, high, flipped))
        white = sign * torch.special.ndtri((a + (b - a) * level.double()).clamp(_TINY, _MOST))
        own = chosen // k
        value = (
            self.mean.double().gather(1, own) + self.scale.double().gather(1, own) * white[:, None]
        )
        ends = intervals.reshape(n, -1)
        inside = (chosen % k) * 2
        low_end, high_end = ends.gather(1, inside), ends.gather(1, inside + 1)
        return torch.minimum(torch.maximum(value, low_end), high_end)[:, 0]

    def _parts(self, intervals: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """[n, C, k]: shares of the mixture; cumulative shares of the component at both ends; and -1
        where they are counted from above, which keeps them exact in the upper tail."""
        ends = intervals.expand(len(self.mean), -1, 2)[:, None]  # [n, 1, k, 2]
        white = (ends - self.mean.double()[:, :, None, None]) / self.scale.double()[
            :, :, None, None
        ]
        low, high = white.unbind(dim=3)
        flipped = torch.where(low > 0, -1.0, 1.0).double()
        a = _below(torch.where(low > 0, -high, low))
        b = _below(torch.where(low > 0, -low, high))
        share = torch.softmax(self.weight.double(), dim=1)[:, :, None]
        return share * (b - a).clamp(min=0), a, b, flipped


def _below(white: Tensor) -> Tensor:
    """The normal distribution function. torch's own has no digits left below -8."""
    return 0.5 * torch.erfc(white * -_SQRT_HALF)
