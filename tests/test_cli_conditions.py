"""`synthvae sample` under conditions, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from synthvae.artifact import Artifact

Fitted = Callable[[str], Artifact]


@pytest.fixture(scope="module")
def model(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conditions") / "m.synthvae"
    fitted("arvae").save(path)
    return path


def test_where(cli, model: Path, tmp_path: Path) -> None:
    where = "group == 'rare' and visits > 3"
    out = tmp_path / "o.csv"
    done = cli("sample", "-m", model, "-n", 50, "--where", where, "-o", out, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert 0 < result["acceptance"] <= 1
    assert "of candidates accepted" in done.stderr
    rows = pd.read_csv(out)
    assert len(rows) == 50
    assert set(rows["group"]) == {"rare"}
    assert rows["visits"].min() > 3


def test_partial_rows_keep_their_bytes(cli, model: Path, tmp_path: Path) -> None:
    given, out = tmp_path / "given.csv", tmp_path / "o.csv"
    given.write_text("visits,score,group\n3,1.50,low\n,2.5,\n5,,rare\n")
    done = cli("sample", "-m", model, "--conditions", given, "-o", out)
    assert done.exit_code == 0, done.output
    rows = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert rows["visits"].tolist()[::2] == ["3", "5"]
    assert rows["score"].tolist()[:2] == ["1.50", "2.5"]
    assert rows["group"].tolist()[::2] == ["low", "rare"]
    assert (rows[["visits", "group", "since", "spend"]] != "").all().all()


def test_a_manifest_of_other_rows_does_not_stay(cli, model: Path, tmp_path: Path) -> None:
    given, out = tmp_path / "given.csv", tmp_path / "o.csv"
    given.write_text("visits\n3\n")
    assert cli("sample", "-m", model, "-n", 5, "-o", out).exit_code == 0
    note = tmp_path / "o.csv.manifest.json"
    assert note.exists()
    assert cli("sample", "-m", model, "--conditions", given, "-o", out, "--force").exit_code == 0
    assert not note.exists()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["-n", 5, "--where", "group = 'low'"], 2, "equality is written =="),
        (["-n", 5, "--where", "grup == 'low'"], 3, "did you mean 'group'?"),
        (["-n", 5, "--where", "visits > 1000"], 3, "it writes 0 to"),
        (["--where", "visits > 3"], 2, "add -n"),
        (["-n", 5, "--set", "visits"], 2, "--set takes COLUMN=VALUE"),
        (["-n", 4, "--where", "visits > 3", "--balance", "group"], 2, "sample twice"),
        (["-n", 4, "--conditions", "x.csv"], 2, "leave those out"),
        (["--timestamp", "--conditions", "x.csv"], 2, "--timestamp; leave those out"),
        (["--conditions", "x.csv", "-o", "sqlite:///d.db"], 2, "-o names a database"),
    ],
)
def test_wrong_input_is_said(
    options: list[object], code: int, words: str, cli, model: Path, tmp_path: Path
) -> None:
    done = cli("sample", "-m", model, "-o", tmp_path / "o.csv", *options)
    assert done.exit_code == code
    assert words in done.stderr
    assert not (tmp_path / "o.csv").exists()
