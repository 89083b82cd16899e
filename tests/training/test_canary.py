"""An audit of the trainer as it is: who sees every noisy gradient finds a row no oftener than the
accountant says, and not much more seldom.

The table is empty, or holds one row, whose gradient is longer than the bound at every step: nothing
is easier to find. The attacker knows the model, the row and the noise's size, and weighs what a
step was given along the row's gradient by its likelihood ratio. So that noise missing somewhere is
seen, each parameter is looked at alone, too.

One run of the trainer is many fits of a few steps each: the weights that one starts from, which the
earlier ones left, are public, and hardly move. Bounds are those of Clopper & Pearson, and hold
together.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
import torch
from numpy.random import Generator, Philox
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from synthvae.layout import Block, Layout
from synthvae.model.compute import side_by_side
from synthvae.model.decoders.autoregressive import AutoregressiveSpec
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.scalars import MixtureSpec
from synthvae.model.spec import ModelSpec, build
from synthvae.model.values import Rows
from synthvae.privacy.accounting import Event, most_found, sampled_noise
from synthvae.training import private
from synthvae.training.clipping import ClippedSum
from synthvae.training.descent import Batch
from synthvae.training.private import NoisyOptimizer, PrivateSpec, PrivateSteps, train_private

DELTA, RATE, CLIP = 1e-5, 0.5, 0.1
ALPHA = 1e-4  # of a false alarm; half of it is for the whole gradient, half for its parameters
PILOT = 0.2  # of the fits choose the thresholds, the others are counted
UNSURE = 0.03  # a share of the pilot
EXPECTED = 40
LAYOUT = Layout((Block("a", "a", "categorical", 3), Block("b", "b", "categorical", 4)))
MODEL = ModelSpec(
    numeric="quantiles",
    encoder=(4,),
    latent=GaussianSpec(size=1),
    decoder=AutoregressiveSpec(units=2, embedding=2, soft=2, layers=1),
    scalar=MixtureSpec(components=2),
)
Values = NDArray[np.float64]
Patch = pytest.MonkeyPatch


def canary(rows: int) -> Rows:
    codes = torch.tensor([[0, 1]] * rows, dtype=torch.int32).view(rows, 2)
    return Rows(codes, torch.empty(rows, 0))


@dataclass(frozen=True)
class Audit:
    """As many `fits` without the canary as with it, of `steps` each, which cost `epsilon`."""

    epsilon: float
    steps: int
    fits: int

    @cached_property
    def noise(self) -> float:
        return sampled_noise(self.epsilon, DELTA, [], RATE, self.steps)

    def allowed(self, fpr: Values) -> Values:
        return most_found([Event(self.noise, RATE, self.steps)], fpr)

    def scores(self, rows: int) -> Values:
        """[fits, 1 + parameters]: of each fit of a table of `rows` canaries, the log likelihood
        ratio of one being there, by the whole gradient and by single parameters."""
        spec = PrivateSpec(self.noise, RATE, self.steps * self.fits, CLIP, learning_rate=1e-6)
        model, seen = build(MODEL, LAYOUT, 1), []
        with pytest.MonkeyPatch.context() as patch, side_by_side(1) as team:
            watch(patch, seen)
            train_private(model, canary(rows), LAYOUT, MODEL.objective, spec, EXPECTED, team)
        product, square = np.stack(seen).transpose(1, 0, 2) / self.noise**2
        steps = np.log1p(RATE * np.expm1(product - square / 2))
        return steps.reshape(self.fits, self.steps, -1).sum(1)

    def found(self, absent: Values, present: Values) -> dict[int, tuple[float, float]]:
        """Scores by which the canary is found too often: which share of the present passes their
        threshold at least, and which of the absent at most."""
        pilot = int(PILOT * self.fits)
        at = self.thresholds(absent[:pilot], present[:pilot])
        false, true = ((scores[pilot:] > at).sum(axis=0) for scores in (absent, present))
        alpha = np.full(len(at), ALPHA / 4 / (len(at) - 1))
        alpha[0] = ALPHA / 4
        least, _ = shares(true, self.fits - pilot, alpha)
        _, most = shares(false, self.fits - pilot, alpha)
        allowed = self.allowed(most)
        return {i: (least[i], most[i]) for i in np.flatnonzero(least > allowed).tolist()}

    def thresholds(self, absent: Values, present: Values) -> Values:
        """Of each score, the one that is passed too often by most."""
        fpr = np.linspace(0.001, 1, 500)
        curve, at = self.allowed(fpr), np.concatenate([absent, present])
        false, true = ((s[:, None] > at).mean(axis=0) for s in (absent, present))
        over = true - np.interp(false + UNSURE, fpr, curve)
        return np.take_along_axis(at, over.argmax(axis=0)[None], 0)[0]

    def strength(self, absent: Values, present: Values) -> float:
        """By how much oftener the present are called present than the absent, as a share of what
        the accountant allows."""
        fpr = np.linspace(0.01, 0.99, 99)
        called = (present[:, 0] > 0).mean() - (absent[:, 0] > 0).mean()
        return float(called / (self.allowed(fpr) - fpr).max())


def shares(passed: NDArray[np.int64], fits: int, alpha: Values) -> tuple[Values, Values]:
    """Between which shares of all fits pass, surely but for `alpha` on each side."""
    least = stats.beta.ppf(alpha, passed, fits - passed + 1)
    most = stats.beta.isf(alpha, passed + 1, fits - passed)
    return np.where(passed > 0, least, 0.0), np.where(passed < fits, most, 1.0)


def watch(patch: Patch, seen: list[Values]) -> None:
    """Of every step, [2, 1 + parameters]: what Adam was given times the canary's gradient, and that
    gradient's squared length, in units of the bound; of all parameters, then of each."""
    honest, towards = PrivateSteps.step, []

    def step(steps: PrivateSteps, rows: Rows, weight: float, factor: float) -> None:
        if not towards:  # weights hardly move
            one = Batch.of(canary(1), torch.zeros(1, 1), weight, 0)
            gradient = steps.sums.of(one).double().numpy()
            towards.append(gradient / np.linalg.norm(gradient))
        honest(steps, rows, weight, factor)
        given = steps.own.grad.double().numpy() * (RATE * EXPECTED / CLIP)
        both = np.stack([given, towards[0]]) * towards[0]
        starts = np.cumsum([0, *steps.sums.flat.sizes[:-1]])
        seen.append(np.column_stack([both.sum(1), np.add.reduceat(both, starts, axis=1)]))

    patch.setattr(PrivateSteps, "step", step)


def half_the_noise(patch: Patch) -> None:
    honest = NoisyOptimizer.add_noise

    def add_noise(optimizer: NoisyOptimizer) -> None:
        whole = optimizer.noise_multiplier
        optimizer.noise_multiplier = whole / 2
        honest(optimizer)
        optimizer.noise_multiplier = whole

    patch.setattr(NoisyOptimizer, "add_noise", add_noise)


def no_clipping(patch: Patch) -> None:
    patch.setattr(ClippedSum, "factor", lambda sums, squares: torch.ones_like(squares))


def full_batch(patch: Patch) -> None:
    patch.setattr(private, "included", lambda rng, rows, rate: torch.arange(rows))


def one_parameter_without_noise(patch: Patch) -> None:
    honest = ClippedSum.in_use

    def in_use(sums: ClippedSum) -> Tensor:
        marks = honest(sums)
        sums.flat.views(marks)[3].zero_()
        return marks

    patch.setattr(ClippedSum, "in_use", in_use)


def nightly(value: object) -> object:
    return pytest.param(value, marks=pytest.mark.nightly)


WRONG = [half_the_noise, no_clipping, full_batch, one_parameter_without_noise]
# How often each finds what is wrong was simulated: in 99.6 to 100 % of 500 times.
QUICK, LONG = Audit(6.0, 1, 1200), Audit(3.0, 10, 1500)
audits = pytest.mark.parametrize("audit", [QUICK, nightly(LONG)], ids=["quick", "long"])


@pytest.fixture(autouse=True)
def the_same_coins(request: pytest.FixtureRequest, monkeypatch: Patch) -> None:
    """What is run every day has one outcome; at length, coins fall anew."""
    if request.node.get_closest_marker("nightly") is None:
        keys = itertools.count(1)
        monkeypatch.setattr(private, "Secret", lambda: Generator(Philox(key=next(keys))))


@audits
def test_the_trainer_tells_what_was_paid_for(audit: Audit) -> None:
    absent, present = (audit.scores(rows) for rows in (0, 1))
    assert audit.found(absent, present) == {}
    assert audit.strength(absent, present) > 0.65


@audits
@pytest.mark.parametrize("wrong", [*WRONG[:2], *(nightly(wrong) for wrong in WRONG[2:])])
def test_a_trainer_that_tells_more_is_caught(
    wrong: Callable[[Patch], None], audit: Audit, monkeypatch: Patch
) -> None:
    wrong(monkeypatch)
    monkeypatch.setattr(private, "check", lambda *_: None)  # it would catch some of it
    found = audit.found(*(audit.scores(rows) for rows in (0, 1)))
    assert found.keys() >= ({0} if wrong is not one_parameter_without_noise else {4})


def test_the_canary_is_longer_than_the_bound_and_points_one_way() -> None:
    """Whatever the noise of z is, which the attacker does not know."""
    model = build(MODEL, LAYOUT, 1)

    def loss(batch: Batch) -> Tensor:
        return MODEL.objective.loss(model(batch.rows, batch.noise), batch.weight)

    with side_by_side(1) as team:
        sums = ClippedSum(model, loss, 1e9, team)
        with sums.watching():
            noise = [torch.zeros(1, 1), *torch.randn(50, 1, 1)]
            each = [sums.of(Batch.of(canary(1), z, 1.0, 0)).clone() for z in noise]
    still, *others = each
    assert min(float(gradient.norm()) for gradient in others) > 5 * CLIP
    assert torch.cosine_similarity(torch.stack(others), still[None]).mean() > 0.9
