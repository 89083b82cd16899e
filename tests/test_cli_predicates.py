"""A model that names code of its user is of use where the user names it too, and nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from synthvae.constraints import predicates

NAMED = ("--predicate", "rules_of_run:sane")
DRAWING = {
    "sample": ("-n", "20", "-m", "m.synthvae", "-o", "-"),
    "verify": ("out.csv", "-m", "m.synthvae"),
    "audit": ("--real", "data.csv", "--holdout", "holdout.csv", "-m", "m.synthvae"),
    "report": ("--real", "data.csv", "-m", "m.synthvae", "--markdown", "-"),
}


@pytest.fixture(scope="module")
def folder(cli, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, a model of it under a predicate, rows of the model."""
    folder = tmp_path_factory.mktemp("predicates")
    rows = frame[["group", "spend", "visits"]]
    rows.to_csv(folder / "data.csv", index=False)
    rows.assign(spend=(rows.spend + 0.01).round(2)).to_csv(folder / "holdout.csv", index=False)
    (folder / "rules_of_run.py").write_text("def sane(frame):\n    return frame['visits'] >= 0\n")
    rule = {"kind": "predicate", "function": "rules_of_run:sane"}
    content = {"preset": "tvae", "training": {"epochs": 1}, "constraints": [rule], "holdout": 0}
    (folder / "s.yaml").write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = cli("fit", "data.csv", "-c", "s.yaml", "-o", "m.synthvae", "-q")
        assert done.exit_code == 0, done.output
        assert cli("sample", "-n", "50", "-m", "m.synthvae", "-o", "out.csv").exit_code == 0
    sys.modules.pop("rules_of_run")
    return folder


@pytest.mark.parametrize("command", DRAWING)
def test_code_is_run_where_it_is_named(
    cli, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(predicates, "_TRUSTED", set())
    refused = cli(command, *DRAWING[command])
    assert refused.exit_code == 2, refused.output
    assert "if it is yours, add --predicate rules_of_run:sane" in refused.stderr
    done = cli(command, *DRAWING[command], *NAMED)
    assert done.exit_code in (0, 1, 4), done.output  # an audit's outcome is not the point
    assert "error:" not in done.stderr


def test_where_it_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert predicates.file_of("rules_of_run:sane") == folder / "rules_of_run.py"
    assert predicates.file_of("no_such_module:sane") is None
    assert predicates.file_of("sys:sane") is None
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    assert predicates.file_of("__main__:sane") is None
