"""What is wrong with a call is said before torch is loaded, which takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CASES = {
    "sample -n 5 -m none": "'none' can't be read",
    "sample -n 5 -m t.csv": "but 't.csv' is not",
    "sample -n 5 -m cut": "damaged",
    "sample -n 5 -m m.synthvae -o t.csv": "never overwritten",
    "sample -n 5 -m m.synthvae -o none/o.csv": "existing folder",
    "sample -n 5 -m m.synthvae -o o.xyz": "has none of",
    "sample -n 5 -m m.synthvae --format xyz -o parts/": "a format is one of",
    "sample -n 5 -m m.synthvae -o - --resume": "leave --resume out",
    "sample -n 5 -m m.synthvae --balance group --per group=low:3": "leave one out",
    "sample -m m.synthvae": "add -n",
    "sample -n 5 -m m.synthvae --given group": "--given takes COLUMN=VALUE",
    "sample -n 5 -m m.synthvae --where visits=3": "equality is written ==",
    "sample -n 5 -m m.synthvae --where grup==3": "did you mean 'group'?",
    "sample -n 5 -m m.synthvae --where visits>4000": "widen it",
    "sample -n 5 -m m.synthvae --real none.csv": "'none.csv' does not exist",
    "sample -n 5 -m m.synthvae --pool customer_id=none.csv": "'none.csv' does not exist",
    "sample -n 5 -m m.synthvae --pool customer_id": "--pool takes COLUMN=FILE",
    "sample -m m.synthvae --conditions none.csv": "'none.csv' does not exist",
    "sample -m m.synthvae --conditions m.synthvae": "has none of",
    "sample -n 3 -m m.synthvae --conditions t.csv": "leave those out",
    "impute none.csv -m m.synthvae": "'none.csv' does not exist",
    "impute t.csv -m none": "'none' can't be read",
    "score none.csv -m m.synthvae": "'none.csv' does not exist",
    "score t.csv -m t.csv": "but 't.csv' is not",
    "score t.csv -m m.synthvae -o t.csv": "never overwritten",
    "encode none.csv -m m.synthvae": "'none.csv' does not exist",
    "encode t.csv -m none": "'none' can't be read",
    "reconstruct none.csv -m m.synthvae": "'none.csv' does not exist",
    "reconstruct t.csv -m none": "'none' can't be read",
    "interpolate none.csv -m m.synthvae --from 1 --to 2": "'none.csv' does not exist",
    "interpolate t.csv -m none --from 1 --to 2": "'none' can't be read",
    "traverse --dim 0 -m none": "'none' can't be read",
    "traverse --dim 0 -m m.synthvae --table none.csv --row 1": "'none.csv' does not exist",
    "export none --sampler-only": "'none' can't be read",
    "export m.synthvae --sampler-only -o t.csv": "never overwritten",
    "verify none.csv -m m.synthvae": "can't be read",
    "verify t.csv -m none": "'none' can't be read",
    "verify t.csv -m m.synthvae --manifest note.json": "reads manifests of format",
    "fit none.csv": "'none.csv' does not exist",
    "fit t.xyz": "has none of",
    "fit t.csv -o t.csv": "never overwritten",
    "fit t.csv -c none.yaml": "none.yaml",
    "fit t.csv --metadata none.yaml": "none.yaml",
    "fit t.csv --constraints none.yaml": "none.yaml",
    "audit --real none.csv -m m.synthvae": "'none.csv' does not exist",
    "audit --real t.csv -m none": "'none' can't be read",
    "report --real none.csv -m m.synthvae": "'none.csv' does not exist",
    "report --real t.csv -m none": "'none' can't be read",
    "evaluate --real none.csv --synthetic t.csv -m m.synthvae": "'none.csv' does not exist",
    "evaluate --real t.csv --synthetic t.csv -m none": "'none' can't be read",
}
WITHOUT_TORCH = """
import json, sys
from typer.testing import CliRunner

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise RuntimeError("torch is loaded")

sys.meta_path.insert(0, Refused())
from synthvae_cli.app import app
done = {command: CliRunner().invoke(app, command.split()) for command in json.load(sys.stdin)}
json.dump({c: [d.exit_code, " ".join(d.stderr.split())] for c, d in done.items()}, sys.stdout)
"""


@pytest.fixture(scope="module")
def told(
    csv: Path, model_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, str]]:
    """Exit code and words of each command, all run by one process."""
    folder = tmp_path_factory.mktemp("early")
    (folder / "t.csv").write_bytes(csv.read_bytes())
    (folder / "m.synthvae").write_bytes(model_file.read_bytes())
    (folder / "cut").write_bytes(model_file.read_bytes()[:-100])
    (folder / "note.json").write_text("{}")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        input=json.dumps(list(CASES)),
        capture_output=True,
        text=True,
        cwd=folder,
        check=True,
    )
    found: dict[str, tuple[int, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("command", list(CASES))
def test_what_is_wrong_is_said_without_torch(
    command: str, told: dict[str, tuple[int, str]]
) -> None:
    code, words = told[command]
    assert CASES[command] in words
    assert code in (2, 3)


def test_torch_is_refused_in_the_process_of_these_tests(
    csv: Path, model_file: Path, tmp_path: Path
) -> None:
    """Else the test above could not fail."""
    command = f"sample -n 5 -m {model_file} -o {tmp_path}/o.csv"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        input=json.dumps([command]),
        capture_output=True,
        text=True,
        check=True,
    )
    code, words = json.loads(done.stdout)[command]
    assert code == 70
    assert "torch is loaded" in words
