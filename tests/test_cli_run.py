"""`synthvae run`: a small pipeline from a table to an outcome, and what is done again."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from synthvae.constraints import predicates
from synthvae.workflow.lock import NAME

SCRIPT = Path(sys.executable).parent / "synthvae"
POLICY = {"version": 1, "rules": {"rows": {"min": 50}, "schema.valid": {"min": 1}}}


def declare(folder: Path, **changes: object) -> Path:
    """A pipeline whose policy counts rows; nothing that takes long."""
    section = {"data": "data.csv", "rows": 60, "policy": "policy.yaml"}
    section |= {"skip": ["evaluate", "audit", "report"], **changes}
    fit = {"preset": "tvae", "training": {"epochs": 1, "batch": 100}}
    path = folder / "synthvae.yaml"
    path.write_text(yaml.safe_dump({**fit, "run": section}))
    (folder / "policy.yaml").write_text(yaml.safe_dump(POLICY))
    return path


@pytest.fixture(scope="module")
def folder(cli, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that has run once."""
    folder = tmp_path_factory.mktemp("run")
    frame.to_csv(folder / "data.csv", index=False)
    done = cli("run", declare(folder), "-q")
    assert done.exit_code == 0, done.output
    assert done.output == ""
    return folder


def steps(cli, folder: Path, *options: str) -> dict[str, list[str]]:
    """The reasons of each step."""
    done = cli("run", folder / "synthvae.yaml", "--json", *options)
    found = json.loads(done.stdout)["steps"]
    return {
        name: each["reasons"] if isinstance(each, dict) else each for name, each in found.items()
    }


def test_outputs_stand_in_one_folder(folder: Path) -> None:
    names = {path.name for path in (folder / "out").iterdir()}
    assert {"metadata.yaml", "model.synthvae", "synthetic.csv", "check.json", "junit.xml",
            "check.md", ".synthvae-run.json"} <= names  # fmt: skip
    assert len(pd.read_csv(folder / "out" / "synthetic.csv")) == 60


def test_nothing_is_done_twice(cli, folder: Path) -> None:
    declare(folder)
    assert steps(cli, folder) == {
        "detect": [], "fit": [], "sample": [], "check": ["it is asked every time"],
    }  # fmt: skip


def test_another_sampling_seed_fits_nothing(cli, folder: Path) -> None:
    declare(folder, seed=5)
    model = (folder / "out" / "model.synthvae").read_bytes()
    before = (folder / "out" / "synthetic.csv").read_bytes()
    told = cli("run", folder / "synthvae.yaml", "--dry-run")
    assert "sample    would be done: setting seed: 0 -> 5" in told.stdout
    assert (folder / "out" / "synthetic.csv").read_bytes() == before
    done = steps(cli, folder)
    assert (done["fit"], done["sample"]) == ([], ["setting seed: 0 -> 5"])
    assert (folder / "out" / "synthetic.csv").read_bytes() != before
    assert (folder / "out" / "model.synthvae").read_bytes() == model


def test_a_closed_gate_is_the_exit_code(cli, folder: Path) -> None:
    declare(folder, rows=20)
    assert cli("run", folder / "synthvae.yaml").exit_code == 1
    done = cli("run", folder / "synthvae.yaml", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["steps"]["sample"]["reasons"] == []


def test_a_dry_run_makes_no_folder(cli, csv: Path, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(csv.read_bytes())
    done = cli("run", declare(tmp_path), "--dry-run")
    assert done.exit_code == 0, done.output
    assert "fit       would be done: it was never done" in done.stdout
    assert not (tmp_path / "out").exists()


def test_a_wrong_pipeline_is_named(cli, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("run: {rows: 0}\n")
    done = cli("run", tmp_path / "p.yaml")
    assert done.exit_code == 3
    assert done.stderr.count("error:") == 2


def test_evidence_of_an_earlier_pipeline_opens_no_gate(cli, folder: Path, tmp_path: Path) -> None:
    """The files are those of a private fit and its audit; this fit is not private, and no step
    of this pipeline audits."""
    shutil.copytree(folder / "out", tmp_path / "out")
    shutil.copy(folder / "data.csv", tmp_path)
    path, out = declare(tmp_path), tmp_path / "out"
    claim = {"claim": {"epsilon": 1.0, "delta": 1e-5}}
    (out / "model.privacy_certificate.json").write_text(json.dumps(claim))
    (out / "audit.json").write_text(json.dumps({"verdict": {"outcome": "PASS"}}))
    rules = {"privacy.epsilon": {"max": 3}, "privacy.verdict": {"min": 0}, "rows": {"min": 1}}
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump({"version": 1, "rules": rules}))
    done = cli("run", path)
    assert done.exit_code == 1
    words = done.stderr.splitlines()
    assert "no step of this pipeline measures privacy.epsilon, privacy.verdict" in words[0]
    assert words[-1] == f"== exit code 1: the gate is not passed, see {out / 'check.md'}"
    lines = json.loads((out / "check.json").read_text())["lines"]
    found = {line["record"]: line["status"] for line in lines}
    assert found == {"privacy.epsilon": "missing", "privacy.verdict": "missing", "rows": "pass"}


def test_rows_of_another_format_are_not_left_beside(cli, folder: Path) -> None:
    declare(folder, format="tsv", rows=30)
    assert steps(cli, folder)["sample"][0].startswith("setting format: csv -> tsv")
    made = {path.name for path in (folder / "out").glob("synthetic.*")}
    assert made == {"synthetic.tsv", "synthetic.tsv.manifest.json"}
    declare(folder, rows=30)
    steps(cli, folder)


def test_a_run_that_fails_leaves_no_outcome_of_another(cli, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "out", tmp_path / "out")
    (tmp_path / "data.csv").write_text("a\n")
    assert cli("run", declare(tmp_path)).exit_code == 3
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert "model.synthvae" in names
    assert not names & {"check.json", "check.md", "junit.xml"}


def test_code_of_the_user_is_trusted_and_is_an_input(
    cli, csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process that fits nothing too; and who changes it, or a date, gets other rows."""
    monkeypatch.chdir(tmp_path)
    code = "def sane(frame):\n    return frame['visits'] >= 0\n"
    (tmp_path / "rules_of_pipeline.py").write_text(code)
    (tmp_path / "data.csv").write_bytes(csv.read_bytes())
    path = declare(tmp_path)
    rules = (
        "constraints:\n- {kind: predicate, function: 'rules_of_pipeline:sane'}\n"
        "- {kind: range, column: since, min: 2019-01-01}\n"
    )
    path.write_text(path.read_text() + rules)
    done = cli("run", path)
    assert done.exit_code == 0, done.output
    monkeypatch.setattr(predicates, "_TRUSTED", set())
    declare(tmp_path, seed=1)
    path.write_text(path.read_text() + rules)
    done = steps(cli, tmp_path)
    assert (done["fit"], done["sample"]) == ([], ["setting seed: 0 -> 1"])
    (tmp_path / "rules_of_pipeline.py").write_text(code + "\n# or so\n")
    told = steps(cli, tmp_path, "--dry-run")
    why = "input predicate rules_of_pipeline changed"
    assert (told["fit"], told["sample"]) == ([why], [why])


def test_one_run_at_a_time(cli, folder: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with (folder / "out" / NAME).open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = cli("run", declare(folder))
        assert done.exit_code == 2
        assert "another `synthvae run` is at work" in done.stderr
    assert cli("run", declare(folder)).exit_code == 0


def test_a_wrong_policy_is_told_before_anything_is_learnt(cli, csv: Path, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(csv.read_bytes())
    path = declare(tmp_path)
    (tmp_path / "policy.yaml").write_text("version: 1\nrules: {row: {min: 1}}\n")
    done = cli("run", path)
    assert done.exit_code == 3
    assert "did you mean 'rows'?" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.nightly
def test_a_killed_run_goes_on_where_it_stopped(csv: Path, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(csv.read_bytes())
    path = declare(tmp_path)
    content = yaml.safe_load(path.read_text())
    # Longer than the five seconds between checkpoints.
    content["training"] = {"epochs": 400, "patience": 400, "batch": 50}
    path.write_text(yaml.safe_dump(content))
    command = [str(SCRIPT), "run", str(path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    checkpoint = tmp_path / "out" / "model.synthvae.checkpoint"
    for _ in range(2400):
        if checkpoint.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    assert checkpoint.exists()
    told = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True)
    assert "fit       would be done: it was begun and not finished" in told.stdout
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "detect: nothing changed" in done.stderr
    assert not checkpoint.exists()


@pytest.mark.nightly
def test_the_whole_way_with_rows_of_ones_own(cli, tmp_path: Path) -> None:
    """Every step on the bank, with its holdout; the gate looks at what each of them found."""
    bank = Path(__file__).parent.parent / "metadata_examples" / "bank"
    rules = {"fidelity.coverage": {"min": 0}, "copies.exact": {"max": 0.01}, "rows": {"min": 1}}
    declare(tmp_path)
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump({"version": 1, "rules": rules}))
    section = {
        "data": str(bank / "train.csv"), "holdout": str(bank / "holdout.csv"), "rows": 1500,
        "metadata": str(bank / "metadata.yaml"), "policy": "policy.yaml", "skip": ["report"],
    }  # fmt: skip
    path = tmp_path / "synthvae.yaml"
    fit = {"preset": "tvae", "training": {"epochs": 1}}
    path.write_text(yaml.safe_dump({**fit, "run": section}))
    done = cli("run", path, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found["steps"]) == ["fit", "sample", "evaluate", "audit", "check"]
    outcome = json.loads((tmp_path / "out" / "check.json").read_text())
    assert {line["status"] for line in outcome["lines"]} == {"pass"}
    again = json.loads(cli("run", path, "--json").stdout)["steps"]
    assert {name for name, step in again.items() if step["reasons"]} == {"check"}
