"""Shadow models: every row in half of them, the same whoever computes them, and when."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthvae import opening, pipeline
from synthvae import shadows as modules
from synthvae.artifact import Artifact
from synthvae.membership_scores import Read, read
from synthvae.model.vae import Vae
from synthvae.relearning import cautious, for_epochs
from synthvae.settings import parse
from synthvae.shadows import Shadows, halves, train_shadows
from synthvae.table import from_frame
from synthvae.unfinished import NOTHING_KEPT, Arrays, Unfinished

ROWS = 200


@pytest.fixture(scope="module")
def learnt() -> tuple[Artifact, Read]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({f"c{i}": rng.choice(list("abcdef"), ROWS) for i in range(6)})
    training = {"epochs": 12, "batch": 50, "validation": 0.0, "patience": 1000}
    settings = parse({"training": {**training, "learning_rate": 0.01}})
    artifact = pipeline.fit(from_frame(frame), None, settings, threads=1)
    return artifact, read(*opening.fitted(artifact), from_frame(frame), 0)


def shadows(
    learnt: tuple[Artifact, Read], threads: int, models: int = 4, kept: Unfinished = NOTHING_KEPT
) -> Shadows:
    artifact, rows = learnt
    _, codec = opening.fitted(artifact)
    settings, places = opening.settings_of(artifact), np.arange(0, ROWS, 2)
    asked, who = (rows.rows(places),), halves(ROWS, models, 0)

    def pool(number: int) -> Read:
        return rows

    return train_shadows(
        settings, codec, who, pool, asked, places, 0, threads, nearness=nearness, kept=kept
    )


def nearness(model: Vae) -> np.ndarray:
    return np.full(3, float(next(model.parameters()).detach().sum()))


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
    _, codec = opening.fitted(artifact)
    settings = for_epochs(opening.settings_of(artifact), 1)
    places = np.arange(10)
    asked = (pool.rows(places),)

    def told(done: float, _: str) -> None:
        heard.append(done)

    who = halves(ROWS, 2, 0)
    train_shadows(settings, codec, who, lambda _: pool, asked, places, 0, 1, told)
    assert heard == sorted(heard)
    assert heard[0] == 0.0
    assert heard[-1] == pytest.approx(1.0)


class StoppedError(Exception):
    """What stops a work in its midst."""


class Stopping(Unfinished):
    """Stops after two parts."""

    made = 0

    def once(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        if self.made == 2:
            raise StoppedError
        self.made += 1
        return super().once(name, make)


def test_shadows_of_an_audit_that_was_stopped_are_those_of_one_that_was_not(
    learnt: tuple[Artifact, Read], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shadows(learnt, 1)
    folder, made = tmp_path / "a.json.unfinished", []
    with pytest.raises(StoppedError):
        shadows(learnt, 1, kept=Stopping(folder, "k"))
    assert sorted(path.name for path in folder.iterdir()) == [
        "shadow-0.npz", "shadow-1.npz", "synthvae-unfinished",
    ]  # fmt: skip
    relearn = modules.relearn
    monkeypatch.setattr(modules, "relearn", lambda *given: made.append(0) or relearn(*given))
    again = shadows(learnt, 1, kept=Unfinished(folder, "k"))
    assert len(made) == 2  # of four
    np.testing.assert_array_equal(again.nats, whole.nats)
    np.testing.assert_array_equal(again.nearness, whole.nearness)


def test_a_cautious_reference_stops_by_rows_held_out() -> None:
    bold = parse({"training": {"validation": 0.0, "patience": 1000, "epochs": 9}})
    training = cautious(bold).training
    assert (training.validation, training.patience, training.epochs) == (0.1, 5, 9)
    assert cautious(parse({})) == parse({})
