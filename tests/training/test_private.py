"""DP-SGD: what is clipped, how much noise, which rows, how many steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizer
from scipy import stats
from torch import Tensor, nn

from synthvae.errors import TrainingError
from synthvae.layout import Block, Layout
from synthvae.model.compute import side_by_side
from synthvae.model.decoders.autoregressive import AutoregressiveSpec
from synthvae.model.decoders.parallel import ParallelSpec
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.objective import Objective
from synthvae.model.scalars import MixtureSpec
from synthvae.model.spec import ModelSpec, build
from synthvae.model.values import Rows
from synthvae.training import private
from synthvae.training.clipping import ClippedSum
from synthvae.training.descent import Batch
from synthvae.training.guards import made_up
from synthvae.training.poisson import included, normal, secret
from synthvae.training.private import NoisyOptimizer, PrivateSpec, PrivateSteps, train_private

LAYOUT = Layout(
    (
        Block("a", "a", "categorical", 3),
        Block("b", "b", "categorical", 12),
        Block("x mode", "x", "categorical", 4),
        Block("x", "x", "scalar", 1),
    )
)
PARALLEL = ModelSpec(
    numeric="quantiles",
    encoder=(16, 16),
    latent=GaussianSpec(size=3),
    decoder=ParallelSpec(hidden=(16,)),
    scalar=MixtureSpec(components=2),
)
WRITING = replace(PARALLEL, decoder=AutoregressiveSpec(units=4, embedding=3, soft=4, layers=1))
ALPHA = 1e-6
SPEC = PrivateSpec(noise=1.3, rate=0.2, steps=5, clip=0.7)
EXPECTED = 300


@contextmanager
def stepping(spec: PrivateSpec = SPEC, model: ModelSpec = WRITING, workers: int = 1):
    """Private steps of a new model, ready to be taken."""
    built = build(model, LAYOUT, seed=4)
    with side_by_side(workers) as team:
        steps = PrivateSteps(built, model.objective, spec, EXPECTED, team, secret())
        with steps.sums.watching():
            yield steps


def batch_of(rows: Rows, size: int = 3) -> Batch:
    return Batch.of(rows, torch.randn(len(rows), size), 1.0, 0)


def gradients_of(steps: PrivateSteps) -> list[Tensor]:
    """What the optimizer is given at every step, from here on."""
    seen: list[Tensor] = []
    steps.optimizer.attach_step_hook(lambda o: seen.append(o.params[0].grad.clone()))
    return seen


def nothing() -> Rows:
    return made_up(LAYOUT, 0, secret())


# --- what is clipped


@pytest.mark.parametrize("model", [PARALLEL, WRITING], ids=["parallel", "autoregressive"])
@pytest.mark.parametrize("rows", [1, 40])
def test_the_sum_is_that_of_one_row_at_a_time(model: ModelSpec, rows: int) -> None:
    """By a loop that shares nothing with it but the model."""
    with stepping(model=model) as steps:
        batch = batch_of(made_up(LAYOUT, rows, secret()))
        found = steps.sums.of(batch).double()
        parameters, total = steps.sums.parameters, torch.zeros_like(found)
    for i in range(rows):
        one = batch.at(slice(i, i + 1))
        loss = Objective().loss(steps.model(one.rows, one.noise), 1.0).sum()
        gradient = torch.zeros_like(steps.sums.flat.vector)
        of_each = torch.autograd.grad(loss, parameters, materialize_grads=True)
        for view, part in zip(steps.sums.flat.views(gradient), of_each, strict=True):
            view.copy_(part)
        total += gradient.double() * min(1.0, steps.sums.limit / float(gradient.double().norm()))
    assert float((found - total).norm() / total.norm()) < 3e-6
    assert 0.999 * SPEC.clip < steps.sums.limit < SPEC.clip


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_a_step_without_noise_is_that_of_opacus() -> None:
    """Opacus' hooks, which write every row's gradient down, on the layers that it knows."""

    class Nets(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(5)
            self.table = nn.Embedding(20, 6)
            self.net = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 1))

        def forward(self, codes: Tensor) -> Tensor:
            return self.net(self.table(codes % 20).flatten(1))[:, 0].square()

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
            moved = sums.of(batch) / 40
    for name, view in zip(dict(mine.named_parameters()), sums.flat.views(moved), strict=True):
        after = dict(theirs._module.named_parameters())[name]
        before = dict(mine.named_parameters())[name]
        assert torch.allclose(before - view, after, atol=1e-7), name


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1.0, 1e12])
def test_a_row_counts_as_much_as_the_bound_at_most(scale: float) -> None:
    with stepping() as steps:
        loss = steps.sums.loss
        steps.sums.loss = lambda batch: scale * loss(batch)
        lengths = [
            float(steps.sums.of(batch_of(made_up(LAYOUT, 1, secret()))).double().norm())
            for _ in range(20)
        ]
    assert max(lengths) <= SPEC.clip * (1 + 1e-6)
    assert (min(lengths) > 0.999 * SPEC.clip) == (scale >= 1.0)


@pytest.mark.parametrize("large", [1.0, 1e9, 1e19, 1e30])
def test_squares_neither_vanish_nor_overflow(large: float) -> None:
    """A huge input times a tiny gradient at the output: what one of them is, the other is not."""
    net, x = nn.Linear(3, 2), torch.full((4, 3), large)
    with side_by_side(1) as team:
        sums = ClippedSum(net, lambda b: 0.9 / large * net(b.rows.scalars).sum(dim=1), 1.0, team)
        with sums.watching():
            one = Batch.of(Rows(torch.empty(1, 0), x[:1]), torch.empty(1, 0), 1.0, 0)
            length = float(sums.of(one).double().norm())
    assert 0.999 < length <= 1 + 1e-6


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e38, -1e38])
@pytest.mark.parametrize("model", [PARALLEL, WRITING], ids=["parallel", "autoregressive"])
def test_a_row_that_breaks_the_arithmetic_is_left_out(model: ModelSpec, value: float) -> None:
    with stepping(model=model) as steps:
        rows = made_up(LAYOUT, 40, secret())
        rows.codes[:] = rows.codes.clamp(min=0)
        rows.scalars[:] = 0.3
        batch = batch_of(rows)
        rest = torch.arange(40) != 7
        without = steps.sums.of(batch.at(rest)).clone()
        batch.rows.scalars[7] = value
        together = steps.sums.of(batch).clone()
        alone = steps.sums.of(Batch.of(rows.at(slice(7, 8)), batch.noise[7:8], 1.0, 0))
        assert torch.isfinite(alone).all()
        assert float(alone.norm()) <= SPEC.clip * (1 + 1e-6)
        difference = together - without
    assert torch.isfinite(together).all()
    assert float(difference.norm()) <= SPEC.clip * (1 + 1e-6)


def test_a_row_more_moves_the_sum_by_the_bound_at_most() -> None:
    """Wherever it stands, in a batch that is cut into shards and parts."""
    with stepping(workers=2) as steps:
        batch = batch_of(made_up(LAYOUT, 2500, secret()))
        whole = steps.sums.of(batch).double()
        for left_out in (0, 1249, 1250, 2499):
            kept = torch.arange(2500) != left_out
            rows, noise = batch.rows.at(kept), batch.noise[kept]
            less = steps.sums.of(Batch.of(rows, noise, 1.0, 0)).double()
            assert float((whole - less).norm()) <= SPEC.clip * (1 + 1e-6)


# --- noise


def of_no_rows(steps: int = 2, model: ModelSpec = WRITING) -> tuple[list[Tensor], PrivateSteps]:
    """The gradients [P] of steps without rows: noise alone, in units of what it should be."""
    with stepping(model=model) as found:
        seen = gradients_of(found)
        for _ in range(steps):
            found.step(nothing(), 1.0, 1.0)
    unit = SPEC.noise * SPEC.clip / (SPEC.rate * EXPECTED)
    return [gradient / unit for gradient in seen], found


def check_noise(gradients: list[Tensor], steps: PrivateSteps) -> None:
    """Standard normal in every parameter, independent from one to another and over steps."""
    in_use = steps.sums.in_use() == 1
    one, two = (gradient[in_use].double().numpy() for gradient in gradients[:2])
    for gradient in gradients:
        assert not gradient[~in_use].any()
        assert gradient[in_use].all()
        for view, used in zip(
            steps.sums.flat.views(gradient), steps.sums.flat.views(in_use), strict=True
        ):
            own = view[used].numpy()
            if own.size:
                assert stats.kstest(own, "norm").pvalue > ALPHA
    assert stats.kstest(np.concatenate([one, two]), "norm").pvalue > ALPHA
    size = len(one)
    chi = (one**2).sum()
    assert ALPHA < stats.chi2.cdf(chi, size) < 1 - ALPHA
    assert abs(np.dot(one, two)) / size**0.5 < stats.norm.isf(ALPHA)
    assert abs(np.dot(one[1:], one[:-1])) / size**0.5 < stats.norm.isf(ALPHA)


def test_noise_is_as_large_as_promised_and_everywhere() -> None:
    for model in (PARALLEL, WRITING):
        check_noise(*of_no_rows(model=model))


def test_noise_does_not_follow_from_any_seed() -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(1)
        np.random.seed(1)
        drawn.append(of_no_rows(1)[0][0])
    assert not torch.equal(*drawn)
    assert abs(float(torch.dot(*drawn))) / len(drawn[0]) ** 0.5 < stats.norm.isf(ALPHA)


def half(optimizer: NoisyOptimizer) -> None:
    optimizer.noise_multiplier = SPEC.noise / 2


def not_on_one(optimizer: NoisyOptimizer) -> None:
    optimizer.in_use[:64] = 0


@pytest.mark.parametrize("wrong", [half, not_on_one])
def test_planted_bugs_of_the_noise_are_caught(
    wrong: Callable[[NoisyOptimizer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = NoisyOptimizer.add_noise

    def add_noise(optimizer: NoisyOptimizer) -> None:
        wrong(optimizer)
        right(optimizer)

    monkeypatch.setattr(NoisyOptimizer, "add_noise", add_noise)
    gradients, steps = of_no_rows()
    with pytest.raises(AssertionError):
        check_noise(gradients, steps)


# --- rows and steps


def test_rows_take_part_at_the_rate_and_on_their_own() -> None:
    rng, rows, rate, draws = secret(), 200, 0.3, 2000
    taken = np.zeros((draws, rows))
    for draw in range(draws):
        taken[draw, included(rng, rows, rate)] = 1
    spread = rate * (1 - rate)
    of_rows = ((taken.sum(axis=0) - draws * rate) ** 2 / (draws * spread)).sum()
    of_draws = ((taken.sum(axis=1) - rows * rate) ** 2 / (rows * spread)).sum()
    assert ALPHA < stats.chi2.cdf(of_rows, rows) < 1 - ALPHA
    assert ALPHA < stats.chi2.cdf(of_draws, draws) < 1 - ALPHA  # batches of one size would fail
    both = (taken[:, 0::2] * taken[:, 1::2]).sum()
    pairs = draws * rows // 2
    assert ALPHA < stats.binom.cdf(both, pairs, rate**2) < 1 - ALPHA


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of batches that are stepped."""
    sizes: list[int] = []
    step = PrivateSteps.step
    monkeypatch.setattr(
        PrivateSteps, "step", lambda self, rows, *a: (sizes.append(len(rows)), step(self, rows, *a))
    )
    return sizes


@pytest.mark.parametrize("rows", [0, 3, 400])
def test_as_many_steps_as_asked_for_empty_ones_too(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, model = counted(monkeypatch), build(WRITING, LAYOUT, 0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    table, spec = made_up(LAYOUT, rows, secret()), replace(SPEC, rate=0.05, steps=40)
    with side_by_side(1) as team:
        given = (model, table, LAYOUT, WRITING.objective, spec, EXPECTED, team)
        assert train_private(*given) is None
    assert len(sizes) == 40
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    moved = [not torch.equal(v, before[name]) for name, v in model.state_dict().items()]
    assert all(moved)
    if rows < 400:
        assert 0 in sizes
    else:
        assert len(set(sizes)) > 1


def test_the_divisor_is_the_public_number_of_rows() -> None:
    rows = made_up(LAYOUT, 100, secret())
    with stepping(replace(SPEC, noise=1e-9)) as steps:
        seen = gradients_of(steps)
        steps.step(rows, 1.0, 1.0)
        steps.step(rows.at(slice(0, 10)), 1.0, 1.0)
    assert all(float(g.norm()) * SPEC.rate * EXPECTED <= 100 * SPEC.clip for g in seen)
    assert float(seen[1].norm()) * SPEC.rate * EXPECTED <= 10 * SPEC.clip
    assert float(seen[0].norm()) > 2 * float(seen[1].norm())


def test_it_learns() -> None:
    """Two columns that are the same, 4,000 rows, noise as of an epsilon of about 8."""
    layout = Layout(tuple(Block(n, n, "categorical", 4) for n in "ab"))
    code = torch.randint(0, 4, (4000, 1), dtype=torch.int32)
    rows = Rows(code.expand(-1, 2).contiguous(), torch.empty(4000, 0))
    model = build(WRITING, layout, 0)
    spec = PrivateSpec(noise=0.8, rate=0.1, steps=100, learning_rate=1e-2, averaging=0.9)
    with side_by_side(2) as team:
        train_private(model, rows, layout, WRITING.objective, spec, 4000, team)
    with torch.no_grad():
        elbo = model(rows, torch.randn(4000, 3)).elbo.mean()
    assert float(elbo) < 1.5 * np.log(4)  # apart they cost 2 log 4, together log 4


def test_what_follows_from_privacy_is_checked() -> None:
    for wrong in ({"noise": 0.0}, {"rate": 0.0}, {"rate": 1.1}, {"steps": 0}, {"clip": 0.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(SPEC, **wrong)
    drawing = Objective(iwae=2)
    with side_by_side(1) as team, pytest.raises(TrainingError, match="iwae"):
        PrivateSteps(build(PARALLEL, LAYOUT, 0), drawing, SPEC, EXPECTED, team, secret())


def test_weights_can_be_trained_on_afterwards() -> None:
    """No hook stays, and weights take gradients again."""
    with stepping() as steps:
        steps.step(made_up(LAYOUT, 9, secret()), 1.0, 1.0)
    assert all(p.requires_grad for p in steps.sums.parameters)
    assert not any(m._forward_hooks for m in steps.model.modules())
    assert private.__doc__
    assert normal(secret(), 2, 3).shape == (2, 3)
