"""Canaries: rows put in by the fall of a coin, and found again where rows are learnt by heart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthvae import pipeline
from synthvae.artifact import Artifact
from synthvae.canaries import bounds_by_canaries, canaries, made_up
from synthvae.membership_scores import Suspects
from synthvae.settings import parse
from synthvae.table import Table, from_frame

ROWS = 240


def frame(rows: int = 2 * ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            **{f"c{i}": rng.choice(list("aaaaabcd"), rows) for i in range(8)},
            "x": rng.normal(size=rows).round(2),
        }
    )


def learnt(epochs: int) -> tuple[Artifact, Table, Table]:
    table = from_frame(frame())
    real, holdout = table.rows(slice(0, ROWS)), table.rows(slice(ROWS, None))
    training = {"epochs": epochs, "batch": 50, "validation": 0.0, "patience": 1000}
    settings = parse({"training": {**training, "learning_rate": 0.01}})
    return pipeline.fit(real, None, settings, threads=1), real, holdout


def texts(table: Table) -> list[tuple[str | None, ...]]:
    columns = [[*column.texts, None] for column in table.columns]
    codes = [column.codes for column in table.columns]
    return list(zip(*([t[i] for i in c] for t, c in zip(columns, codes, strict=True)), strict=True))


def test_made_up_rows_have_rare_values_as_often_as_common_ones() -> None:
    table = from_frame(pd.DataFrame({"k": ["often"] * 990 + list("bcdefghijk")}))
    made = made_up(table, 1100, np.random.default_rng(0))
    counts = made["k"].counts
    assert counts.min() > 60
    assert counts.max() < 145


def test_half_are_strange_rows_of_the_holdout_and_half_made_up() -> None:
    artifact, real, holdout = learnt(2)
    suspects = Suspects.of(artifact, real, holdout, 0)
    chosen = canaries(suspects, real, holdout)
    assert len(chosen.table) == ROWS // 2
    assert 40 < chosen.included.sum() < 80
    own = set(texts(holdout))
    assert [row in own for row in texts(chosen.table)].count(True) >= ROWS // 4
    again = canaries(suspects, real, holdout)
    assert (again.included == chosen.included).all()


def test_a_model_that_learns_by_heart_has_no_small_epsilon() -> None:
    artifact, real, holdout = learnt(30)
    suspects = Suspects.of(artifact, real, holdout, 0)
    steinke, f_dp = bounds_by_canaries(artifact, suspects, real, holdout, 1)
    assert steinke.canaries == ROWS // 2
    assert steinke.epsilon > 1
    assert f_dp.epsilon > 1


def test_a_model_that_has_hardly_learnt_betrays_no_canary() -> None:
    artifact, real, holdout = learnt(1)
    suspects = Suspects.of(artifact, real, holdout, 0)
    bounds = bounds_by_canaries(artifact, suspects, real, holdout, 1)
    assert max(bound.epsilon for bound in bounds) < 0.5


@pytest.mark.parametrize("seed", [0, 1])
def test_seeds_choose_the_canaries(seed: int) -> None:
    table = from_frame(frame())
    made = made_up(table, 20, np.random.default_rng(seed))
    other = made_up(table, 20, np.random.default_rng(seed + 2))
    assert texts(made) != texts(other)
