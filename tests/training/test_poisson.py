"""Which rows a step takes, and what it is drawn with."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from scipy import stats

from synthvae.training.poisson import Secret, included, normal

ALPHA = 1e-6


def usual(tail: float) -> bool:
    """Whether a value of a cumulative distribution is none of its extremes."""
    return ALPHA < tail < 1 - ALPHA


def test_rows_take_part_at_the_rate_and_on_their_own() -> None:
    rng, rows, rate, draws = Secret(), 200, 0.3, 2000
    taken = np.zeros((draws, rows))
    for draw in range(draws):
        taken[draw, included(rng, rows, rate)] = 1
    spread = rate * (1 - rate)
    of_rows = ((taken.sum(axis=0) - draws * rate) ** 2 / (draws * spread)).sum()
    of_draws = ((taken.sum(axis=1) - rows * rate) ** 2 / (rows * spread)).sum()
    assert usual(stats.chi2.cdf(of_rows, rows))
    assert usual(stats.chi2.cdf(of_draws, draws))  # batches of one size would fail
    pairs = draws * rows // 2
    together = (taken[:, 0::2] * taken[:, 1::2]).sum()
    assert usual(stats.binom.cdf(together, pairs, rate**2))


def test_no_row_and_every_row_can_be_taken() -> None:
    rng = Secret()
    assert len(included(rng, 0, 0.5)) == 0
    assert included(rng, 5, 1.0).tolist() == [0, 1, 2, 3, 4]
    assert {len(included(rng, 2, 0.5)) for _ in range(200)} == {0, 1, 2}


def test_no_seed_repeats_it() -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(1)
        np.random.seed(1)
        drawn.append(normal(Secret(), 1000))
    assert not torch.equal(*drawn)
    assert drawn[0].dtype == torch.float32


def test_normals_are_normal_and_go_together_with_nothing() -> None:
    """Those of one word too, of which a length and an angle make two."""
    drawn = normal(Secret(), 2, 200_000)
    assert usual(stats.kstest(drawn.ravel().numpy(), "norm").pvalue)
    for power in (1, 2, 3):
        one, two = (each - each.mean() for each in (drawn**power).double())
        share = float((one * two).sum() / (one.square().sum() * two.square().sum()).sqrt())
        assert abs(share) * 200_000**0.5 < stats.norm.isf(ALPHA)
    assert normal(Secret(), 3, 5).shape == (3, 5)
    assert normal(Secret(), 0, 5).shape == (0, 5)


def test_tails_are_those_of_a_normal() -> None:
    size = 4_000_000
    drawn = normal(Secret(), size).abs()
    for far in (3.0, 4.0, 4.5):
        beyond = int((drawn > far).sum())
        assert usual(stats.binom.cdf(beyond, size, 2 * stats.norm.sf(far)))


@pytest.mark.parametrize(("byte", "most"), [(b"\x00", 9.6), (b"\xff", 1e-3)])
def test_what_may_be_drawn_is_finite(
    byte: bytes, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", lambda size: byte * size)
    assert 0 <= Secret().random(3).max() < 1
    drawn = normal(Secret(), 3).abs()
    assert torch.isfinite(drawn).all()
    assert float(drawn.max()) < most
    assert (float(drawn.max()) > 9) == (most > 9)


def test_uniforms_are_uniform() -> None:
    drawn = Secret().random(200_000)
    assert usual(stats.kstest(drawn, "uniform").pvalue)
    assert 0 <= drawn.min() < drawn.max() < 1
