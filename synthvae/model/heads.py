"""The likelihood of each block, given the decoder's outputs: nats and sampler in one class.

Categorical blocks of like size are grouped: all blocks of a group are scored in one array
operation, with outputs beyond a block's own classes held at -inf. That wastes some outputs and
spares a Python loop over columns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthvae.layout import Layout
from synthvae.model.scalars import Scalars
from synthvae.model.values import Noise, Rows

_NEVER = -1e9
_TRIANGULAR = 64
_TINY = 1e-25
_LOG2_E = math.log2(math.e)


@dataclass(frozen=True)
class Group:
    """Blocks (positions in `Rows.codes`) that share a padded size: the blocks from `first` on in
    grouped order, and their outputs from `start` on."""

    blocks: tuple[int, ...]
    size: int
    first: int
    start: int

    @property
    def columns(self) -> slice:
        return slice(self.first, self.first + len(self.blocks))

    @property
    def outputs(self) -> slice:
        return slice(self.start, self.start + len(self.blocks) * self.size)


class Heads(nn.Module):
    """Likelihoods of all blocks of `layout`: softmax for categorical blocks, `scalars` for scalar
    ones. A scalar's nats are those of its encoded value."""

    pad: Tensor
    grouped: Tensor

    def __init__(self, layout: Layout, scalars: Scalars) -> None:
        super().__init__()
        self.layout, self.scalars = layout, scalars
        self.groups = _grouped(layout.sizes)
        classes = self.groups[-1].outputs.stop if self.groups else 0
        self.n_scalars = layout.n_scalars
        self.first_scalar = classes
        self.outputs = classes + self.n_scalars * scalars.width  # O
        self.widths = [len(g.blocks) * g.size for g in self.groups] + [self.outputs - classes]
        pad = torch.zeros(self.outputs)
        for group in self.groups:
            for i, block in enumerate(group.blocks):
                first = group.start + i * group.size
                pad[first + layout.sizes[block] : first + group.size] = _NEVER
        self.register_buffer("pad", pad, persistent=False)
        grouped = [block for group in self.groups for block in group.blocks]
        self.register_buffer("grouped", torch.tensor(grouped, dtype=torch.long), persistent=False)
        categorical, others = (layout.of_kind(kind) for kind in ("categorical", "scalar"))
        in_order = [*(categorical[i] for i in grouped), *others]
        self.names = tuple(block.name for block in in_order)  # of the K blocks of `nats`
        self.columns = tuple(block.column for block in in_order)

    def nats(self, outputs: Tensor, rows: Rows) -> Tensor:
        """[B, O], Rows [B] -> [B, K] nats of the blocks called `names`; 0 for a block that is not
        present."""
        codes = rows.codes.index_select(1, self.grouped).long()
        *logits, scalars = torch.split(outputs + self.pad, self.widths, dim=1)
        parts = [
            nn.functional.cross_entropy(
                part.reshape(-1, group.size),
                codes[:, group.columns].reshape(-1),
                ignore_index=-1,
                reduction="none",
            ).view(len(rows), -1)
            for group, part in zip(self.groups, logits, strict=True)
        ]
        return torch.cat([*parts, self.scalars.nats(self._each(scalars), rows.scalars)], dim=1)

    def _each(self, outputs: Tensor) -> Tensor:
        """The scalars' outputs, [B, S, width]."""
        return outputs.reshape(len(outputs), self.n_scalars, self.scalars.width)

    def never(self, classes: Mapping[int, Sequence[int]]) -> Tensor:
        """[O]: what added to outputs keeps `classes` of some blocks (positions in `Rows.codes`)
        from being drawn."""
        never = torch.zeros(self.outputs)
        for group in self.groups:
            for i, block in enumerate(group.blocks):
                first = group.start + i * group.size
                never[[first + code for code in classes.get(block, ())]] = _NEVER
        return never

    def span(self, block: int) -> slice:
        """The outputs of a categorical block (its position in `Rows.codes`), without padding."""
        group = next(group for group in self.groups if block in group.blocks)
        first = group.start + group.blocks.index(block) * group.size
        return slice(first, first + self.layout.sizes[block])

    def scalar_span(self, block: int) -> slice:
        """The outputs of a scalar block (its position in `Rows.scalars`)."""
        first = self.first_scalar + block * self.scalars.width
        return slice(first, first + self.scalars.width)

    def sample(self, outputs: Tensor, noise: Noise) -> Rows:
        """[n, O] -> Rows [n] drawn from the likelihoods, never their most likely values."""
        codes = torch.empty(len(outputs), len(self.layout.sizes), dtype=torch.int32)
        for group in self.groups:
            codes[:, list(group.blocks)] = self._draw(outputs, group, noise.uniform)
        own = self._each(outputs[:, self.first_scalar :])
        uniform = noise.uniform[:, len(self.layout.sizes) :]
        return Rows(codes, self.scalars.draw(own, slice(None), uniform, noise.normal))

    def _draw(self, outputs: Tensor, group: Group, uniform: Tensor) -> Tensor:
        """[n, O], [n, blocks] -> codes [n, group]."""
        logits = outputs[:, group.outputs] + self.pad[group.outputs]
        each = logits.view(-1, len(group.blocks), group.size)
        codes = draw_codes(each, uniform[:, list(group.blocks)])
        sizes = torch.tensor([self.layout.sizes[block] for block in group.blocks])
        return torch.minimum(codes, sizes - 1).int()

    def counts(self, outputs: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        """[B, O], Rows [B] -> how often each class stands there, and how often it is expected to,
        both [O] and 0 for outputs that are no class."""
        observed, expected = torch.zeros(2, self.outputs)
        for group in self.groups:
            codes = rows.codes[:, list(group.blocks)].long()
            logits = outputs[:, group.outputs] + self.pad[group.outputs]
            shares = torch.softmax(logits.view(*codes.shape, group.size), dim=2)
            expected[group.outputs] = (shares * (codes >= 0)[:, :, None]).sum(dim=0).flatten()
            index = (codes + torch.arange(len(group.blocks)) * group.size)[codes >= 0]
            observed[group.outputs] = torch.bincount(
                index, minlength=len(group.blocks) * group.size
            ).float()
        return observed, expected

    def marginal_outputs(self, rows: Rows) -> Tensor:
        """[O]: outputs whose likelihood is each block's own distribution in `rows`, one added to
        every count; where training starts from."""
        outputs = torch.zeros(self.outputs)
        for group in self.groups:
            for i, block in enumerate(group.blocks):
                size, first = self.layout.sizes[block], group.start + i * group.size
                codes = rows.codes[:, block]
                counts = torch.bincount(codes[codes >= 0].long(), minlength=size) + 1.0
                outputs[first : first + size] = torch.log(counts / counts.sum())
        outputs[self.first_scalar :] = self.scalars.start().repeat(self.n_scalars)
        return outputs


def draw_codes(logits: Tensor, uniform: Tensor) -> Tensor:
    """Inverse of the cumulative distribution: [n, blocks, size], [n, blocks] -> [n, blocks]."""
    # Numbers far below 0 slow exp down, but not exp2.
    cumulative = _cumulative(torch.exp2(logits * _LOG2_E))
    low, high = torch.aminmax(cumulative[:, :, -1])
    if not _TINY < low <= high < 1 / _TINY:  # shares are dearer, but never out of range
        cumulative = _cumulative(torch.softmax(logits, dim=2))
    level = uniform[:, :, None] * cumulative[:, :, -1:]
    return torch.searchsorted(cumulative, level, right=True)[:, :, 0]


def _cumulative(values: Tensor) -> Tensor:
    """Running sums over the last dimension. Few are summed sooner by a triangular product."""
    size = values.shape[-1]
    if size > _TRIANGULAR:
        return values.cumsum(dim=-1)
    return values @ torch.ones(size, size).triu()


def _grouped(sizes: Sequence[int]) -> tuple[Group, ...]:
    by_size: dict[int, list[int]] = {}
    for block, size in enumerate(sizes):
        by_size.setdefault(_like(size), []).append(block)
    groups: list[Group] = []
    first = start = 0
    for _, blocks in sorted(by_size.items()):
        widest = max(2, *(sizes[block] for block in blocks))
        groups.append(Group(tuple(blocks), widest, first, start))
        first, start = groups[-1].columns.stop, groups[-1].outputs.stop
    return tuple(groups)


def _like(size: int) -> int:
    """Sizes up to 8 are alike, and so are those of the same power of two; above 2,048 only those
    that are the same, since waste would cost most there."""
    return size if size > 2048 else max((size - 1).bit_length(), 3)
