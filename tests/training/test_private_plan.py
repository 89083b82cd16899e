"""The rules of private training: a rate within bounds, a learning rate that rises and falls."""

from __future__ import annotations

import numpy as np
import pytest

from synthvae.model.objective import Objective
from synthvae.training.private_plan import BATCH, RATE, private_plan, rate_factor, warmed_up


@pytest.mark.parametrize("rows", [0, 1, 100, 5_000, 40_000, 10**6, 10**9])
def test_a_batch_is_of_one_size_where_the_table_allows_it(rows: int) -> None:
    plan = private_plan(rows)
    assert RATE[0] <= plan.rate <= RATE[1]
    if BATCH / RATE[1] <= rows <= BATCH / RATE[0]:
        assert plan.rate * rows == pytest.approx(BATCH)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    factors = [rate_factor(done) for done in np.linspace(0, 1, 301)]
    changes = np.diff(factors)
    assert factors[0] == factors[-1] == pytest.approx(0.05)
    assert max(factors) == 1.0
    assert (changes[:15] > 0).all()
    assert not changes[16:199].any()
    assert (changes[201:] < 0).all()


@pytest.mark.parametrize("asked", [0.0, 2.0, 100.0])
def test_a_warm_up_ends_while_there_are_steps(asked: float) -> None:
    objective = Objective(warmup_epochs=asked)
    assert warmed_up(objective, 30.0).warmup_epochs == min(asked, 10.0)
