"""Steps on our own models are those of Opacus' hooks, which write every row's gradient down.

Opacus knows no layer of ours: samplers are registered for them here, each a product written out
row by row, which has nothing in common with the rules of `rowwise`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from opacus import GradSampleModule
from opacus.grad_sample import register_grad_sampler
from opacus.optimizers import DPOptimizer
from torch import Tensor, nn

from synthvae.model.decoders.autoregressive import BlockOutputs
from synthvae.model.nets import RowEmbedding
from synthvae.model.spec import build
from synthvae.model.triangular import TriangularLinear
from synthvae.model.values import Rows
from synthvae.training.descent import Batch

PerRow = dict[nn.Parameter, Tensor]


class OfTensors(RowEmbedding):
    """Hooks of Opacus see tensors, not Rows."""

    def forward(self, codes: Tensor, scalars: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(Rows(codes, scalars))


class Opened(nn.Module):
    """A RowEmbedding whose input Opacus can keep."""

    def __init__(self, embedding: RowEmbedding) -> None:
        super().__init__()
        embedding.__class__ = OfTensors
        self.inner = embedding

    def forward(self, rows: Rows) -> Tensor:
        found: Tensor = self.inner(rows.codes, rows.scalars)
        return found


@register_grad_sampler(OfTensors)
def _embedded(layer: OfTensors, inputs: Sequence[Tensor], d: Tensor) -> PerRow:
    """One-hot, in full. Opacus hooks the linear layer of the scalars by itself."""
    sizes, hot = layer.offsets.diff(append=torch.tensor([len(layer.weight) + 1])), []
    for codes, size in zip(inputs[0].long().unbind(1), sizes, strict=True):
        hot.append(nn.functional.one_hot(codes + 1, int(size) + 1)[:, 1:])
    return {layer.weight: torch.einsum("bc,bo->bco", torch.cat(hot, dim=1).to(d), d)}


@register_grad_sampler(TriangularLinear)
def _masked(layer: TriangularLinear, inputs: Sequence[Tensor], d: Tensor) -> PerRow:
    found: PerRow = {layer.bias: d}
    sees = torch.tensor(layer.sees)
    whole = torch.einsum("bo,bi->boi", d, inputs[0])
    whole = whole * (torch.arange(layer.inputs) < sees[:, None])
    for segment, weight in zip(layer.segments, layer.weights, strict=True):
        found[weight] = whole[:, segment.outputs, : segment.seen]
    return found


@register_grad_sampler(BlockOutputs)
def _by_block(layer: BlockOutputs, inputs: Sequence[Tensor], d: Tensor) -> PerRow:
    found, start = {layer.bias: d}, 0
    for (blocks, size), weight in zip(layer.groups, layer.weights, strict=True):
        of_each = []
        for block in blocks:
            own = d[:, start : start + size]
            of_each.append(torch.einsum("bu,bo->buo", inputs[0][:, block], own))
            start += size
        found[weight] = torch.stack(of_each, dim=1)
    return found


def of_opacus(case, name: str, batch: Batch) -> dict[str, Tensor]:  # type: ignore[no-untyped-def]
    """The sum over rows of clipped gradients, by parameter."""
    spec = case.models[name]
    model = build(spec, case.layout, seed=4)
    model.encoder.embedding = Opened(model.encoder.embedding)  # type: ignore[assignment]
    hooked = GradSampleModule(model, loss_reduction="sum", strict=False)
    optimizer = DPOptimizer(
        torch.optim.SGD(hooked.parameters(), lr=1.0),
        noise_multiplier=0.0,
        max_grad_norm=case.spec.clip,
        expected_batch_size=None,
        loss_reduction="sum",
    )
    spec.objective.loss(hooked(batch.rows, batch.noise), batch.weight).sum().backward()
    optimizer.clip_and_accumulate()
    return {
        name.replace("embedding.inner", "embedding"): parameter.summed_grad
        for name, parameter in model.named_parameters()
    }


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("rows", [1, 60])
@pytest.mark.parametrize("name", ["parallel", "autoregressive"])
def test_the_clipped_sum_of_our_models_is_that_of_opacus(case, name: str, rows: int) -> None:
    """Within the margin that our bound keeps for rounding."""
    with case.stepping(name) as steps:
        batch = case.batch(case.rows(rows))
        total = steps.sums.of(batch).clone()
        names = {id(parameter): name for name, parameter in steps.model.named_parameters()}
        parts = zip(steps.sums.parameters, steps.sums.flat.views(total), strict=True)
        mine = {names[id(parameter)]: part for parameter, part in parts}
    theirs = of_opacus(case, name, batch)
    assert set(mine) == set(theirs)
    assert float(total.norm()) > 0.99 * case.spec.clip
    off = sum(float((mine[name] - theirs[name]).double().square().sum()) for name in mine)
    assert off**0.5 < 2e-4 * float(total.norm())
