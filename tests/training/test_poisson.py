"""Which rows a step takes, and what it is drawn with."""

from __future__ import annotations

import numpy as np
import torch
from scipy import stats

from synthvae.training.poisson import included, normal, secret

ALPHA = 1e-6


def usual(tail: float) -> bool:
    """Whether a value of a cumulative distribution is none of its extremes."""
    return ALPHA < tail < 1 - ALPHA


def test_rows_take_part_at_the_rate_and_on_their_own() -> None:
    rng, rows, rate, draws = secret(), 200, 0.3, 2000
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
    rng = secret()
    assert len(included(rng, 0, 0.5)) == 0
    assert included(rng, 5, 1.0).tolist() == [0, 1, 2, 3, 4]
    assert {len(included(rng, 2, 0.5)) for _ in range(200)} == {0, 1, 2}


def test_no_seed_repeats_it() -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(1)
        np.random.seed(1)
        drawn.append(normal(secret(), 1000))
    assert not torch.isin(*drawn).any()
    assert drawn[0].dtype == torch.float32
