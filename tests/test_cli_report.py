"""`synthvae report` as a user drives it: files, defaults, refusals."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthvae.reporting_record import without_folders

SCRIPT = Path(sys.executable).with_name("synthvae")


@pytest.fixture(scope="module")
def made(cli, csv: Path, model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three forms of a report on a model, its table and nothing else."""
    folder = tmp_path_factory.mktemp("report")
    forms = ("-o", folder / "r.html", "--json", folder / "r.json", "--markdown", folder / "r.md")
    words = ("report", "-m", model_file, "--real", csv, *forms, "--threads", "1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["synthvae", *map(str, words)])
        done = cli(*words)
    assert done.exit_code == 0, done.output
    assert "statistics of the real table" in done.stderr
    return folder


def test_a_model_and_its_table_are_enough(made: Path) -> None:
    content = json.loads((made / "r.json").read_text())
    names = {record["name"] for record in content["records"]}
    assert {"latent.rate", "latent.projection", "training.loss", "fidelity.c2st"} <= names
    assert content["sections"]["latent"]["absent"] is None
    assert content["sections"]["training"]["kept"] >= 1
    assert content["sections"]["made"]["model"]["preset"] == "arvae"
    assert any("draws at seed 0" in note for note in content["notes"])
    held = content["sections"]["privacy"]["held"]
    assert {column["name"] for column in held["columns"]} >= {"group", "score"}


def test_what_the_model_holds_is_counted_not_shown(made: Path) -> None:
    held = json.loads((made / "r.json").read_text())["sections"]["privacy"]["held"]
    assert all(isinstance(n, int) for column in held["columns"] for n in column["sorts"].values())


def test_a_report_names_files_and_no_folder(cli, csv: Path, made: Path, tmp_path: Path) -> None:
    shown = json.loads((made / "r.json").read_text())["sections"]["made"]["command"]
    assert shown.startswith(f"synthvae report -m model.synthvae --real {csv.name} -o r.html")
    joined = "synthvae report --real='/data/of me/t.csv' -m/models/m.synthvae --target a -o out/"
    assert without_folders(joined) == "synthvae report --real=t.csv -mm.synthvae --target a -o out"
    forms = (
        "--json",
        tmp_path / "p.json",
        "--markdown",
        tmp_path / "p.md",
        "-o",
        tmp_path / "p.html",
    )
    done = cli("report", "--from", made / "r.json", "--public", *forms)
    assert done.exit_code == 0, done.output
    assert not [path for path in tmp_path.iterdir() if csv.name in path.read_text()]


def test_page_and_markdown_say_the_same_number(made: Path) -> None:
    content = json.loads((made / "r.json").read_text())
    ratio = next(r for r in content["records"] if r["name"] == "fidelity.shape_ratio")
    shown = f"{ratio['value']:.2f}"
    assert shown in (made / "r.html").read_text()
    assert shown in (made / "r.md").read_text()


def test_forms_are_made_again_from_the_json(cli, made: Path, tmp_path: Path) -> None:
    again, check = tmp_path / "again.html", tmp_path / "check.json"
    line = {"rule": "shape", "record": "fidelity.shape_ratio", "level": "fail", "limit": "<= 1",
            "value": 2.0, "status": "fail"}  # fmt: skip
    policy = {"name": "mine", "profile": None}
    check.write_text(json.dumps({"schema_version": 1, "policy": policy, "passed": False,
                                 "lines": [line]}))  # fmt: skip
    assert cli("report", "--from", made / "r.json", "-o", again).exit_code == 0
    assert again.read_bytes() == (made / "r.html").read_bytes()
    done = cli("report", "--from", made / "r.json", "--check", check, "--markdown", "-", "-q")
    assert done.exit_code == 0, done.output
    assert "Policy 'mine': ❌ FAIL" in done.stdout
    public = cli("report", "--from", made / "r.json", "--public", "--json", "-")
    assert json.loads(public.stdout)["kind"] == "public"


def test_nothing_is_overwritten_unasked(cli, csv: Path, made: Path) -> None:
    before = (made / "r.html").read_bytes()
    done = cli("report", "--real", csv, "--synthetic", csv, "-o", made / "r.html")
    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert (made / "r.html").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "add --synthetic or -m"),
        (["--from", "{csv}", "-o", "x.html"], 2, "measures nothing again"),
        (["--synthetic", "{csv}", "-o", "-"], 2, "a page is a file"),
        (["--synthetic", "{csv}", "-o", "x.html", "--json", "x.html"], 2, "the same"),
        (["--synthetic", "{csv}", "-o", "x.html", "--audit", "{csv}"], 3, "an audit is JSON"),
        (["--synthetic", "{csv}", "-o", "x.html", "--check", "none.json"], 3, "can't be read"),
        (["--synthetic", "{csv}", "-o", "x.html", "--target", "grup"], 2, "did you mean 'group'"),
        (["-m", "{csv}", "-o", "x.html"], 3, "a model is a file"),
    ],
)
def test_wrong_calls_say_why(
    cli, csv: Path, tmp_path: Path, monkeypatch, arguments, code, words
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("report", "--real", csv, *(str(a).format(csv=csv) for a in arguments))
    assert done.exit_code == code, done.output
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_named_before_the_work(cli, csv: Path, tmp_path, monkeypatch) -> None:
    find = importlib.util.find_spec
    hidden = lambda name, *a: None if name == "matplotlib" else find(name, *a)  # noqa: E731
    monkeypatch.setattr("synthvae.report.drawing.find_spec", hidden)
    done = cli("report", "--real", csv, "--synthetic", csv, "-o", tmp_path / "r.html")
    assert done.exit_code == 2
    assert "matplotlib is not installed" in done.stderr
    assert "synthvae[report]" in done.stderr


@pytest.mark.slow
def test_tables_alone_need_neither_a_model_nor_matplotlib(csv: Path) -> None:
    code = (
        "import sys; from importlib.metadata import entry_points\n"
        "(script,) = entry_points(group='console_scripts', name='synthvae')\n"
        f"sys.argv = ['synthvae', 'report', '--real', {str(csv)!r}, '--synthetic', {str(csv)!r}, "
        "'--json', '-', '-q']\n"
        "try: script.load()()\n"
        "except SystemExit as done: assert not done.code\n"
        "assert not {'synthvae.artifact', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["schema_version"] == 1
