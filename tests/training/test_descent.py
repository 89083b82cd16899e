"""Gradients far beyond the usual length are cut to it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from synthvae.model.compute import side_by_side
from synthvae.model.values import Rows
from synthvae.training.descent import Batch, Descent


def batch(slope: float) -> Batch:
    rows = Rows(torch.zeros(4, 0, dtype=torch.int32), torch.full((4, 1), slope))
    return Batch.of(rows, torch.zeros(4, 0), 1.0, 0)


def lengths(slopes: list[float], clipping: float) -> tuple[list[float], Descent]:
    """Of the gradients that were followed, each of which would be as long as its slope."""
    weight, followed = nn.Parameter(torch.zeros(1)), []
    with side_by_side(1) as team:
        descent = Descent(
            [weight], lambda b: b.rows.scalars[:, 0] * weight, 0.1, 0.0, team, clipping
        )
        for slope in slopes:
            descent.step(batch(slope))
            followed.append(float(descent.gradients[0].norm()))
    return followed, descent


def test_what_is_longer_than_usual_is_cut() -> None:
    followed, descent = lengths([1.0, 1.2, 6.0, -6.0, 0.1], 1.5)
    usual = [1.0, 1.0, 1.004]  # each 98 % of the one before and 2 % of the length seen
    usual += [0.98 * usual[-1] + 0.02 * 6.0]
    assert followed == pytest.approx([1.0, 1.2, 1.5 * usual[2], 1.5 * usual[3], 0.1])
    last = 0.98 * (0.98 * usual[3] + 0.02 * 6.0) + 0.02 * 0.1
    assert float(descent.moments["length"]) == pytest.approx(last)


def test_nothing_is_cut_unless_asked_for() -> None:
    assert lengths([1.0, 100.0], 0.0)[0] == pytest.approx([1.0, 100.0])


def test_the_usual_length_is_part_of_the_state() -> None:
    _, one = lengths([1.0, 1.0, 2.0], 1.5)
    _, other = lengths([5.0], 1.5)
    other.load(one.state())
    assert float(other.moments["length"]) == pytest.approx(1.02)
