"""Attacks are symmetric in members and others until somebody leaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthvae.audit.combine import combined
from synthvae.audit.membership import distance_scores, exposed_rows, ground_of, neighbours_in
from synthvae.audit.sides import Effort, pool_of, tables_of
from synthvae.evaluation.stats import auc


def coarse(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Two rows in three stand more than once."""
    x = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "g": pd.Series(rng.choice(list("abcd"), rows, p=[0.4, 0.3, 0.2, 0.1]), dtype=object),
            "x": x.round(0),
            "y": (x + rng.normal(size=rows)).round(0),
            "k": rng.poisson(3, rows).astype(float),
            "h": pd.Series(rng.choice(list("pqr"), rows), dtype=object),
        }
    )


@pytest.mark.slow
def test_repeated_rows_and_unequal_sides_do_not_look_like_membership():
    """To remove only rows that stand in both tables would leave the holdout's rarer, and an AUC far
    from one half."""
    found = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        tables = tables_of(coarse(rng, 1500), coarse(rng, 300), coarse(rng, 600), None, None)
        pool = pool_of(tables, {}, Effort(), seed)
        ground = ground_of(tables, pool, Effort(), seed)
        scores = distance_scores(ground, neighbours_in(ground, ground.released))
        found.append([auc(pool.member, each)[0] for each in scores.values()])
    assert np.abs(np.mean(found, axis=0) - 0.5).max() < 0.025


def test_a_threshold_means_the_same_on_both_halves():
    """Distances shrink where there are more rows to be near to: where every holdout row is
    attacked, the second half's reference is cut to the size of the first half's."""
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        frames = [
            pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("wxyz"))
            for rows in (400, 400, 800)
        ]
        tables = tables_of(*frames, None, None)
        pool = pool_of(tables, {}, Effort(), seed)
        ground = ground_of(tables, pool, Effort(), seed)
        scores = distance_scores(ground, neighbours_in(ground, ground.released))
        ratio = scores["density ratio, k = 20"]
        first, second = ratio[~pool.member & ~pool.second], ratio[~pool.member & pool.second]
        found.append((second > np.quantile(first, 0.9)).mean())
    assert np.mean(found) == pytest.approx(0.1, abs=0.03)


def test_exposed_rows_are_far_from_all_others_on_both_sides():
    rng = np.random.default_rng(0)
    frames = [pd.DataFrame({"x": rng.normal(size=400), "y": rng.normal(size=400)}) for _ in "abc"]
    frames[0].loc[:19, "x"] += 50 + 10 * np.arange(20)
    frames[1].loc[:9, "x"] -= 50 + 10 * np.arange(10)
    tables = tables_of(*frames, None, None)
    pool = pool_of(tables, {}, Effort(), 0)
    exposed = exposed_rows(ground_of(tables, pool, Effort(), 0), pool, 0)
    far = np.where(pool.member, pool.place < 20, pool.place < 10)
    assert exposed[far].all()
    assert exposed.mean() == pytest.approx(0.25, abs=0.01)


def test_as_many_rows_are_exposed_where_all_are_equally_far():
    steps = np.arange(60.0)
    frames = [pd.DataFrame({"x": steps[start::2], "y": np.zeros(30)}) for start in (0, 1)]
    tables = tables_of(*frames, frames[0], None, None)
    pool = pool_of(tables, {}, Effort(), 0)
    ground = replace(ground_of(tables, pool, Effort(), 0), points=np.eye(60, dtype=np.float32))
    found = [exposed_rows(ground, pool, seed) for seed in (0, 0, 1)]
    assert [each.sum() for each in found] == [15] * 3
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


def test_a_combination_is_tested_on_rows_that_it_did_not_learn_from():
    """Forty terms of noise: on rows it learnt from, it would seem to know."""
    rng = np.random.default_rng(1)
    member, second = np.arange(400) % 2 == 0, np.arange(400) // 2 % 2 == 0
    noise = rng.normal(size=(400, 40))
    scores = combined(noise, member, second)
    for half in (second, ~second):
        assert abs(auc(member[half], scores[half])[0] - 0.5) < 0.12
    telling = combined(noise + 1.0 * member[:, None] * (np.arange(40) < 3), member, second)
    assert auc(member[second], telling[second])[0] > 0.75
    noise[7, 3] = np.nan
    assert np.isnan(combined(noise, member, second)).sum() == 1
