"""The moving average of the weights."""

from __future__ import annotations

import pytest
import torch

from synthvae.training.average import EVERY, Average


def test_it_follows_slowly_and_stands_in_while_asked() -> None:
    weight = torch.nn.Parameter(torch.zeros(3))
    average = Average([weight], 0.9)
    with torch.no_grad():
        weight.fill_(1.0)
    average.step()
    follows = 1 - 1 / 11
    with average.in_place():
        assert weight.detach().numpy() == pytest.approx(follows)
    assert (weight == 1).all()
    for _ in range(200 + EVERY):
        average.step()
    with average.in_place():
        assert weight.detach().numpy() == pytest.approx(1, abs=1e-3)


def test_without_decay_it_is_the_weights_themselves() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    average = Average([weight], 0.0)
    average.step()
    with average.in_place():
        assert (weight == 1).all()
    assert average.values == []


def test_it_goes_on_from_its_state() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    one, two = Average([weight], 0.9), Average([weight], 0.9)
    with torch.no_grad():
        weight.fill_(5.0)
    for _ in range(101):
        one.step()
    with torch.no_grad():
        weight.fill_(7.0)
    two.load({name: value.clone() for name, value in one.state().items()})
    for average in (one, two):
        for _ in range(EVERY):
            average.step()
    assert torch.equal(one.values[0], two.values[0])
