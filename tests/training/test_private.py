"""DP-SGD: how much noise, on what, in how many steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from synthvae.errors import TrainingError
from synthvae.layout import Block, Layout
from synthvae.model.compute import side_by_side
from synthvae.model.objective import Objective
from synthvae.model.spec import build
from synthvae.model.values import Rows
from synthvae.training.poisson import Secret
from synthvae.training.private import NoisyOptimizer, PrivateSpec, PrivateSteps, train_private


def gradients_of(steps: PrivateSteps) -> list[Tensor]:
    """What Adam is given at every step, from here on."""
    seen: list[Tensor] = []
    steps.optimizer.attach_step_hook(lambda o: seen.append(o.params[0].grad.clone()))
    return seen


def of_no_rows(case, steps: int = 2, model: str = "autoregressive"):
    """The gradients [P] of steps without rows: noise alone, in units of what it should be."""
    with case.stepping(model) as found:
        seen = gradients_of(found)
        for _ in range(steps):
            found.step(case.rows(0), 1.0, 1.0)
    unit = case.spec.noise * case.spec.clip / (case.spec.rate * case.expected)
    return [gradient / unit for gradient in seen], found


def check_noise(case, gradients: list[Tensor], steps: PrivateSteps) -> None:
    """Standard normal in every parameter, independent from one to another and over steps."""
    in_use = steps.sums.in_use() == 1
    for gradient in gradients:
        assert not gradient[~in_use].any()
        assert gradient[in_use].all()
        for view, used in zip(
            steps.sums.flat.views(gradient), steps.sums.flat.views(in_use), strict=True
        ):
            if used.any():
                assert stats.kstest(view[used].numpy(), "norm").pvalue > case.alpha
    one, two = (gradient[in_use].double().numpy() for gradient in gradients)
    size, far = len(one), stats.norm.isf(case.alpha)
    assert case.alpha < stats.chi2.cdf((one**2).sum(), size) < 1 - case.alpha
    assert abs(np.dot(one, two)) / size**0.5 < far
    assert abs(np.dot(one[1:], one[:-1])) / size**0.5 < far


@pytest.mark.parametrize("model", ["parallel", "autoregressive"])
def test_noise_is_as_large_as_promised_and_everywhere(case, model: str) -> None:
    check_noise(case, *of_no_rows(case, model=model))


def test_noise_does_not_follow_from_any_seed(case) -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(1)
        np.random.seed(1)
        drawn.append(of_no_rows(case, 1)[0][0])
    assert not torch.equal(*drawn)
    assert abs(float(torch.dot(*drawn))) / len(drawn[0]) ** 0.5 < stats.norm.isf(case.alpha)


def half(optimizer: NoisyOptimizer) -> None:
    optimizer.noise_multiplier = 1.3 / 2


def not_on_one(optimizer: NoisyOptimizer) -> None:
    optimizer.in_use[:64] = 0


@pytest.mark.parametrize("wrong", [half, not_on_one])
def test_planted_bugs_of_the_noise_are_caught(
    case, wrong: Callable[[NoisyOptimizer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = NoisyOptimizer.add_noise

    def add_noise(optimizer: NoisyOptimizer) -> None:
        wrong(optimizer)
        right(optimizer)

    monkeypatch.setattr(NoisyOptimizer, "add_noise", add_noise)
    found = of_no_rows(case)
    with pytest.raises(AssertionError):
        check_noise(case, *found)


def test_a_step_divides_by_the_public_number_of_rows(case) -> None:
    """By the same number whatever the batch: ten rows count a tenth of a hundred."""
    row, divisor = case.rows(1), case.spec.rate * case.expected
    with case.stepping(noise=1e-9, clip=1e-3) as steps:  # every row is clipped, so all are alike
        seen = gradients_of(steps)
        for rows in (100, 10):
            steps.sums.loss = lambda batch: steps._loss(replace(batch, noise=0 * batch.noise))
            steps.step(row.at(torch.zeros(rows, dtype=torch.long)), 1.0, 1.0)
    many, few = (float(gradient.norm()) for gradient in seen)
    assert many == pytest.approx(100 * 1e-3 / divisor, rel=1e-3)
    assert few == pytest.approx(10 * 1e-3 / divisor, rel=1e-3)


@pytest.mark.parametrize("rows", [0, 3, 400])
def test_as_many_steps_as_asked_for_empty_ones_too(
    case, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    step = PrivateSteps.step

    def counted(steps: PrivateSteps, rows: Rows, weight: float, factor: float) -> None:
        sizes.append(len(rows))
        step(steps, rows, weight, factor)

    monkeypatch.setattr(PrivateSteps, "step", counted)
    made = case.models["autoregressive"]
    model, spec = build(made, case.layout, 0), replace(case.spec, rate=0.05, steps=40)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with side_by_side(1) as team:
        train_private(
            model, case.rows(rows), case.layout, made.objective, spec, case.expected, team
        )
    assert len(sizes) == 40
    assert (0 in sizes) == (rows < 400)
    assert rows < 400 or len(set(sizes)) > 1
    for name, value in model.state_dict().items():
        assert torch.isfinite(value).all()
        assert not torch.equal(value, before[name])


def test_it_learns(case) -> None:
    """Two columns that are the same, in 4,000 rows."""
    layout = Layout(tuple(Block(name, name, "categorical", 4) for name in "ab"))
    code = torch.randint(0, 4, (4000, 1), dtype=torch.int32)
    rows = Rows(code.expand(-1, 2).contiguous(), torch.empty(4000, 0))
    made = case.models["autoregressive"]
    model = build(made, layout, 0)
    spec = PrivateSpec(noise=0.8, rate=0.1, steps=100, averaging=0.9)
    with side_by_side(2) as team:
        train_private(model, rows, layout, made.objective, spec, 4000, team)
    with torch.no_grad():
        elbo = float(model(rows, torch.randn(4000, 3)).elbo.mean())
    assert elbo < 1.5 * np.log(4)  # apart they cost 2 log 4 nats, together log 4


@pytest.mark.parametrize(
    "wrong", [{"noise": 0.0}, {"rate": 0.0}, {"rate": 1.1}, {"steps": 0}, {"clip": 0.0}]
)
def test_what_privacy_follows_from_is_checked(case, wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(case.spec, **wrong)


def test_more_draws_a_row_are_refused(case) -> None:
    model = build(case.models["parallel"], case.layout, 0)
    with side_by_side(1) as team, pytest.raises(TrainingError, match="iwae"):
        PrivateSteps(model, Objective(iwae=2), case.spec, case.expected, team, Secret())
