"""The card of a model says what it is, and no value of the table."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from synthvae import artifact, artifact_header
from synthvae.errors import ArtifactError


@pytest.fixture(scope="module")
def text(cli, model_file: Path) -> str:
    done = cli("card", model_file, "-o", "-")
    assert done.exit_code == 0, done.output
    return str(done.stdout)


def test_all_parts_are_there(text: str, model_file: Path) -> None:
    sections = [line for line in text.splitlines() if line.startswith("#")]
    assert sections == [
        "# Model card: model.synthvae", "## Purpose", "## Data", "## How it was made",
        "## Privacy", "## Measured", "## Known limits",
    ]  # fmt: skip
    assert "without differential privacy" in text
    assert "| group | categorical | categorical | 4 |" in text
    assert "| customer_id | id | made up; only whether it is missing is learnt |  |" in text
    assert "preset `arvae` (latent gaussian, prior gmm, decoder autoregressive), seed 0" in text
    assert f"{model_file.stat().st_size:,} bytes" in text


def test_no_value_of_the_table_stands_in_it(text: str, frame: pd.DataFrame) -> None:
    data = text.split("## How it was made")[0]
    for value in (*frame["group"].unique(), frame["customer_id"][0], frame["score"].max()):
        assert not re.search(rf"\b{re.escape(str(value))}\b", data), value


def test_what_was_measured_is_handed_in(cli, model_file: Path, tmp_path: Path) -> None:
    record = {"name": "coverage", "value": 0.9, "interval": {"low": 0.8, "high": 0.9},
              "floor": None, "floor_interval": None, "detail": {}}  # fmt: skip
    (tmp_path / "e.json").write_text(json.dumps({"records": [record]}))
    out = tmp_path / "CARD.md"
    command = ("card", model_file, "-o", out, "--evaluation", tmp_path / "e.json")
    done = cli(*command, "--purpose", "Rows for the nightly tests.")
    assert done.exit_code == 0, done.output
    assert "| fidelity.coverage | 0.9 | 0.8 to 0.9 |" in out.read_text()
    assert "## Purpose\n\nRows for the nightly tests.\n" in out.read_text()
    assert cli(*command).exit_code == 2


def test_the_header_alone_is_what_the_whole_file_says(model_file: Path, tmp_path: Path) -> None:
    assert artifact_header.load(model_file).content == artifact.load(model_file).content
    data = bytearray(model_file.read_bytes())
    data[-1] ^= 1
    (tmp_path / "m.synthvae").write_bytes(data)
    with pytest.raises(ArtifactError, match="does not match its hash"):
        artifact_header.load(tmp_path / "m.synthvae")
    (tmp_path / "m.synthvae").write_bytes(data[:-8])
    with pytest.raises(ArtifactError, match="truncated"):
        artifact_header.load(tmp_path / "m.synthvae")


@pytest.mark.parametrize("command", [("card", "-o", "-"), ("inspect",)])
def test_no_torch_is_loaded(command: tuple[str, ...], model_file: Path) -> None:
    code = (
        "import sys, importlib.metadata as m; from typer.testing import CliRunner;"
        "(s,) = m.entry_points(group='console_scripts', name='synthvae');"
        f"done = CliRunner().invoke(s.load(), {[*command, str(model_file)]!r});"
        "assert done.exit_code == 0, done.output; assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
