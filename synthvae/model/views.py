"""Rows as one array, the way a critic looks at them: real ones, and what a decoder's outputs say.

Shape: [B, V]; in the order of the decoder's outputs, classes one-hot (padding stays 0), then one
number a scalar block. What is not present is 0, whether it was real or not.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthvae.model.heads import Heads
from synthvae.model.values import Rows

_TEMPERATURE = 0.5


class RowView:
    """Views of modelled rows under `heads`. Which classes of a column leave its other blocks out,
    such as a spike its scalar, is read off `rows` [N]."""

    def __init__(self, heads: Heads, rows: Rows) -> None:
        self.heads = heads
        self.width = heads.first_scalar + heads.n_scalars  # V
        self.shows = torch.ones(heads.first_scalar)  # whether a class leaves the other blocks in
        self.decider = torch.full((self.width,), len(heads.grouped))  # last: nobody decides
        self._read(rows)

    def real(self, rows: Rows) -> Tensor:
        """Rows [B] -> [B, V]."""
        codes = rows.codes.index_select(1, self.heads.grouped).long()
        hot = [_one_hot(codes[:, group.columns], group.size) for group in self.heads.groups]
        return torch.cat([*(part.flatten(1) for part in hot), rows.scalars.nan_to_num()], dim=1)

    def expected(self, outputs: Tensor) -> Tensor:
        """Outputs [B, O] -> the mean of what they draw, [B, V]: probabilities and means."""
        logits, scalars = self._parts(outputs)
        likely = [torch.softmax(part, dim=2) for part in logits]
        return self._present(likely, self.heads.scalars.mean(scalars))

    def drawn(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        """Outputs [B, O] -> one draw of rows, [B, V]: one-hot classes, with the gradient of
        their relaxation (straight-through Gumbel-softmax, Jang et al. 2017), and scalars."""
        logits, scalars = self._parts(outputs)
        hot = [_one_hot_draw(part, generator) for part in logits]
        shape = scalars.shape[:2]
        uniform = torch.rand(shape, generator=generator)
        normal = torch.randn(shape, generator=generator)
        drawn = self.heads.scalars.draw(scalars, slice(None), uniform, normal)
        return self._present(hot, drawn)

    def _parts(self, outputs: Tensor) -> tuple[list[Tensor], Tensor]:
        """Logits [B, blocks, size] of each group, and the scalars' outputs [B, S, width]."""
        heads = self.heads
        *logits, scalars = torch.split(outputs + heads.pad, heads.widths, dim=1)
        each = [
            part.reshape(len(part), -1, group.size)
            for group, part in zip(heads.groups, logits, strict=True)
        ]
        return each, scalars.reshape(len(outputs), heads.n_scalars, heads.scalars.width)

    def _present(self, classes: Sequence[Tensor], scalars: Tensor) -> Tensor:
        """[B, blocks, size] a group and [B, S] -> [B, V], each block as far as it is present."""
        shows = torch.split(self.shows, self.heads.widths[:-1])
        present = [
            (part * shown.view(-1, group.size)).sum(dim=2)
            for group, part, shown in zip(self.heads.groups, classes, shows, strict=True)
        ]
        every = torch.cat([*present, scalars.new_ones(len(scalars), 1)], dim=1)
        view = torch.cat([*(part.flatten(1) for part in classes), scalars], dim=1)
        return view * every.index_select(1, self.decider)

    def _read(self, rows: Rows) -> None:
        """A column's first class block decides for its others."""
        heads, layout = self.heads, self.heads.layout
        place = {
            block: (group.first + i, group.start + i * group.size, group.size)
            for group in heads.groups
            for i, block in enumerate(group.blocks)
        }
        for column in dict.fromkeys(block.column for block in layout.blocks):
            part = layout.of_column(column)
            first, others, scalars = part.codes[:1], list(part.codes[1:]), list(part.scalars)
            absent = (rows.codes[:, others] < 0).any(1) | rows.scalars[:, scalars].isnan().any(1)
            if not first or not absent.any():
                continue
            at, start, _ = place[first[0]]
            self.shows[start + rows.codes[absent, first[0]].long()] = 0.0
            for scalar in scalars:
                self.decider[heads.first_scalar + scalar] = at
            for block in others:
                _, start, size = place[block]
                self.decider[start : start + size] = at


def _one_hot(codes: Tensor, size: int) -> Tensor:
    """[B, blocks] -> [B, blocks, size]; 0 for a block that is not present."""
    hot = nn.functional.one_hot(codes.clamp(min=0), size) * (codes >= 0)[:, :, None]
    return hot.to(torch.get_default_dtype())


def _one_hot_draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    """[B, blocks, size]: one-hot going forward, softmax going back."""
    waiting = torch.empty(logits.shape).exponential_(generator=generator)
    soft = torch.softmax((logits - waiting.log()) / _TEMPERATURE, dim=2)
    hard = nn.functional.one_hot(soft.argmax(dim=2), logits.shape[2]).to(soft.dtype)
    return hard + (soft - soft.detach())
