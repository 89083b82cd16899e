"""A linear map whose outputs see only inputs of a lower degree, without the work of the rest.

Inputs and outputs are sorted by degree, so an output sees a prefix of the inputs. Outputs of like
degree are gathered into a few segments; each is a product with the longest prefix that one of its
outputs sees, which spares three eighths of the work and of the weights at four segments. What
remains beyond an output's own prefix stays at zero: it starts there, and its gradient is zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

SEGMENTS = 4


@dataclass(frozen=True)
class Segment:
    """Outputs from `start` to `stop` see at most the first `seen` inputs."""

    start: int
    stop: int
    seen: int

    @property
    def outputs(self) -> slice:
        return slice(self.start, self.stop)


class TriangularLinear(nn.Module):
    """[B, inputs] -> [B, outputs]. `sees` [outputs]: how many of the first inputs each output
    sees, never falling."""

    def __init__(self, inputs: int, sees: Sequence[int]) -> None:
        super().__init__()
        self.inputs, self.sees, self.segments = inputs, tuple(sees), _segments(sees)
        self.weights = nn.ParameterList()
        for i, segment in enumerate(self.segments):
            bound = torch.tensor(sees[segment.outputs])
            mask = (torch.arange(segment.seen)[None] < bound[:, None]).float()
            weight = torch.empty(len(bound), segment.seen).uniform_(-1, 1)
            self.weights.append(weight * mask / bound.clamp(min=1).sqrt()[:, None])
            self.register_buffer(f"mask{i}", mask, persistent=False)
        self.bias = nn.Parameter(torch.zeros(len(sees)))

    @property
    def masks(self) -> list[Tensor]:
        """Of each segment's weights, 1 for those that are in use."""
        return [self.get_buffer(f"mask{i}") for i in range(len(self.segments))]

    def forward(self, x: Tensor) -> Tensor:
        arguments = (x, self.bias, self.segments, self.masks, *self.weights)
        out: Tensor = _Product.apply(*arguments)  # type: ignore[no-untyped-call]
        return out

    @torch.no_grad()
    def dense(self) -> Tensor:
        """The weights as one matrix [outputs, inputs]."""
        whole = self.bias.new_zeros(len(self.bias), self.inputs)
        for segment, weight in zip(self.segments, self.weights, strict=True):
            whole[segment.outputs, : segment.seen] = weight
        return whole


class Stepwise:
    """The outputs y [1 + outputs, n] of `layer`, group after group, of inputs x [1 + inputs, n]
    that are being written. The first row of x and of y is 1: what a bias is multiplied with, so
    that it costs no pass over y of its own.

    Rows stand side by side, so that a group of inputs or outputs is one piece of memory. When a
    segment begins, what its outputs take from the inputs that are there by then is one wide
    product; a group then adds what was written since.
    """

    def __init__(self, layer: TriangularLinear, x: Tensor) -> None:
        self.layer, self.x = layer, x
        self.weights = [
            torch.cat([layer.bias[segment.outputs, None], weight], dim=1)
            for segment, weight in zip(layer.segments, layer.weights, strict=True)
        ]
        self.y = with_ones(len(layer.bias), x.shape[1])
        self.at = -1

    def outputs(self, own: slice) -> Tensor:
        """The outputs `own`, which all see as much: [own, n], a part of y."""
        layer = self.layer
        seen = layer.sees[own.start]
        if self.at < 0 or own.start >= layer.segments[self.at].stop:
            self.at += 1
            self._begin(seen)
        segment, weight = layer.segments[self.at], self.weights[self.at]
        y, before = self.y[1 + own.start : 1 + own.stop], layer.sees[segment.start]
        if seen == before:
            return y
        local = slice(own.start - segment.start, own.stop - segment.start)
        since = slice(1 + before, 1 + seen)
        return y.addmm_(weight[local, since], self.x[since])

    def _begin(self, seen: int) -> None:
        segment, weight = self.layer.segments[self.at], self.weights[self.at]
        y = self.y[1 + segment.start : 1 + segment.stop]
        torch.mm(weight[:, : 1 + seen], self.x[: 1 + seen], out=y)


def with_ones(features: int, rows: int) -> Tensor:
    """[1 + features, rows], of which the first is 1 and the others are still to be written."""
    x = torch.empty(1 + features, rows)
    x[0] = 1.0
    return x


class _Product(torch.autograd.Function):
    """x W^T + b, segment by segment."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        bias: Tensor,
        segments: Sequence[Segment],
        masks: Sequence[Tensor],
        *weights: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(x, *weights)
        ctx.segments, ctx.masks = segments, masks
        out = x.new_empty(len(x), len(bias))
        for segment, weight in zip(segments, weights, strict=True):
            prefix, own = x[:, : segment.seen], segment.outputs
            torch.addmm(bias[own], prefix, weight.T, out=out[:, own])
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, *weights = ctx.saved_tensors
        to_x = torch.zeros_like(x)
        for segment, weight in zip(ctx.segments, weights, strict=True):
            to_x[:, : segment.seen].addmm_(gradient[:, segment.outputs], weight)
        if not ctx.needs_input_grad[1]:  # the weights stand still
            return to_x, None, None, None, *(None for _ in weights)
        to_weights = [
            (gradient[:, segment.outputs].T @ x[:, : segment.seen]).mul_(mask)
            for segment, mask in zip(ctx.segments, ctx.masks, strict=True)
        ]
        return to_x, gradient.sum(dim=0), None, None, *to_weights


def _segments(sees: Sequence[int]) -> tuple[Segment, ...]:
    """Cut where the inputs seen change, nearest to equal shares of the outputs."""
    changes = [i for i in range(1, len(sees)) if sees[i] != sees[i - 1]]
    cuts = {0, len(sees)}
    for share in range(1, SEGMENTS):
        wanted = math.ceil(share * len(sees) / SEGMENTS)
        cuts |= {min(changes, key=lambda change: abs(change - wanted))} if changes else set()
    ends = sorted(cuts)
    return tuple(Segment(start, stop, sees[stop - 1]) for start, stop in pairwise(ends))
