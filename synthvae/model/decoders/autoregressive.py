"""Blocks written one after the other, each given the latent and all blocks before it.

A residual network whose hidden units come in groups, one a block: a group sees the features of
earlier blocks and the hidden units of its own and earlier groups (Germain et al. 2015, with the
masks sorted so that they are triangular), and a block's outputs read its own group alone. Training
takes one pass; sampling computes every hidden unit once a row as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.model.checks import positive, share
from synthvae.model.draft import Draft
from synthvae.model.features import RowFeatures
from synthvae.model.guided import Guided, limited
from synthvae.model.heads import Heads, draw_codes
from synthvae.model.limits import Guidance, Limits, Survivors
from synthvae.model.nets import RowEmbedding
from synthvae.model.order import steps_of
from synthvae.model.parts import Dims
from synthvae.model.triangular import TriangularLinear
from synthvae.model.values import Dropout, Held, Noise, Rows, in_chunks

UNITS = 768  # hidden units of a layer, at most
MOST_UNITS = 32  # hidden units a block, unless set
FEATURES = 2048  # class features and number features, at most each
_START = 0.1
_CHUNK = 4096  # rows that are drawn at once


@dataclass(frozen=True)
class AutoregressiveSpec:
    """`units`: hidden units a block (None: by rule from the number of rows, see `model.size`),
    `embedding` dimensions a class, `soft` steps a number, all three fewer in wide tables; `layers`:
    residual layers; `dropout` of the classes of earlier blocks and `number_dropout` of their
    numbers (more by rule: `training.plan`)."""

    kind: Literal["autoregressive"] = "autoregressive"
    private: ClassVar[bool | str] = True
    units: int | None = None
    embedding: int = 16
    soft: int = 32
    layers: int = 2
    dropout: float = 0.1
    number_dropout: float = 0.0

    def __post_init__(self) -> None:
        positive(units=self.units, embedding=self.embedding, soft=self.soft, layers=self.layers)
        share(dropout=self.dropout, number_dropout=self.number_dropout)

    def build(self, dims: Dims) -> AutoregressiveDecoder:
        return AutoregressiveDecoder(dims, self)


class AutoregressiveDecoder(nn.Module):
    """z [B, Z], rows [B] (modelled), given Rows [B] -> outputs [B, O]."""

    def __init__(self, dims: Dims, spec: AutoregressiveSpec) -> None:
        super().__init__()
        layout, given = dims.modelled.layout, dims.given.layout
        self.steps = steps_of(layout)
        blocks = max(len(self.steps), 1)
        units = self.units = min(spec.units or MOST_UNITS, max(UNITS // blocks, 4))
        embedding, soft = (
            min(width, max(FEATURES // blocks, 4)) for width in (spec.embedding, spec.soft)
        )
        self.features = RowFeatures(
            self.steps, embedding, soft, (spec.dropout, spec.number_dropout)
        )
        hidden = units * len(self.steps)
        self.given = RowEmbedding(given, hidden) if given.blocks and hidden else None
        seen = [dims.latent + before for before in self.features.before]
        self.inner = TriangularLinear(dims.latent + self.features.width, _per_unit(seen, units))
        own = _per_unit([units * (i + 1) for i in range(len(self.steps))], units)
        self.layers = nn.ModuleList(TriangularLinear(hidden, own) for _ in range(spec.layers))
        self.out = BlockOutputs(self._groups(dims.heads), units)

    def _groups(self, heads: Heads) -> list[tuple[list[int], int]]:
        """Of each span of outputs: the steps whose blocks it holds, and outputs a block."""
        where = {(step.kind, step.at): i for i, step in enumerate(self.steps)}
        groups = [([where["categorical", b] for b in g.blocks], g.size) for g in heads.groups]
        scalars = [where["scalar", i] for i in range(heads.n_scalars)]
        return [*groups, (scalars, heads.scalars.width)]

    def forward(self, z: Tensor, rows: Rows, given: Rows, dropout: Dropout | None = None) -> Tensor:
        h = self.inner(torch.cat([z, self.features(rows, dropout)], dim=1))
        if self.given is not None:
            h = h + self.given(given)
        h = nn.functional.silu(h)
        for layer in self.layers:
            h = h + nn.functional.silu(layer(h))
        outputs: Tensor = self.out(h.view(len(h), -1, self.units))
        return outputs

    def droppable(self, share: float) -> int:
        """The features of a row of which less than `share` is dropped; 0 if none is of any."""
        features = self.features
        if not any(features.dropped):
            return 0
        own = zip(features.widths, features.dropped, strict=True)
        return sum(width for width, dropped in own if dropped < share)

    def start_at(self, outputs: Tensor) -> None:
        """Begin with outputs [O] that depend on nothing."""
        self.out.start_at(outputs)

    @torch.no_grad()
    def shift(self, outputs: Tensor) -> None:
        """Add outputs [O] to those of every row."""
        self.out.bias.add_(outputs)

    @torch.no_grad()
    def sample(
        self, z: Tensor, given: Rows, noise: Noise, heads: Heads, held: Held | None = None
    ) -> Rows:
        """z [n, Z], given Rows [n] -> Rows [n]."""
        draw = partial(self._sample, heads=heads)
        return in_chunks(draw, _CHUNK, z, given, noise, held)

    @torch.no_grad()
    def within(self, z: Tensor, given: Rows, noise: Noise, task: Guidance) -> Survivors:
        """z [n, Z], given Rows [n] -> those of n rows that pass the gates of `task`."""
        guided = Guided(self, task)
        return guided.draw(z, None if self.given is None else self.given(given), noise)

    def gates(self, limits: Limits) -> int:
        """One after every limited block."""
        return len(limited(self.steps, limits))

    def steerable(self, limits: Limits) -> Tensor | None:
        """Classes of blocks that are written before the last limited one."""
        early = self.steps[: max(limited(self.steps, limits), default=0)]
        chosen = [
            i
            for i, step in enumerate(early)
            if step.kind == "categorical" and step.at not in limits.set_codes
        ]
        mask = torch.zeros_like(self.out.bias)
        for i in chosen:
            mask[self.out.span(i)] = 1.0
        return mask if chosen else None

    def _sample(
        self, z: Tensor, given: Rows, noise: Noise, held: Held | None, heads: Heads
    ) -> Rows:
        draft = Draft(self, z, None if self.given is None else self.given(given))
        for i, step in enumerate(self.steps):
            outputs = self.out.of_step(i, draft.hidden(i))[:, None]
            if held is not None:
                outputs = outputs + held.never[self.out.span(i)]
            if step.kind == "categorical":
                uniform = noise.uniform[:, step.at, None]
                drawn = draw_codes(outputs[:, :, : step.size], uniform)[:, 0]
                drawn = drawn.clamp(max=step.size - 1)
                draft.write_class(step, held.keep_code(step.at, drawn) if held else drawn)
            else:
                at = slice(step.at, step.at + 1)
                uniform = noise.uniform[:, len(heads.layout.sizes) :][:, at]
                value = heads.scalars.draw(outputs, at, uniform, noise.normal[:, at])[:, 0]
                draft.write_scalar(step, held.keep_scalar(step.at, value) if held else value)
            draft.finish(i)
        return Rows(draft.codes, draft.scalars)


class BlockOutputs(nn.Module):
    """Outputs [B, O] of hidden units [B, blocks, units], a block's from its own units. `groups`:
    of each span of outputs, the blocks in it, and outputs a block."""

    def __init__(self, groups: Sequence[tuple[Sequence[int], int]], units: int) -> None:
        super().__init__()
        self.groups = [(list(blocks), size) for blocks, size in groups if blocks]
        self.weights = nn.ParameterList(
            torch.randn(len(blocks), units, size) * (_START / math.sqrt(units))
            for blocks, size in self.groups
        )
        self.bias = nn.Parameter(torch.zeros(sum(len(b) * size for b, size in self.groups)))

    def forward(self, h: Tensor) -> Tensor:
        own = h.unbind(1)
        parts = [
            (torch.stack([own[i] for i in blocks]) @ weight).transpose(0, 1).flatten(1)
            for (blocks, _), weight in zip(self.groups, self.weights, strict=True)
        ]
        return torch.cat([h.new_zeros(len(h), 0), *parts], dim=1) + self.bias

    def by_group(self, outputs: Tensor) -> tuple[Tensor, ...]:
        """[B, O] -> the part of each group."""
        return torch.split(outputs, [len(blocks) * size for blocks, size in self.groups], dim=1)

    def of_step(self, step: int, h: Tensor) -> Tensor:
        """The outputs [n, size] of one block, from its units [n, units]."""
        group = next(i for i, (blocks, _) in enumerate(self.groups) if step in blocks)
        weight = self.weights[group][self.groups[group][0].index(step)]
        return torch.addmm(self.bias[self.span(step)], h, weight)

    def span(self, step: int) -> slice:
        """Where the outputs of one block stand among all."""
        start = 0
        for blocks, size in self.groups:
            if step in blocks:
                first = start + blocks.index(step) * size
                return slice(first, first + size)
            start += len(blocks) * size
        raise IndexError(step)

    @torch.no_grad()
    def start_at(self, outputs: Tensor) -> None:
        self.bias.copy_(outputs)


def _per_unit(seen: Sequence[int], units: int) -> list[int]:
    """Inputs seen by each hidden unit, if its group sees `seen`."""
    return [count for count in seen for _ in range(units)]
