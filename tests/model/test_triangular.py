"""The triangular product: that of a masked dense layer, and no input beyond an output's own."""

from __future__ import annotations

import pytest
import torch

from synthvae.model.triangular import Stepwise, TriangularLinear, with_ones

SEES = [0, 0, 3, 3, 4, 4, 4, 9, 9, 10]


@pytest.fixture
def layer() -> TriangularLinear:
    torch.manual_seed(0)
    made = TriangularLinear(10, SEES)
    torch.nn.init.normal_(made.bias)
    return made


def test_it_is_a_masked_dense_layer(layer: TriangularLinear) -> None:
    x = torch.randn(7, 10)
    mask = torch.arange(10)[None] < torch.tensor(SEES)[:, None]
    assert torch.equal(layer.dense() != 0, mask)
    expected = torch.nn.functional.linear(x, layer.dense() * mask, layer.bias)
    assert torch.allclose(layer(x), expected, atol=1e-6)


def test_gradients_are_those_of_the_dense_layer(layer: TriangularLinear) -> None:
    mask = (torch.arange(10)[None] < torch.tensor(SEES)[:, None]).double()
    weight, bias = layer.dense().double(), layer.bias.detach().double()
    x, target = torch.randn(6, 10, dtype=torch.float64), torch.randn(6, 10, dtype=torch.float64)
    inputs = [part.clone().requires_grad_() for part in (x, weight, bias)]
    layer.double()
    layer.zero_grad()
    x.requires_grad_()
    (layer(x) * target).sum().backward()
    (torch.nn.functional.linear(inputs[0], inputs[1] * mask, inputs[2]) * target).sum().backward()
    for mine, theirs in zip((x, layer.bias), (inputs[0], inputs[2]), strict=True):
        assert torch.allclose(mine.grad, theirs.grad)
    for segment, weight in zip(layer.segments, layer.weights, strict=True):
        assert torch.allclose(weight.grad, inputs[1].grad[segment.outputs, : segment.seen])


def test_weights_beyond_the_prefix_stay_zero(layer: TriangularLinear) -> None:
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        layer(torch.randn(8, 10)).square().sum().backward()
        optimizer.step()
    for weight, mask in zip(layer.weights, layer.masks, strict=True):
        assert (weight * (1 - mask) == 0).all()


@torch.no_grad()
def test_step_by_step_it_reads_only_what_is_written(layer: TriangularLinear) -> None:
    x = torch.randn(5, 10)
    unwritten = with_ones(10, 5)
    unwritten[1:] = torch.nan
    stepwise = Stepwise(layer, unwritten)
    for start, stop in ((0, 2), (2, 4), (4, 7), (7, 9), (9, 10)):
        seen = SEES[start]
        unwritten[1 : 1 + seen] = x[:, :seen].T
        out = stepwise.outputs(slice(start, stop))
        assert torch.allclose(out.T, layer(x)[:, start:stop], atol=1e-6)
