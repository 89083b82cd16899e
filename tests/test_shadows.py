"""Shadow models: every row in half of them, all from one start, the same whoever computes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthvae import pipeline
from synthvae.artifact import Artifact
from synthvae.membership_scores import Read, read
from synthvae.model.compute import side_by_side
from synthvae.relearning import cautious, for_epochs, relearn
from synthvae.settings import parse
from synthvae.shadows import Plan, Shadows, halves, train_shadows
from synthvae.table import from_frame

ROWS = 200


@pytest.fixture(scope="module")
def learnt() -> tuple[Artifact, Read]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({f"c{i}": rng.choice(list("abcdef"), ROWS) for i in range(6)})
    training = {"epochs": 12, "batch": 50, "validation": 0.0, "patience": 1000}
    settings = parse({"training": {**training, "learning_rate": 0.01}})
    artifact = pipeline.fit(from_frame(frame), None, settings, threads=1)
    return artifact, read(*pipeline.fitted(artifact), from_frame(frame), 0)


def shadows(learnt: tuple[Artifact, Read], threads: int, models: int = 4) -> Shadows:
    artifact, pool = learnt
    _, codec = pipeline.fitted(artifact)
    settings = pipeline.settings_of(artifact)
    places = np.arange(0, ROWS, 2)
    asked, plan = (pool.rows(places),), Plan(models, 4, 12)
    return train_shadows(settings, codec, pool, asked, places, plan, 0, threads)


def test_every_row_is_in_half_of_the_models() -> None:
    mask = halves(101, 16, 0)
    assert (mask.sum(axis=0) == 8).all()
    assert set(mask.sum(axis=1)) == {50, 51}
    assert not (mask[0] == mask[2]).all()
    assert (halves(101, 16, 0) == mask).all()
    assert not (halves(101, 16, 1) == mask).all()


def test_models_that_learnt_a_row_find_it_less_strange(learnt: tuple[Artifact, Read]) -> None:
    found = shadows(learnt, 1)
    nats = found.nats.sum(axis=2)
    assert nats.shape == found.learnt.shape == (4, ROWS // 2)
    assert nats[found.learnt].mean() < nats[~found.learnt].mean() - 0.5


def test_threads_change_nothing(learnt: tuple[Artifact, Read]) -> None:
    one, two = shadows(learnt, 1), shadows(learnt, 2)
    np.testing.assert_array_equal(one.nats, two.nats)


def test_the_share_that_is_done_rises_to_one(learnt: tuple[Artifact, Read]) -> None:
    artifact, pool = learnt
    heard: list[float] = []
    _, codec = pipeline.fitted(artifact)
    settings = pipeline.settings_of(artifact)
    plan, places = Plan(2, 1, 1), np.arange(10)
    asked = (pool.rows(places),)

    def told(done: float, _: str) -> None:
        heard.append(done)

    train_shadows(settings, codec, pool, asked, places, plan, 0, 1, told)
    assert heard == sorted(heard)
    assert heard[0] == 0.0
    assert heard[-1] == pytest.approx(1.0)


def test_a_plan_takes_a_part_of_the_epochs_and_at_least_two() -> None:
    assert Plan.of(16, 400) == Plan(16, 200, 50)
    assert Plan.of(16, 3) == Plan(16, 2, 2)


def test_relearning_goes_on_from_weights(learnt: tuple[Artifact, Read]) -> None:
    artifact, pool = learnt
    _, codec = pipeline.fitted(artifact)
    settings = for_epochs(pipeline.settings_of(artifact), 1)
    with side_by_side(1) as team:
        fresh, warm = (
            relearn(settings, codec, pool.tensors, 0, team, weights)
            for weights in (None, artifact.weights)
        )
    far, near = (
        sum(float((value - artifact.weights[name]).square().sum()) for name, value in each.items())
        for each in (fresh.state_dict(), warm.state_dict())
    )
    assert near < far / 4
    assert torch.isfinite(torch.tensor(near))


def test_a_cautious_reference_stops_by_rows_held_out() -> None:
    bold = parse({"training": {"validation": 0.0, "patience": 1000, "epochs": 9}})
    training = cautious(bold).training
    assert (training.validation, training.patience, training.epochs) == (0.1, 5, 9)
    assert cautious(parse({})) == parse({})
