"""The command line, driven through its entry point."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthvae import artifact as artifacts
from synthvae import opening
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.spec import priors_of
from synthvae.reading import read_table

SCRIPT = Path(sys.executable).with_name("synthvae")


def shell(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    """A process of its own, where stdin, stdout and exit codes are real."""
    command = [str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_help_imports_neither_torch_nor_pandas() -> None:
    (script,) = entry_points(group="console_scripts", name="synthvae")
    code = (
        "import sys, importlib;"
        f"importlib.import_module('{script.module}');"
        "assert not {'torch', 'pandas', 'pyarrow', 'numpy', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


COMMANDS = [
    "detect",
    "fit",
    "sample",
    "verify",
    "schema",
    "export",
    "evaluate",
    "audit",
    "inspect",
    "score",
    "impute",
    "encode",
    "reconstruct",
    "interpolate",
    "traverse",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli, command: str) -> None:
    result = cli(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_evaluate_starts_without_torch() -> None:
    code = "import sys, synthvae.comparison; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_detect_writes_metadata_that_fit_takes(cli, csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "metadata.yaml"
    assert cli("detect", csv, "-o", out).exit_code == 0
    result = cli("fit", csv, "--metadata", out, "-o", tmp_path / "m.synthvae", "--epochs", "1")
    assert result.exit_code == 0, result.output


def test_the_whole_line_in_files(cli, model_file: Path, csv: Path, tmp_path: Path) -> None:
    for name in ("out.csv", "out.csv.gz", "out.tsv", "out.parquet"):
        result = cli("sample", "-n", 300, "-m", model_file, "-o", tmp_path / name, "--seed", 7)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == ""
    text = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert list(text.columns) == list(pd.read_csv(csv).columns)
    for name, sep in (("out.csv.gz", ","), ("out.tsv", "\t")):
        same = pd.read_csv(tmp_path / name, sep=sep, dtype=str, keep_default_na=False)
        pd.testing.assert_frame_equal(same, text)
    typed = pq.read_table(tmp_path / "out.parquet").to_pandas()
    assert typed["visits"].astype(str).tolist() == text["visits"].tolist()
    assert typed["active"].dtype == bool


@pytest.mark.nightly
def test_same_seed_same_bytes_and_prefixes(model_file: Path, tmp_path: Path) -> None:
    def draw(n: int, *options: object) -> bytes:
        done = shell("sample", "-n", n, "-m", model_file, "-o", "-", "--seed", 7, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    long = draw(20_000)
    assert draw(20_000, "--threads", 1) == long
    assert long.startswith(draw(1000))
    for name in ("a.parquet", "b.parquet"):
        shell("sample", "-n", 5000, "-m", model_file, "-o", tmp_path / name)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_pipes(csv: Path, model_file: Path, tmp_path: Path) -> None:
    table = csv.read_bytes()
    found = shell("detect", "-", input=table)
    assert found.returncode == 0
    assert found.stdout.startswith(b"METADATA_SPEC_VERSION: V1")
    assert b"\x1b[" not in found.stdout + found.stderr
    done = shell("fit", "-", "-o", tmp_path / "m.synthvae", "--epochs", 1, input=table)
    assert done.returncode == 0, done.stderr
    assert b"\x1b[" not in done.stderr
    head = subprocess.run(
        f"{SCRIPT} sample -n 200000 -m {model_file} -o - | head -2",
        shell=True,
        capture_output=True,
        check=False,
    )
    assert head.stdout.count(b"\n") == 2
    assert b"Traceback" not in head.stderr
    assert b"Exception" not in head.stderr
    told = f"set -o pipefail; {SCRIPT} inspect {model_file} | head -1 >{tmp_path / 'head'}"
    for _ in range(3):
        assert subprocess.run(["bash", "-c", told], check=False).returncode == 0


def test_who_stops_listening_stops_no_work(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    policy = tmp_path / "policy.yaml"
    command = [str(SCRIPT), "policy", "init", "--profile", "publish", "-o", str(policy)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=write, check=False)
    os.close(write)
    assert done.returncode == 0
    assert policy.exists()


def test_json_goes_to_stdout_and_words_to_stderr(
    cli, csv: Path, model_file: Path, tmp_path: Path
) -> None:
    for arguments in (
        ("detect", csv, "--json"),
        ("fit", csv, "-o", tmp_path / "j.synthvae", "--epochs", 1, "--json"),
        ("sample", "-n", 5, "-m", model_file, "-o", tmp_path / "j.csv", "--json"),
        ("inspect", model_file, "--json"),
    ):
        done = cli(*arguments)
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout)
    quiet = shell("sample", "-n", 5, "-m", model_file, "-o", tmp_path / "q.csv", "-q")
    assert quiet.stdout == quiet.stderr == b""


def test_inspect_lists_every_column(cli, model_file: Path, csv: Path) -> None:
    found = json.loads(cli("inspect", model_file, "--json").stdout)
    assert list(found["columns"]) == list(pd.read_csv(csv).columns)
    assert found["columns"]["group"]["categories"] == ["high", "low", "mid", "rare"]
    assert "without differential privacy" in found["privacy"]
    assert "group" in cli("inspect", model_file).output


def test_a_prior_replaces_that_of_the_preset(cli, csv: Path, tmp_path: Path) -> None:
    config, model = tmp_path / "synthvae.yaml", tmp_path / "m.synthvae"
    config.write_text("model: {prior: {kind: vamp, components: 3}, latent: {size: 2}}\n")
    for prior, components in (("vamp", 3), ("gmm", 32)):
        done = cli(
            "fit", csv, "-c", config, "--prior", prior, "-o", model, "--epochs", 1, "--force"
        )
        assert done.exit_code == 0, done.output
        settings = opening.settings_of(artifacts.load(model))
        assert (settings.model.prior.kind, settings.model.prior.components) == (prior, components)
        assert settings.model.latent.size == 2
    assert set(re.findall(r"\w+", cli("fit", "--help").output)) >= set(priors_of(GaussianSpec()))


def test_a_collapsed_latent_is_warned_of(cli, csv: Path, tmp_path: Path) -> None:
    config, model = tmp_path / "synthvae.yaml", tmp_path / "m.synthvae"
    config.write_text("preset: tvae\nmodel: {objective: {beta: 1000, warmup_epochs: 0}}\n")
    done = cli("fit", csv, "-c", config, "-o", model, "--epochs", 20, "--json")
    assert "warning: a latent tells rows apart" in " ".join(done.stderr.split())
    assert "posterior collapse" in json.loads(done.stdout)["warnings"][0]
    assert "posterior collapse" in " ".join(cli("inspect", model).output.split())


def test_levels_of_a_latent_are_reported(cli, csv: Path, tmp_path: Path) -> None:
    model = tmp_path / "h.synthvae"
    fitted = cli("fit", csv, "-o", model, "--preset", "hvae", "--epochs", 2)
    assert fitted.exit_code == 0, fitted.output
    latent = json.loads(cli("inspect", model, "--json").stdout)["training"]["latent"]
    rates = [latent["rate_level_1"], latent["rate_level_2"]]
    assert f"({rates[0]:.1f} + {rates[1]:.1f} by level" in fitted.output
    assert "rate_level_2" in cli("inspect", model).output


def test_conditions(cli, csv: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "c.synthvae", tmp_path / "c.csv"
    fitted = cli(
        "fit", csv, "-o", model, "--preset", "cvae", "--condition-on", "group", "--epochs", 1
    )
    assert fitted.exit_code == 0, fitted.output
    assert cli("sample", "-n", 50, "-m", model, "-o", out, "--given", "group=rare").exit_code == 0
    assert set(pd.read_csv(out)["group"]) == {"rare"}
    wrong = cli("sample", "-n", 50, "-m", model, "-o", out, "--force", "--given", "group=none")
    assert wrong.exit_code == 2
    piped = cli("sample", "-n", 50, "-m", model, "-o", "-", "--given", "group=none")
    assert (piped.exit_code, piped.stdout) == (2, "")


def test_evaluate_compares(cli, csv: Path, model_file: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(csv, dtype=str, keep_default_na=False)
    frame[::2].to_csv(tmp_path / "real.csv", index=False)
    frame[1::2].to_csv(tmp_path / "holdout.csv", index=False)
    cli("sample", "-n", 400, "-m", model_file, "-o", tmp_path / "s.csv")
    tables = [f"--{name}={tmp_path / file}.csv" for name, file in
              (("real", "real"), ("holdout", "holdout"), ("synthetic", "s"))]  # fmt: skip
    found = cli("evaluate", *tables, "--json", "-o", tmp_path / "e.json")
    assert found.exit_code == 0, found.output
    records = json.loads(found.stdout)
    assert records == json.loads((tmp_path / "e.json").read_text())
    names = [record["name"] for record in records["records"]]
    assert {"shape", "pair", "detector", "utility_gap", "sdmetrics_quality"} <= set(names)
    assert "customer_id" in records["left_out"]
    assert any("is predicted" in note for note in records["notes"])
    files = {role: str(tmp_path / f"{name}.csv") for role, name in
             (("real", "real"), ("holdout", "holdout"), ("synthetic", "s"))}  # fmt: skip
    assert records["tables"] == {r: read_table(f).fingerprint() for r, f in files.items()}
    table = cli("evaluate", *tables).stdout
    assert "\u2026" not in table
    assert max(map(len, table.splitlines()[:12])) <= 80
    assert cli("evaluate", *tables, "--target", "nothing").exit_code == 2


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (3, "does not exist", ("fit", "none.csv")),
        (2, "suffix names its format", ("fit", "table.xlsx")),
        (2, "--force", ("fit", "{csv}", "-o", "{model}")),
        (2, "existing folder", ("fit", "{csv}", "-o", "nowhere/m.synthvae")),
        (2, "did you mean 'tvae'", ("fit", "{csv}", "--preset", "tvea")),
        (2, "did you mean 'vamp'", ("fit", "{csv}", "--prior", "vampp")),
        (2, "--condition-on", ("fit", "{csv}", "--preset", "cvae")),
        (2, "no column 'nothing'", ("fit", "{csv}", "--condition-on", "nothing")),
        (3, "does not exist", ("fit", "{csv}", "--metadata", "none.yaml")),
        (2, "No such option", ("fit", "{csv}", "--epoch", "3")),
        (3, "check the path", ("sample", "-n", "5", "-m", "none.synthvae")),
        (3, "check the path", ("inspect", "{csv}")),
        (2, "COLUMN=VALUE", ("sample", "-n", "5", "-m", "{model}", "--given", "group")),
        (2, "greater than or equal to 1", ("sample", "-n", "0", "-m", "{model}")),
        (
            2,
            "stdout takes rows or JSON",
            ("sample", "-n", "5", "-m", "{model}", "-o", "-", "--json"),
        ),
    ],
)
def test_wrong_input_is_named_with_its_exit_code(
    cli,
    code: int,
    words: str,
    arguments: tuple[str, ...],
    csv: Path,
    model_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli(*(a.format(csv=csv, model=model_file) for a in arguments))
    text = " ".join(done.stderr.replace("│", " ").split())
    assert done.exit_code == code, text
    assert words in text
    assert isinstance(done.exception, SystemExit)
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_bad_tables_are_named(tmp_path: Path, cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n")
    done = shell("fit", "t.csv", cwd=tmp_path)
    assert done.returncode == 3
    assert "row 2 has 1" in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert "20 rows or more" in cli("fit", "t.csv").stderr


LONG = ("--config", "long.yaml")  # it does not end before the signal comes


def heed_signals() -> None:
    """What a shell starts in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def killed(csv: Path, folder: Path, how: int) -> int:
    """Start a fit, wait for its checkpoint, send it a signal; the exit code."""
    command = [str(SCRIPT), "fit", str(csv), *LONG, "--checkpoint-every", "0"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=heed_signals,
    )
    for _ in range(1200):
        if (folder / "model.synthvae.checkpoint").exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(how)
    _, words = process.communicate(timeout=60)
    assert b"Traceback" not in words
    return process.returncode


@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGINT, marks=pytest.mark.nightly), signal.SIGKILL]
)
def test_a_stopped_fit_goes_on_to_the_same_bytes(csv: Path, tmp_path: Path, how: int) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder in (whole, stopped):
        folder.mkdir()
        (folder / "long.yaml").write_text("training: {epochs: 20, patience: 20}\n")
    assert shell("fit", csv, *LONG, cwd=whole).returncode == 0
    assert killed(csv, stopped, how) == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert not (stopped / "model.synthvae").exists()
    unasked = shell("fit", csv, *LONG, cwd=stopped)
    assert unasked.returncode == 2
    assert b"--resume" in unasked.stderr
    done = shell("fit", csv, *LONG, "--resume", cwd=stopped)
    assert done.returncode == 0, done.stderr
    files = [(folder / "model.synthvae").read_bytes() for folder in (whole, stopped)]
    assert files[0] == files[1]
    assert {path.name for path in stopped.iterdir()} == {"model.synthvae", "long.yaml"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named(model_file: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [str(SCRIPT), "sample", "-n", "50000", "-m", str(model_file), "-o", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert b"disk is full" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_fault_is_said_in_words_and_never_read_as_an_answer(
    cli, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise TypeError("what was that?\nno one knows")

    monkeypatch.setattr("synthvae.reading.read_table", fault)
    for traceback in (False, True):
        if traceback:
            monkeypatch.setenv("SYNTHVAE_TRACEBACK", "1")
        done = cli("detect", csv)
        assert done.exit_code == 70
        assert "a fault of synthvae, not of yours (TypeError: what was that?)" in done.stderr
        assert ("Traceback" in done.stderr) is traceback
    assert cli("detect", csv, "--nonsense").exit_code == 2
