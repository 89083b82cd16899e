"""A linear map whose outputs see only inputs of a lower degree, without the work of the rest.

Inputs and outputs are sorted by degree, so an output sees a prefix of the inputs. Outputs are cut
into a few segments; each is a product with the longest prefix that one of its outputs sees, which
spares three eighths of the work at four segments. What remains beyond an output's own prefix stays
at zero: it starts there, and its gradient is zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

SEGMENTS = 4

Segments = tuple[tuple[int, int, int], ...]


class TriangularLinear(nn.Module):
    """[B, inputs] -> [B, outputs]. `sees` [outputs]: how many of the first inputs each output
    sees, never falling."""

    mask: Tensor

    def __init__(self, inputs: int, sees: Sequence[int]) -> None:
        super().__init__()
        bound = torch.tensor(sees)
        mask = (torch.arange(inputs)[None] < bound[:, None]).float()
        self.sees, self.segments = tuple(sees), _segments(sees)
        self.weight = nn.Parameter(torch.empty(len(sees), inputs).uniform_(-1, 1))
        with torch.no_grad():
            self.weight.mul_(mask / bound.clamp(min=1).sqrt()[:, None])
        self.bias = nn.Parameter(torch.zeros(len(sees)))
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        arguments = (x, self.weight, self.bias, self.mask, self.segments)
        out: Tensor = _Product.apply(*arguments)  # type: ignore[no-untyped-call]
        return out

    def part(self, own: slice, x: Tensor) -> Tensor:
        """The outputs `own`, which all see as much, of x [n, inputs] whose further inputs may not
        be there yet."""
        seen = self.sees[own.start]
        return torch.addmm(self.bias[own], x[:, :seen], self.weight[own, :seen].T)


class _Product(torch.autograd.Function):
    """x W^T + b, segment by segment."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mask: Tensor, segments: Segments
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mask)
        ctx.segments = segments
        out = x.new_empty(len(x), len(weight))
        for start, stop, seen in segments:
            prefix, transposed = x[:, :seen], weight[start:stop, :seen].T
            torch.addmm(bias[start:stop], prefix, transposed, out=out[:, start:stop])
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        (gradient,) = gradients
        x, weight, mask = ctx.saved_tensors
        to_x, to_weight = torch.zeros_like(x), torch.zeros_like(weight)
        for start, stop, seen in ctx.segments:
            part = gradient[:, start:stop]
            to_x[:, :seen].addmm_(part, weight[start:stop, :seen])
            torch.mm(part.T, x[:, :seen], out=to_weight[start:stop, :seen])
        return to_x, to_weight.mul_(mask), gradient.sum(dim=0), None, None


def _segments(sees: Sequence[int]) -> Segments:
    """(first output, last output + 1, inputs seen) of each segment."""
    size = max(math.ceil(len(sees) / SEGMENTS), 1)
    starts = range(0, len(sees), size)
    return tuple((a, min(a + size, len(sees)), sees[min(a + size, len(sees)) - 1]) for a in starts)
