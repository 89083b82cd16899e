"""What `fit --log` leaves: a line an epoch, rows to look at, and what the latent says."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from synthvae.artifact import load

VIEWS = ["interpolations", "real", "reconstructions", "samples"]


@pytest.fixture(scope="module", params=["arvae", "vq-vae"])
def logged(request: pytest.FixtureRequest, cli, csv: Path, tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("log")
    command = ("fit", csv, "-o", folder / "m.synthvae", "--preset", request.param, "-q")
    assert cli(*command, "--epochs", 2, "--log", folder).exit_code == 0
    return folder


def test_losses_stand_a_line_an_epoch(logged: Path) -> None:
    found = [json.loads(line) for line in (logged / "losses.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in found] == [1, 2]
    history = load(logged / "m.synthvae").content["training"]["history"]
    assert found == [{"epoch": i + 1, **entry} for i, entry in enumerate(history)]
    assert all(entry["rate"] > 0 for entry in found)


def test_the_latent_is_as_the_model_file_has_it(logged: Path) -> None:
    found = json.loads((logged / "latent.json").read_text())
    assert found == load(logged / "m.synthvae").content["training"]["latent"]
    of_codes, of_units = {"codes", "utilisation"}, {"units", "active", "gap", "normal_gap"}
    assert of_codes <= found.keys() or of_units <= found.keys()


def test_rows_are_there_to_look_at(logged: Path, frame: pd.DataFrame) -> None:
    folder = logged / "epoch-0001"
    assert sorted(path.stem for path in folder.iterdir()) == VIEWS
    for view in VIEWS:
        assert list(pd.read_csv(folder / f"{view}.csv")) == list(frame)
    assert not (logged / "epoch-0002").exists()
