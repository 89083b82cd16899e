"""The rules that follow from the size of a table."""

from __future__ import annotations

import pytest

from synthvae.model.objective import Objective
from synthvae.model.schedules import Capacity, Cyclical
from synthvae.model.spec import PARTS, TrainingSpec
from synthvae.training.plan import BATCH, EPOCHS, WARMUP, plan


@pytest.mark.parametrize(
    ("rows", "batch", "epochs"),
    [(20, 20, 300), (300, 64, 300), (6_000, 256, 292), (35_000, 512, 50), (10**6, 2048, 6)],
)
def test_batch_and_epochs(rows: int, batch: int, epochs: int) -> None:
    made = plan(TrainingSpec(), Objective(), rows)
    assert (made.batch, made.epochs) == (batch, epochs)
    assert made.batch <= BATCH[1]
    assert EPOCHS[0] <= made.epochs <= EPOCHS[1]


def test_what_the_user_says_goes_before_the_rule() -> None:
    made = plan(TrainingSpec(epochs=9, batch=10), Objective(warmup_epochs=20), 1000)
    assert (made.epochs, made.batch) == (9, 10)
    assert made.objective.warmup_epochs == 3


def test_the_learning_rate_ends_low() -> None:
    made = plan(TrainingSpec(epochs=30), Objective(), 1000)
    factors = [made.rate_factor(epoch) for epoch in range(1, 31)]
    assert factors[:20] == [1.0] * 20
    assert factors[-1] == pytest.approx(1 / 20)
    assert factors == sorted(factors, reverse=True)


def test_the_learning_rate_may_fall_before_its_time() -> None:
    made = plan(TrainingSpec(epochs=30), Objective(), 1000)
    assert made.last() == 30
    assert [made.last(early) for early in (1, 6, 10, 11, 29)] == [2, 8, 13, 15, 30]
    factors = [made.rate_factor(epoch, early=6) for epoch in (5, 6, 7, 8)]
    assert factors[:2] == [1.0, 1.0]
    assert factors[3] == pytest.approx(1 / 20)
    assert factors[2] == pytest.approx((1 + 1 / 20) / 2)
    assert [made.cools(6.5, 6), made.cools(6, 6), made.cools(6.5)] == [True, False, False]


def test_the_learning_rate_rises_over_the_first_steps() -> None:
    made = plan(TrainingSpec(epochs=50), Objective(), 1000)
    assert made.rate_factor(0) < 0.1
    assert made.rate_factor(0) < made.rate_factor(0.5) < made.rate_factor(1) == 1.0


def test_patience_is_at_least_a_hundred_steps_and_waits_for_the_rise() -> None:
    assert plan(TrainingSpec(patience=2), Objective(), 35_000).patience == 2
    small = plan(TrainingSpec(patience=2), Objective(), 270)
    assert small.patience == 100 // (270 // small.batch)
    assert small.patient_until == small.epochs / 50
    assert plan(TrainingSpec(epochs=60), Objective(warmup_epochs=20), 35_000).patient_until == 20


def test_more_dropout_is_tried_where_rows_are_few_for_their_features() -> None:
    spec, objective = TrainingSpec(), Objective()
    assert [plan(spec, objective, 1000, features).trial for features in (0, 200)] == [0, 0]
    made = plan(TrainingSpec(epochs=30, patience=4, batch=10), objective, 1000, 201)
    assert made.trial == 8
    assert [made.may_try(epoch) for epoch in (1, 12, 13)] == [True, True, False]
    assert not plan(spec, objective, 1000, 200).may_try(1)


def test_cycles_may_take_two_thirds_of_the_epochs() -> None:
    objective = Objective(warmup_epochs=100, schedule=Cyclical(cycles=2))
    made = plan(TrainingSpec(epochs=30), objective, 1000)
    assert made.objective.warmup_epochs == pytest.approx(20)
    assert [made.objective.weight(e) for e in (5, 10, 15, 20)] == pytest.approx([1, 0, 1, 1])
    held = plan(TrainingSpec(epochs=30), Objective(warmup_epochs=99, schedule=Capacity()), 1000)
    assert held.objective.warmup_epochs == pytest.approx(10)
    assert set(WARMUP) == set(PARTS["schedule"])
