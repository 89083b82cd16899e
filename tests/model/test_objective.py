"""The loss: its schedules at chosen epochs, its parts by hand, and what does not go together."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from synthvae.model.objective import Objective
from synthvae.model.schedules import Capacity, Cyclical
from synthvae.model.values import Terms

TERMS = Terms(torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.tensor([[0.5, 3.5], [6.0, 1.0]]))


def test_a_cyclical_weight_rises_and_rests_in_every_cycle() -> None:
    objective = Objective(beta=2.0, warmup_epochs=40, schedule=Cyclical(cycles=4, rising=0.5))
    epochs = [0, 2.5, 5, 9.9, 10, 12.5, 15, 39.9, 40, 100]
    weights = [objective.weight(epoch) for epoch in epochs]
    assert weights == pytest.approx([0, 1, 2, 2, 0, 1, 2, 2, 2, 2])
    assert objective.final == 2.0


def test_a_cycle_that_rises_throughout_ends_at_beta() -> None:
    objective = Objective(warmup_epochs=8, schedule=Cyclical(cycles=2, rising=1.0))
    assert [objective.weight(e) for e in (1, 2, 3, 4, 6, 8)] == [0.25, 0.5, 0.75, 0.0, 0.5, 1.0]


def test_capacity_rises_and_holds_the_rate_of_each_row() -> None:
    objective = Objective(beta=10.0, warmup_epochs=20, schedule=Capacity(nats=5.0))
    assert [objective.weight(e) for e in (0, 10, 20, 30)] == [0.0, 2.5, 5.0, 5.0]
    # Rates of 4 and 7 nats, distortions of 3 nats each.
    assert objective.loss(TERMS, 5.0).tolist() == [3 + 10 * 1, 3 + 10 * 2]
    assert objective.loss(TERMS, 0.0).tolist() == [3 + 10 * 4, 3 + 10 * 7]
    assert objective.final == 5.0


def test_capacity_without_a_warm_up_is_there_at_once() -> None:
    assert Objective(schedule=Capacity(nats=3.0)).weight(0) == 3.0


def test_free_nats_hold_each_unit_of_each_row() -> None:
    assert Objective(free_nats=1.0).loss(TERMS, 2.0).tolist() == [3 + 2 * 4.5, 3 + 2 * 7.0]


def test_importance_weights_are_averaged_within_a_row() -> None:
    objective = Objective(iwae=2)
    log_weights = -torch.tensor([7.0, 10.0])  # distortion and rate of the two draws
    expected = -math.log(float(torch.exp(log_weights).mean()))
    assert objective.loss(TERMS, 1.0).tolist() == pytest.approx([expected])
    assert float(objective.loss(TERMS, 1.0)) < float(Objective().loss(TERMS, 1.0).mean())


def test_noise_has_a_draw_a_row_or_as_many_as_weighed() -> None:
    generator = torch.Generator().manual_seed(0)
    assert Objective().noise(3, 2, generator).shape == (3, 2)
    assert Objective(iwae=5).noise(3, 2, generator).shape == (3, 5, 2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Objective(schedule=Cyclical()), "warmup_epochs is 0"),
        (lambda: Objective(iwae=5, free_nats=0.5), "iwae: 5.*free_nats"),
        (lambda: Objective(iwae=5, schedule=Capacity()), "iwae: 5.*capacity"),
        (lambda: Objective(iwae=0), "iwae is above 0"),
        (lambda: Cyclical(rising=1.5), "rising"),
        (lambda: Cyclical(cycles=0), "cycles"),
        (lambda: Capacity(nats=-1.0), "nats"),
    ],
)
def test_what_does_not_go_together_is_named(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
