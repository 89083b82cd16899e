"""No row counts for more than the bound, whatever it holds, and the sum is that of single rows."""

from __future__ import annotations

import pytest
import torch
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizer
from torch import Tensor, nn

from synthvae.model.compute import side_by_side
from synthvae.model.objective import Objective
from synthvae.model.values import Rows
from synthvae.training.clipping import ClippedSum
from synthvae.training.descent import Batch

MODELS = ["parallel", "autoregressive"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("rows", [1, 40])
def test_the_sum_is_that_of_one_row_at_a_time(case, model: str, rows: int) -> None:
    """By a loop that shares nothing with it but the model and the order of the weights."""
    with case.stepping(model) as steps:
        batch = case.batch(case.rows(rows))
        found = steps.sums.of(batch).double()
    total = torch.zeros_like(found)
    for i in range(rows):
        one = batch.at(slice(i, i + 1))
        loss = Objective().loss(steps.model(one.rows, one.noise), 1.0).sum()
        gradient = torch.zeros_like(steps.sums.flat.vector)
        of_each = torch.autograd.grad(loss, steps.sums.parameters, materialize_grads=True)
        for view, part in zip(steps.sums.flat.views(gradient), of_each, strict=True):
            view.copy_(part)
        total += gradient.double() * min(1.0, steps.sums.limit / float(gradient.double().norm()))
    assert float((found - total).norm() / total.norm()) < 3e-6
    assert 0.999 * case.spec.clip < steps.sums.limit < case.spec.clip


class Nets(nn.Module):
    """Layers that opacus knows. Codes [B, 2] -> [B]."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.table = nn.Embedding(20, 6)
        self.net = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, codes: Tensor) -> Tensor:
        found: Tensor = self.net(self.table(codes).flatten(1))
        return found[:, 0].square()


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_a_step_without_noise_is_that_of_opacus() -> None:
    """Opacus' hooks write every row's gradient down."""
    codes = torch.randint(0, 20, (50, 2))
    codes[:10, 1] = codes[:10, 0]  # the same entry twice
    theirs = GradSampleModule(Nets(), loss_reduction="sum")
    optimizer = DPOptimizer(
        torch.optim.SGD(theirs.parameters(), lr=1.0),
        noise_multiplier=0.0,
        max_grad_norm=0.02,
        expected_batch_size=40,
    )
    theirs(codes).sum().backward()
    optimizer.step()
    mine = Nets()
    with side_by_side(1) as team:
        sums = ClippedSum(mine, lambda b: mine(b.rows.codes), 0.02, team)
        with sums.watching():
            batch = Batch.of(Rows(codes, torch.empty(50, 0)), torch.empty(50, 0), 1.0, 0)
            moves = sums.flat.views(sums.of(batch) / 40)
    after = [weight.detach() for weight in theirs.parameters()]
    before = [weight.detach() for weight in mine.parameters()]
    for weight, move, expected in zip(before, moves, after, strict=True):
        moved = float((weight - expected).norm())
        assert moved > 1e-5
        assert float((weight - move - expected).norm()) < 1e-3 * moved  # within the margin


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1.0, 1e12])
def test_a_row_counts_as_much_as_the_bound_at_most(case, scale: float) -> None:
    with case.stepping() as steps:
        loss = steps.sums.loss
        steps.sums.loss = lambda batch: scale * loss(batch)
        lengths = [
            float(steps.sums.of(case.batch(case.rows(1))).double().norm()) for _ in range(20)
        ]
    assert max(lengths) <= case.spec.clip * (1 + 1e-6)
    assert (min(lengths) > 0.999 * case.spec.clip) == (scale >= 1.0)


@pytest.mark.parametrize("large", [1.0, 1e9, 1e19, 1e30])
def test_squares_neither_vanish_nor_overflow(large: float) -> None:
    """A huge input times a tiny gradient at the output: what one of them is, the other is not."""
    net, x = nn.Linear(3, 2), torch.full((1, 3), large)
    with side_by_side(1) as team:
        sums = ClippedSum(net, lambda b: 0.9 / large * net(b.rows.scalars).sum(dim=1), 1.0, team)
        with sums.watching():
            one = Batch.of(Rows(torch.empty(1, 0), x), torch.empty(1, 0), 1.0, 0)
            length = float(sums.of(one).double().norm())
    assert 0.999 < length <= 1 + 1e-6


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e38, -1e38])
@pytest.mark.parametrize("model", MODELS)
def test_a_row_that_breaks_the_arithmetic_harms_no_other(case, model: str, value: float) -> None:
    rows = case.rows(40)
    rows.codes.clamp_(min=0)
    rows.scalars[:] = 0.3
    with case.stepping(model) as steps:
        batch = case.batch(rows)
        rest = steps.sums.of(batch.at(torch.arange(40) != 7)).clone()
        rows.scalars[7] = value
        together = steps.sums.of(batch).clone()
        one = Batch.of(rows.at(slice(7, 8)), batch.noise[7:8], 1.0, 0)
        alone = steps.sums.of(one).clone()
    assert torch.isfinite(together).all()
    assert torch.isfinite(alone).all()
    assert float(alone.norm()) <= case.spec.clip * (1 + 1e-6)
    assert float((together - rest).norm()) <= case.spec.clip * (1 + 1e-6)


def test_a_row_more_moves_the_sum_by_the_bound_at_most(case) -> None:
    """Wherever it stands, in a batch that is cut into shards and parts."""
    with case.stepping(workers=2) as steps:
        batch = case.batch(case.rows(2500))
        whole = steps.sums.of(batch).double()
        for left_out in (0, 1249, 1250, 2499):
            kept = torch.arange(2500) != left_out
            rows, noise = batch.rows.at(kept), batch.noise[kept]
            less = steps.sums.of(Batch.of(rows, noise, 1.0, 0)).double()
            assert float((whole - less).norm()) <= case.spec.clip * (1 + 1e-6)


def test_weights_can_be_trained_on_afterwards(case) -> None:
    """No hook stays, and weights take gradients again."""
    with case.stepping() as steps:
        steps.step(case.rows(9), 1.0, 1.0)
        assert not any(p.requires_grad for p in steps.sums.parameters)
    assert all(p.requires_grad for p in steps.sums.parameters)
    assert not any(m._forward_hooks for m in steps.model.modules())
