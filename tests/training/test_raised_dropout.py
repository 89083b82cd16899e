"""More dropout, tried where training stalls: kept if held-out rows gain, else undone."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from synthvae import pipeline
from synthvae.model.objective import Objective
from synthvae.model.spec import TrainingSpec
from synthvae.model.values import Dropout, Rows, Space, Terms
from synthvae.relearning import as_found
from synthvae.settings import parse
from synthvae.table import from_frame
from synthvae.training.average import Average
from synthvae.training.checkpoint import Progress
from synthvae.training.descent import Batch
from synthvae.training.loop import Loop, Trained

ROWS = Rows(torch.zeros(100, 0, dtype=torch.int32), torch.zeros(100, 1))
SPEC = TrainingSpec(epochs=90, batch=9, patience=2, validation=0.1)  # so 10 steps an epoch
PATIENCE, TRIAL = 10, 20
STALLED = 2 + PATIENCE


class Scripted(nn.Module):
    """Its one weight counts the steps; what held-out rows cost is told by `losses`."""

    space = Space(0)

    def __init__(self, features: int, losses: Iterator[float]) -> None:
        super().__init__()
        self.steps, self.features, self.losses = nn.Parameter(torch.zeros(1)), features, losses

    def forward(self, rows: Rows, noise: Tensor, dropout: Dropout | None = None) -> Terms:
        assert dropout is None  # held-out rows are scored without
        return Terms(torch.full((len(rows), 1), next(self.losses)), torch.zeros(len(rows), 0))

    def droppable(self, share: float) -> int:
        return self.features

    def revive(self, rows: Rows, generator: torch.Generator) -> None:
        pass


class Watched:
    """A regime that writes down what it is told to drop, and from which weights each epoch goes."""

    learning_rate = 0.0

    def __init__(self, model: Scripted) -> None:
        self.model, self.average = model, Average([], 0.0)
        self.dropped: list[float] = []
        self.begun: list[float] = []

    def step(self, batch: Batch) -> float:
        if len(self.dropped) % 10 == 0:
            self.begun.append(float(self.model.steps.detach()))
        self.dropped.append(batch.dropped)
        with torch.no_grad():
            self.model.steps += 1
        return 1.0

    def state(self) -> dict[str, Tensor]:
        return {}

    def load(self, state: object) -> None:
        pass


def trained(
    losses: list[float], features: int = 1000, spec: TrainingSpec = SPEC
) -> tuple[Trained, Watched]:
    told = iter(losses + [losses[-1]] * 100)
    regime = Watched(Scripted(features, told))
    loop = Loop(regime.model, regime, Objective(), spec, 0)
    return loop.run(ROWS, lambda *_: None, None, resume=False), regime


def by_epoch(regime: Watched) -> list[float]:
    return regime.dropped[::10]


@pytest.mark.parametrize("later", [4.5, 3.1])  # 3.1: a gain, but less than is worth it
def test_where_it_brings_too_little_all_is_as_before(later: float) -> None:
    done, regime = trained([5.0, 4.0, *[4.5] * PATIENCE, *[later] * TRIAL, *[4.5] * 100])
    cooled = STALLED + TRIAL
    assert by_epoch(regime)[:STALLED] == [0.0] * STALLED
    assert by_epoch(regime)[STALLED:cooled] == [0.8] * TRIAL
    assert set(by_epoch(regime)[cooled:]) == {0.0}
    assert regime.begun[STALLED] == regime.begun[cooled] == 20  # the best weights, both times
    assert (done.progress.early, done.progress.best_epoch) == (cooled, 2)
    assert done.progress.best == 4.0
    assert "dropout" not in done.stopped


def test_where_held_out_rows_gain_it_is_kept_to_the_end() -> None:
    slowly = [4.5 - 0.1 * i for i in range(16)]  # down to 3.0 at the 16th
    done, regime = trained([5.0, 4.0, *[4.5] * PATIENCE, *slowly, 2.9, *[3.6] * 100])
    better = STALLED + 17
    assert set(by_epoch(regime)[:STALLED]) == {0.0}
    assert set(by_epoch(regime)[STALLED:]) == {0.8}
    assert done.progress.best_epoch == better
    assert done.progress.early == better + PATIENCE
    assert done.progress.dropped == 0.8
    assert done.stopped.endswith("with dropout raised to 0.8")


def test_a_trial_goes_on_while_it_nearly_brings_enough() -> None:
    """After its time the loss is at 3.36, and at this pace below 3 within a patience."""
    falling = [4.5 - 0.06 * i for i in range(TRIAL + 7)]  # down to 2.94
    done, regime = trained([5.0, 4.0, *[4.5] * PATIENCE, *falling, *[3.6] * 100])
    assert set(by_epoch(regime)[STALLED:]) == {0.8}
    assert done.progress.best_epoch == STALLED + TRIAL + 7


def test_a_trial_that_slows_down_is_given_up() -> None:
    falling = [4.5 - 0.07 * i for i in range(TRIAL)]  # down to 3.17
    done, regime = trained([5.0, 4.0, *[4.5] * PATIENCE, *falling, *[3.1] * PATIENCE, *[4.5] * 100])
    kept = by_epoch(regime)[STALLED:].count(0.8)
    assert TRIAL < kept <= TRIAL + PATIENCE
    assert done.progress.best_epoch == 2


def test_a_trial_that_could_not_be_judged_in_time_is_not_begun() -> None:
    falling = [100.0 - i for i in range(35)]
    done, regime = trained([*falling, *[90.0] * 100])  # stalls after 45 of 90 epochs, 60 constant
    assert set(regime.dropped) == {0.0}
    assert done.progress.early == 45


@pytest.mark.parametrize(
    ("features", "spec"),
    [
        (18, SPEC),  # of 90 rows
        (1000, dataclasses.replace(SPEC, validation=0.0)),
    ],
)
def test_no_trial_where_rows_are_many_or_none_is_held_out(
    features: int, spec: TrainingSpec
) -> None:
    done, regime = trained([5.0, 4.0, *[4.5] * 100], features, spec)
    assert done.progress.early > 0
    assert set(regime.dropped) == {0.0}


def test_patience_is_the_same_while_the_learning_rate_falls() -> None:
    spec = dataclasses.replace(SPEC, raised=0.0)
    # Stalls after 48 of 90 epochs; from then on the learning rate would fall for 16 more.
    falling = [100.0 - i for i in range(48 - PATIENCE)]
    worse = [90.0] * (PATIENCE + 1)
    done, _ = trained([*falling, *worse, *[90.0] * 100], spec=spec)
    assert done.progress.early == 48
    assert done.progress.epoch == 48 + 1 + PATIENCE
    assert done.stopped == f"no better held-out loss since epoch {48 - PATIENCE}"


def test_every_helper_is_told() -> None:
    batch = Batch.of(ROWS, torch.zeros(100, 0), 0.5, 7, dropped=0.8)
    for copy in (pickle.loads(pickle.dumps(batch)), batch.at(slice(0, 9)), *batch.shards()):
        assert copy.dropout().share == 0.8
        assert (copy.weight, copy.whole) == (0.5, 100)


class KilledError(Exception):
    """Stands for a kill at an arbitrary moment."""


@pytest.mark.parametrize("worth", [-0.5, 0.5])
def test_a_killed_fit_resumes_to_the_same_bytes(
    worth: float, frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.training.loop.WORTH", worth)
    table, path = from_frame(frame), tmp_path / "fit.checkpoint"
    chosen = parse({"training": {"epochs": 60, "batch": 27, "patience": 1, "learning_rate": 0.05}})
    seen: list[Progress] = []
    whole = pipeline.fit(table, None, chosen, lambda p, _: seen.append(dataclasses.replace(p)))
    kept = seen[-1].dropped > 0
    assert kept == (worth < 0)
    assert whole.content["training"]["dropped"] == seen[-1].dropped
    trial = next(p.epoch for p in seen if p.trial) + 1
    cooled = next(p.epoch for p in seen if p.raised and p.early and p.epoch > p.early)
    for moment in (trial + 1, cooled + 1):  # a checkpoint is of the epoch before

        def kill(progress: Progress, _: int, moment: int = moment) -> None:
            if progress.epoch == moment:
                raise KilledError

        with pytest.raises(KilledError):
            pipeline.fit(
                table, None, chosen, kill, checkpoint=path, checkpoint_every=0, resume=True
            )
    resumed = pipeline.fit(table, None, chosen, checkpoint=path, resume=True)
    assert resumed.to_bytes() == whole.to_bytes()


def test_models_like_a_fitted_one_take_what_it_found() -> None:
    settings = parse({"model": {"decoder": {"dropout": 0.2}}})
    kept, undone = (as_found(settings, {"dropped": dropped}) for dropped in (0.8, 0.0))
    decoders: list[Any] = [each.model.decoder for each in (kept, undone)]
    assert [(d.dropout, d.number_dropout) for d in decoders] == [(0.8, 0.8), (0.2, 0.0)]
    assert {kept.training.raised, undone.training.raised} == {0.0}
