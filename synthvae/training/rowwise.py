"""What each row of a batch adds to the gradient of a layer's weights, in closed form.

A layer that meets a row once makes of its input a and of the gradient d at its output a product
whose squared norm takes no product to know (Goodfellow 2015; Li et al. 2022 for embeddings). A
*rule* says so for one class of layers: `squares`, the squared norm [B] of each row's gradient of
all the layer's weights, and `add`, which adds up the gradients of rows whose d was scaled.

A class has no rule unless it stands in `RULES`: whoever writes a layer with weights of its own
writes its rule too, and `guards` holds it to one row at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from synthvae.model.decoders.autoregressive import BlockOutputs
from synthvae.model.nets import RowEmbedding
from synthvae.model.scalars import Gaussian
from synthvae.model.triangular import TriangularLinear
from synthvae.model.values import Rows


def _whole(layer: Any) -> list[Tensor]:
    """All weights are in use."""
    return [torch.ones_like(p) for p in layer.parameters()]


def _as_it_is(_: Any, output: Tensor) -> Tensor:
    return output


@dataclass(frozen=True)
class Rule:
    """`squares`(layer, a, d) -> [B]; `add`(layer, a, d, sums) adds to `sums`, one tensor for each
    of the layer's parameters in their order. `in_use`: of each parameter, 1 where it takes part.
    `by_row`(a, output): the output with a row for each row of a."""

    squares: Callable[[Any, Any, Tensor], Tensor]
    add: Callable[[Any, Any, Tensor, Sequence[Tensor]], None]
    in_use: Callable[[Any], Sequence[Tensor]] = _whole
    by_row: Callable[[Any, Tensor], Tensor] = _as_it_is


def _square(x: Tensor) -> Tensor:
    """[B, ...] -> [B], in double precision: the square of a small number must not vanish, since
    what it is multiplied with may be as large as the number was small."""
    return x.flatten(1).double().square().sum(dim=1)


def _linear_squares(_: nn.Linear, a: Tensor, d: Tensor) -> Tensor:
    return _square(d) * (_square(a) + 1)


def _linear_add(_: nn.Linear, a: Tensor, d: Tensor, sums: Sequence[Tensor]) -> None:
    weight, bias = sums
    weight.addmm_(d.T, a)
    bias.add_(d.sum(dim=0))


def _triangular_squares(layer: TriangularLinear, a: Tensor, d: Tensor) -> Tensor:
    """An output sees a prefix of the inputs, so running sums of a's squares are all it takes."""
    running = nn.functional.pad(a.double().square().cumsum(dim=1), (1, 0))
    seen = running.index_select(1, torch.tensor(layer.sees))  # [B, outputs]
    return (d.double().square() * (seen + 1)).sum(dim=1)


def _triangular_add(layer: TriangularLinear, a: Tensor, d: Tensor, sums: Sequence[Tensor]) -> None:
    bias, *weights = sums
    bias.add_(d.sum(dim=0))
    for segment, weight, mask in zip(layer.segments, weights, layer.masks, strict=True):
        weight.addmm_(d[:, segment.outputs].T, a[:, : segment.seen]).mul_(mask)


def _triangular_in_use(layer: TriangularLinear) -> list[Tensor]:
    return [torch.ones_like(layer.bias), *layer.masks]


def _block_squares(layer: BlockOutputs, a: Tensor, d: Tensor) -> Tensor:
    seen = a.double().square().sum(dim=2) + 1  # [B, blocks]
    total = seen.new_zeros(len(d))
    for part, (blocks, size) in zip(layer.by_group(d), layer.groups, strict=True):
        own = part.double().square().view(len(d), len(blocks), size).sum(dim=2)
        total += (own * seen[:, blocks]).sum(dim=1)
    return total


def _block_add(layer: BlockOutputs, a: Tensor, d: Tensor, sums: Sequence[Tensor]) -> None:
    bias, *weights = sums
    bias.add_(d.sum(dim=0))
    own = a.unbind(1)
    for part, (blocks, size), weight in zip(layer.by_group(d), layer.groups, weights, strict=True):
        units = torch.stack([own[i].T for i in blocks])  # [blocks, units, B]
        weight.baddbmm_(units, part.reshape(len(d), len(blocks), size).transpose(0, 1))


def _lookup_squares(_: nn.Embedding, index: Tensor, d: Tensor) -> Tensor:
    """Where a row looks up the same entry more than once, what it adds there is summed first."""
    index, order = index.flatten(1).sort(dim=1)
    d = d.flatten(1, -2).take_along_dim(order[:, :, None], dim=1)
    changes = (index.diff(dim=1) != 0).cumsum(dim=1)
    entry = nn.functional.pad(changes, (1, 0))[:, : index.shape[1]]  # [B, T], from 0
    return _square(torch.zeros_like(d).scatter_add_(1, entry[:, :, None].expand_as(d), d))


def _lookup_add(_: nn.Embedding, index: Tensor, d: Tensor, sums: Sequence[Tensor]) -> None:
    (table,) = sums
    table.index_add_(0, index.flatten(), d.flatten(0, -2))


def _row_squares(layer: RowEmbedding, rows: Rows, d: Tensor) -> Tensor:
    """No two blocks share a class, so each block that is present adds d once."""
    present = (rows.codes >= 0).sum(dim=1)
    return _square(d) * (present + _square(layer.scalars_of(rows)) + 1)


def _row_add(layer: RowEmbedding, rows: Rows, d: Tensor, sums: Sequence[Tensor]) -> None:
    classes, weight, bias = sums
    weight.addmm_(d.T, layer.scalars_of(rows))
    bias.add_(d.sum(dim=0))
    if rows.codes.shape[1]:
        row, block = torch.nonzero(rows.codes >= 0, as_tuple=True)
        classes.index_add_(0, layer.index_of(rows)[row, block] - 1, d[row])


def _scale_squares(_: Gaussian, __: Tensor, d: Tensor) -> Tensor:
    return _square(d)


def _scale_add(_: Gaussian, __: Tensor, d: Tensor, sums: Sequence[Tensor]) -> None:
    (weight,) = sums
    weight.add_(d.sum(dim=0))


def _one_a_row(a: Tensor, output: Tensor) -> Tensor:
    return output.expand(len(a), *output.shape)


RULES: Mapping[type[nn.Module], Rule] = {
    nn.Linear: Rule(_linear_squares, _linear_add),
    nn.Embedding: Rule(_lookup_squares, _lookup_add),
    TriangularLinear: Rule(_triangular_squares, _triangular_add, _triangular_in_use),
    BlockOutputs: Rule(_block_squares, _block_add),
    RowEmbedding: Rule(_row_squares, _row_add),
    Gaussian: Rule(_scale_squares, _scale_add, by_row=_one_a_row),
}
