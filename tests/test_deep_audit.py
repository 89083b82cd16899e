"""The deep part of an audit: bounds from likelihood ratios, and how near drawn rows come."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from synthvae import pipeline
from synthvae.artifact import Artifact
from synthvae.audit import RowScores
from synthvae.audit.points import space_of
from synthvae.conditions import Conditions
from synthvae.deep_audit import Nearness, bounds_of_ratios, dig
from synthvae.evaluation.frames import frame as as_frame
from synthvae.membership_scores import Suspects
from synthvae.metadata import Metadata
from synthvae.metadata import parse as parse_metadata
from synthvae.schema import resolve
from synthvae.settings import parse
from synthvae.table import Table, from_frame
from synthvae.unfinished import Unfinished

ROWS = 300


@pytest.fixture(scope="module")
def learnt() -> tuple[Artifact, Table, Table]:
    rng = np.random.default_rng(4)
    columns = {f"c{i}": rng.choice(list("abcdef"), 2 * ROWS) for i in range(6)}
    table = from_frame(pd.DataFrame({**columns, "x": rng.normal(size=2 * ROWS).round(2)}))
    real, holdout = table.rows(slice(0, ROWS)), table.rows(slice(ROWS, None))
    training = {"epochs": 24, "batch": 50, "validation": 0.0, "patience": 1000}
    settings = parse({"training": {**training, "learning_rate": 0.01}})
    return pipeline.fit(real, None, settings, threads=1), real, holdout


def described(artifact: Artifact) -> Metadata:
    return parse_metadata(artifact.content["metadata"], "the model file")


def suspects_of(learnt: tuple[Artifact, Table, Table], seed: int = 0) -> Suspects:
    artifact, real, holdout = learnt
    return Suspects.of(artifact, real, holdout, seed)


def test_ratios_that_tell_nothing_bound_nothing(learnt: tuple[Artifact, Table, Table]) -> None:
    refuted = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found = RowScores(rng.normal(size=ROWS), rng.normal(size=ROWS))
        bounds = bounds_of_ratios(found, suspects_of(learnt, seed))
        refuted += max(bound.epsilon for bound in bounds) > 0
    assert refuted <= 3  # each of two bounds in 5 % of the runs at most


def test_ratios_that_tell_all_bound_epsilon_from_below(
    learnt: tuple[Artifact, Table, Table],
) -> None:
    rng = np.random.default_rng(0)
    found = RowScores(rng.normal(5, 1, ROWS), rng.normal(size=ROWS))
    found.real[:7] = np.nan  # rows that were not scored
    steinke, f_dp = bounds_of_ratios(found, suspects_of(learnt))
    assert steinke.epsilon > 2
    assert f_dp.epsilon > 2
    assert 500 < steinke.canaries < 2 * ROWS


def test_rows_that_were_released_are_nearest(learnt: tuple[Artifact, Table, Table]) -> None:
    artifact, real, holdout = learnt
    suspects = suspects_of(learnt)
    schema = resolve(described(artifact), real)
    to_frame = partial(as_frame, columns=schema.columns)
    space = space_of(to_frame(holdout), 0)
    asked = space.points(to_frame(real.rows(suspects.places[0])))
    conditions = Conditions.from_json(artifact.content["conditions"])
    near = Nearness(space, asked, ROWS, suspects, conditions, to_frame)
    own = near.of_rows(pd.concat([to_frame(real)] * 5))
    other = near.of_rows(to_frame(holdout))
    drawn = near.of_model(suspects.model)
    assert own.shape == other.shape == drawn.shape == (ROWS,)
    assert np.median(other) < np.median(own)


def test_shadows_find_rows_that_were_learnt_by_heart(
    learnt: tuple[Artifact, Table, Table],
) -> None:
    artifact, real, holdout = learnt
    schema = resolve(described(artifact), real)
    heard: list[float] = []
    found = dig(
        artifact,
        suspects_of(learnt),
        (real, holdout, holdout),
        partial(as_frame, columns=schema.columns),
        4,
        1,
        lambda done, _: heard.append(done),
        Unfinished(),
    )
    for name in ("likelihood ratio, offline", "likelihood ratio, midway"):
        ratios = found.scores[name]
        assert (ratios.real[:, None] > ratios.holdout).mean() > 0.9
    assert len(found.bounds) == 4
    assert heard == sorted(heard)
    by_column = found.scores["likelihood ratio by column, offline"]
    assert by_column.real.shape == (ROWS, 8)
