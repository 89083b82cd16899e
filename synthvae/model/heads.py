"""The likelihood of each block, given the decoder's outputs: nats and sampler in one class.

Categorical blocks are grouped by size, rounded up to a power of two: all blocks of a group are
scored in one array operation, with outputs beyond a block's own classes held at -inf. That wastes
at most half of the outputs and spares a Python loop over columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthvae.layout import Layout
from synthvae.model.parts import Noise, Rows

_NEVER = -1e9
_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
SCALE = (0.01, 1.0)  # bounds of a scalar's standard deviation, as in Xu et al. 2019
_SCALE_START = 0.1
_TRIANGULAR = 64


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


class LogScale(nn.Module):
    """Learned log standard deviations [S], kept in a leaf layer of its own."""

    def __init__(self, scalars: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((scalars,), math.log(_SCALE_START)))

    def forward(self) -> Tensor:
        return self.weight.clamp(math.log(SCALE[0]), math.log(SCALE[1]))


class Heads(nn.Module):
    """Likelihoods of all blocks of `layout`.

    Categorical blocks: softmax. Scalar blocks: a Gaussian around tanh of the output, with one
    learned standard deviation a block, as in TVAE. A scalar's nats are those of its encoded value.
    """

    pad: Tensor
    grouped: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.groups = _grouped(layout.sizes)
        classes = self.groups[-1].outputs.stop if self.groups else 0
        self.n_scalars = layout.n_scalars
        self.outputs = classes + self.n_scalars  # O
        self.widths = [len(g.blocks) * g.size for g in self.groups] + [self.n_scalars]
        self.log_scale = LogScale(self.n_scalars)
        pad = torch.zeros(self.outputs)
        for group in self.groups:
            for i, block in enumerate(group.blocks):
                first = group.start + i * group.size
                pad[first + layout.sizes[block] : first + group.size] = _NEVER
        self.register_buffer("pad", pad, persistent=False)
        grouped = [block for group in self.groups for block in group.blocks]
        self.register_buffer("grouped", torch.tensor(grouped, dtype=torch.long), persistent=False)
        scalars = [block.name for block in layout.of_kind("scalar")]
        categorical = [block.name for block in layout.of_kind("categorical")]
        self.names = tuple([categorical[i] for i in grouped] + scalars)  # of the K blocks of `nats`

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
        return torch.cat([*parts, self._scalar_nats(scalars, rows.scalars)], dim=1)

    def _scalar_nats(self, outputs: Tensor, scalars: Tensor) -> Tensor:
        log_scale = self.log_scale()
        mean = torch.tanh(outputs)
        present = ~torch.isnan(scalars)
        off = (torch.nan_to_num(scalars) - mean) * torch.exp(-log_scale)
        nats: Tensor = (0.5 * off**2 + log_scale + _LOG_SQRT_2PI) * present
        return nats

    def sample(self, outputs: Tensor, noise: Noise) -> Rows:
        """[n, O] -> Rows [n] drawn from the likelihoods, never their most likely values."""
        outputs = outputs + self.pad
        codes = torch.empty(noise.uniform.shape, dtype=torch.int32)
        for group in self.groups:
            codes[:, list(group.blocks)] = self._draw(outputs, group, noise.uniform)
        mean = torch.tanh(outputs[:, self.outputs - self.n_scalars :])
        scalars = mean + torch.exp(self.log_scale()) * noise.normal
        return Rows(codes, scalars.clamp(-1, 1))

    def _draw(self, outputs: Tensor, group: Group, uniform: Tensor) -> Tensor:
        """Inverse of the cumulative distribution: [n, O], [n, blocks] -> codes [n, group]."""
        logits = outputs[:, group.outputs].view(-1, len(group.blocks), group.size)
        likely = torch.exp(logits - logits.amax(dim=2, keepdim=True))
        cumulative = _cumulative(likely)
        level = uniform[:, list(group.blocks), None] * cumulative[:, :, -1:]
        codes = torch.searchsorted(cumulative, level, right=True)[:, :, 0]
        sizes = torch.tensor([self.layout.sizes[block] for block in group.blocks])
        return torch.minimum(codes, sizes - 1).int()

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
        return outputs


def _cumulative(values: Tensor) -> Tensor:
    """Running sums over the last dimension. Few are summed sooner by a triangular product."""
    size = values.shape[-1]
    if size > _TRIANGULAR:
        return values.cumsum(dim=-1)
    return values @ torch.ones(size, size).triu()


def _grouped(sizes: Sequence[int]) -> tuple[Group, ...]:
    by_size: dict[int, list[int]] = {}
    for block, size in enumerate(sizes):
        by_size.setdefault(1 << (max(size, 2) - 1).bit_length(), []).append(block)
    groups: list[Group] = []
    first = start = 0
    for padded in sorted(by_size):
        groups.append(Group(tuple(by_size[padded]), padded, first, start))
        first, start = groups[-1].columns.stop, groups[-1].outputs.stop
    return tuple(groups)
