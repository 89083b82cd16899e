"""Training: it learns, stops, keeps its best weights, and resumes as if never stopped."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
import torch

from synthvae import pipeline
from synthvae.errors import TrainingError
from synthvae.settings import Settings, parse
from synthvae.table import Table, from_frame
from synthvae.training.checkpoint import Progress


def settings(**training: object) -> Settings:
    return parse({"training": {"epochs": 6, "batch": 100, **training}})


@pytest.fixture(scope="module")
def table(frame: pd.DataFrame) -> Table:
    return from_frame(frame)


class KilledError(Exception):
    """Stands for a kill at an arbitrary moment."""


def kill_after(epochs: int):
    def watch(progress: Progress, _: int) -> None:
        if progress.epoch == epochs:
            raise KilledError

    return watch


def test_the_held_out_loss_falls(table: Table) -> None:
    history = pipeline.fit(table, None, settings(epochs=20)).content["training"]["history"]
    assert history[-1]["loss"] < history[0]["loss"] - 1.0


def test_same_seed_same_model_whatever_the_threads(table: Table) -> None:
    before, files = torch.get_num_threads(), []
    for threads in (1, 2, 2):
        torch.set_num_threads(threads)  # torch's own, which a user may have set, and ours
        files.append(pipeline.fit(table, None, settings(), threads=threads).to_bytes())
    torch.set_num_threads(before)
    assert files[0] == files[1] == files[2]
    other = pipeline.fit(table, None, parse({"seed": 1, "training": {"epochs": 6, "batch": 100}}))
    assert other.to_bytes() != files[0]


@pytest.mark.parametrize("preset", ["arvae", "vae-gan"])
def test_long_gradients_are_cut_where_a_preset_or_a_setting_says_so(
    table: Table, preset: str
) -> None:
    histories = []
    for clipping in (0.0, 0.5):
        chosen = {"preset": preset, "training": {"epochs": 1, "batch": 100, "clipping": clipping}}
        histories.append(pipeline.fit(table, None, parse(chosen)).content["training"]["history"])
    assert histories[0] != histories[1]


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_killed_fit_resumes_to_the_same_bytes(table: Table, tmp_path: Path, stop: int) -> None:
    whole = pipeline.fit(table, None, settings())
    path = tmp_path / "fit.checkpoint"
    with pytest.raises(KilledError):
        pipeline.fit(table, None, settings(), kill_after(stop), checkpoint=path, checkpoint_every=0)
    resumed = pipeline.fit(table, None, settings(), checkpoint=path, resume=True)
    assert resumed.to_bytes() == whole.to_bytes()


@pytest.mark.parametrize(
    ("prior", "objective"),
    [("vamp", {"iwae": 3}), ("flow", {"warmup_epochs": 2, "schedule": {"kind": "cyclical"}})],
)
def test_other_objectives_and_priors_resume_to_the_same_bytes(
    table: Table,
    tmp_path: Path,
    prior: str,
    objective: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("synthvae.model.priors.flow._STEPS", 20)
    model = {"prior": {"kind": prior}, "objective": objective}
    chosen = parse({"preset": "tvae", "model": model, "training": {"epochs": 4, "batch": 100}})
    whole = pipeline.fit(table, None, chosen, threads=1)
    path = tmp_path / "fit.checkpoint"
    with pytest.raises(KilledError):
        pipeline.fit(table, None, chosen, kill_after(2), checkpoint=path, checkpoint_every=0)
    resumed = pipeline.fit(table, None, chosen, checkpoint=path, resume=True)
    assert resumed.to_bytes() == whole.to_bytes()
    history = whole.content["training"]["history"]
    assert history[-1]["loss"] < history[0]["loss"]


def test_resume_after_an_early_end_is_the_same_too(table: Table, tmp_path: Path) -> None:
    nervous = settings(epochs=200, patience=1, learning_rate=0.05)
    whole = pipeline.fit(table, None, nervous)
    dropped = whole.content["training"]
    assert re.search("(no|hardly a) better held-out loss", dropped["stopped"])
    assert dropped["epochs"] < 200
    path = tmp_path / "fit.checkpoint"
    with pytest.raises(KilledError):
        pipeline.fit(
            table,
            None,
            nervous,
            kill_after(dropped["epochs"] - 1),
            checkpoint=path,
            checkpoint_every=0,
        )
    resumed = pipeline.fit(table, None, nervous, checkpoint=path, resume=True)
    assert resumed.to_bytes() == whole.to_bytes()


def test_the_best_weights_are_kept_not_the_last(table: Table) -> None:
    artifact = pipeline.fit(
        table, None, settings(epochs=200, patience=2, learning_rate=0.05, raised=0.0)
    )
    training = artifact.content["training"]
    losses = [entry["loss"] for entry in training["history"]]
    assert training["best_epoch"] < training["epochs"]
    assert losses[training["best_epoch"] - 1] == pytest.approx(min(losses), abs=0.02)


def test_a_checkpoint_of_other_settings_or_rows_is_refused(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "fit.checkpoint"
    with pytest.raises(KilledError):
        pipeline.fit(table, None, settings(), kill_after(2), checkpoint=path, checkpoint_every=0)
    with pytest.raises(TrainingError, match="same table and settings"):
        pipeline.fit(table, None, settings(batch=50), checkpoint=path, resume=True)
    with pytest.raises(TrainingError, match="same table and settings"):
        pipeline.fit(table.rows(slice(0, 500)), None, settings(), checkpoint=path, resume=True)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(TrainingError, match="is none"):
        pipeline.fit(table, None, settings(), checkpoint=path, resume=True)


def test_divergence_is_an_error_that_says_what_to_do(table: Table) -> None:
    with pytest.raises(TrainingError, match="learning_rate"):
        pipeline.fit(table, None, settings(learning_rate=1e12))
    with pytest.raises(TrainingError, match="learning_rate"):
        pipeline.fit(table, None, settings(learning_rate=1e30, epochs=1, batch=600))


def test_torch_settings_are_put_back(table: Table) -> None:
    before = torch.get_num_threads()
    pipeline.fit(table, None, settings(epochs=1))
    assert torch.get_num_threads() == before
