"""`synthvae audit` as a user drives it: outcomes, files, refusals."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthvae.synthesizer import Synthesizer

ROWS = 2600


def table(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    k = rng.choice(list("abcd"), rows)
    x = (rng.normal(size=rows) + (k == "a")).round(3)
    return pd.DataFrame(
        {
            "id": [f"K-{i:06d}" for i in rng.permutation(10**6)[:rows]],
            "k": k,
            "x": x,
            "y": (x + rng.normal(size=rows)).round(3),
        }
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of one kind, the first of which is also released; a model of the first."""
    folder = tmp_path_factory.mktemp("audit")
    for seed, name in enumerate(("real", "holdout", "fresh")):
        table(ROWS if name == "real" else 1200, seed).to_csv(folder / f"{name}.csv", index=False)
    pd.read_csv(folder / "real.csv").to_csv(folder / "copied.csv", index=False)
    settings = {"training": {"epochs": 2, "batch": 256}}
    model = Synthesizer("tvae", settings=settings).fit(pd.read_csv(folder / "real.csv"), None, 0.2)
    model.save(folder / "m.synthvae")
    (folder / "alone.synthvae").write_bytes((folder / "m.synthvae").read_bytes())
    return folder


def tables(files: Path, synthetic: str) -> list[str]:
    given = {"real": "real", "holdout": "holdout", "synthetic": synthetic}
    return [f"--{name}={files / file}.csv" for name, file in given.items()]


def test_a_table_of_copies_fails(cli, files: Path, tmp_path: Path) -> None:
    out, words, kept = (tmp_path / name for name in ("a.json", "a.md", "r.json"))
    done = cli("audit", *tables(files, "copied"), "-o", out, "--markdown", words,
               "--restricted", kept, "--json")  # fmt: skip
    assert done.exit_code == 1, done.output
    found = json.loads(done.stdout)
    assert found == json.loads(out.read_text())
    assert found["verdict"]["outcome"] == "FAIL"
    assert "**FAIL.**" in words.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    shown = json.loads(kept.read_text())["rows"]["exact copies"]
    assert shown
    own = str(shown[0]["x"])
    assert own not in out.read_text()  # the public result shows no real row
    assert own not in words.read_text()


def test_fresh_rows_do_not_fail(cli, files: Path) -> None:
    done = cli("audit", *tables(files, "fresh"))
    assert done.exit_code in (0, 4), done.output
    assert "AUC of" in done.stdout
    assert ("PASS" if done.exit_code == 0 else "INCONCLUSIVE") in done.stdout


def test_a_model_is_audited_by_the_rows_that_its_fit_left_out(cli, files: Path) -> None:
    done = cli("audit", "-m", files / "m.synthvae", "--real", files / "real.csv", "--json",
               "--threads", 1)  # fmt: skip
    assert done.exit_code in (0, 4), done.output
    found = json.loads(done.stdout)
    sizes = found["sizes"]
    assert (sizes["real"], sizes["holdout"]) == (ROWS - 520, 520)
    assert sizes["synthetic"] + sizes["more"] == 10 * (ROWS - 520)
    assert {"model", "released table", "larger table"} <= {a["access"] for a in found["attacks"]}
    assert found["claim"] is None


def test_rows_are_shown_by_their_place_in_the_table_that_was_given(
    cli, files: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "r.json"
    done = cli("audit", "-m", files / "m.synthvae", "--real", files / "real.csv",
               "--synthetic", files / "copied.csv", "--restricted", kept)  # fmt: skip
    assert done.exit_code in (1, 4), done.output  # rows left out are copied too
    shown = json.loads(kept.read_text())["rows"]["exact copies"]
    real = pd.read_csv(files / "real.csv")
    assert len(shown) > 20
    assert [row["x"] for row in shown] == real["x"].iloc[[row["row"] for row in shown]].tolist()


def test_a_deep_audit_adds_shadow_models_and_canaries_and_goes_on_after_a_stop(
    cli, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, real, out = files / "m.synthvae", files / "real.csv", tmp_path / "a.json"
    command = ("audit", "-m", model, "--real", real, "--deep", "--threads", 1, "-o", out)
    work = tmp_path / "a.json.unfinished"
    with monkeypatch.context() as stopping:
        stopping.delattr("synthvae.deep_audit.bounds_by_canaries")
        assert cli(*command).exit_code == 70
    assert len(list(work.glob("shadow-*.npz"))) == 16
    assert not out.exists()
    with monkeypatch.context() as kept:
        kept.delattr("synthvae.shadows.relearn")  # shadows are not learnt again
        done = cli(*command, "--json")
    assert done.exit_code in (0, 1, 4), done.output
    assert "going on with the audit that was stopped" in " ".join(done.stderr.split())
    assert not work.exists()
    found = json.loads(done.stdout)
    names = {a["name"] for a in found["attacks"] if a["access"] == "shadow models"}
    together = "all attacks on the model together"
    assert {*(f"likelihood ratio, {how}" for how in ("online", "midway")), together} <= names
    assert any("released rows" in name for name in names)
    assert len(found["bounds"]) == 4  # ratios and canaries, by two theorems each
    assert any("16 shadow models" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (2, "without a model an audit takes three tables", ("--real", "{real}")),
        (2, "--deep is given without one", ("--real", "{real}", "--synthetic", "{real}",
            "--holdout", "{real}", "--deep")),
        (2, "no note", ("-m", "{alone}", "--real", "{real}")),
        (3, "pass that very file", ("-m", "{model}", "--real", "{holdout}")),
        (3, "would count as learnt", ("-m", "{alone}", "--real", "{real}", "--holdout",
            "{holdout}")),
        (3, "check the path", ("-m", "{holdout}", "--real", "{real}", "--holdout", "{holdout}")),
        (3, "does not exist", ("--real", "none.csv", "--holdout", "{real}", "--synthetic",
            "{real}")),
        (2, "exists", ("-m", "{model}", "--real", "{real}", "-o", "{real}")),
        (2, "two have the same", ("-m", "{model}", "--real", "{real}", "-o", "a.json",
            "--markdown", "a.json")),
        (2, "Missing option", ("-m", "{model}")),
        (2, "greater than or equal to 16", ("-m", "{model}", "--real", "{real}", "--deep",
            "--shadows", "3")),
    ],
)  # fmt: skip
def test_wrong_input_is_named_with_its_exit_code(
    cli, code: int, words: str, arguments: tuple[str, ...], files: Path, tmp_path: Path
) -> None:
    known = {name: files / f"{name}.csv" for name in ("real", "holdout")}
    known |= {"model": files / "m.synthvae", "alone": files / "alone.synthvae"}
    done = cli("audit", *(a.format(**known) for a in arguments))
    text = " ".join(done.output.replace("│", " ").split())
    assert done.exit_code == code, text
    assert words in text
    assert "Traceback" not in text


def test_the_note_of_another_model_is_refused(cli, files: Path, tmp_path: Path) -> None:
    model, note = tmp_path / "m.synthvae", tmp_path / "m.synthvae.holdout.json"
    model.write_bytes((files / "m.synthvae").read_bytes())
    content = json.loads((files / "m.synthvae.holdout.json").read_text())
    note.write_text(json.dumps({**content, "model": "0" * 64}))
    done = cli("audit", "-m", model, "--real", files / "real.csv")
    assert done.exit_code == 3
    assert "the note of another model" in " ".join(done.output.split())


def test_tables_without_a_column_are_named(cli, files: Path, tmp_path: Path) -> None:
    pd.read_csv(files / "fresh.csv").drop(columns="x").to_csv(tmp_path / "x.csv", index=False)
    done = cli("audit", *tables(files, "fresh")[:2], "--synthetic", tmp_path / "x.csv")
    assert done.exit_code == 3
    assert "no column 'x'" in " ".join(done.output.split())


def test_rows_without_a_column_are_refused_before_anything_is_drawn(
    cli, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("synthvae.auditing.released")
    pd.read_csv(files / "fresh.csv").drop(columns="x").to_csv(tmp_path / "x.csv", index=False)
    done = cli("audit", "-m", files / "m.synthvae", "--real", files / "real.csv", "--deep",
               "--synthetic", tmp_path / "x.csv")  # fmt: skip
    assert done.exit_code == 3
    assert "the synthetic table has no column 'x'" in " ".join(done.output.split())


def test_names_of_columns_are_no_markup(cli, files: Path, tmp_path: Path) -> None:
    names = {"id": "key [/b]", "k": "k [usd]", "x": "x [usd]", "y": "y [usd]"}
    for name in ("real", "holdout", "copied"):
        table = pd.read_csv(files / f"{name}.csv").rename(columns=names)
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    done = cli("audit", *tables(tmp_path, "copied"))
    assert done.exit_code == 1, done.output
    shown = " ".join(done.stdout.split())
    assert "reused values of 'key [/b]'" in shown
    assert "[usd]'" in shown  # the column that inference speaks of


def test_without_a_model_torch_is_not_loaded() -> None:
    code = "import sys, synthvae.auditing; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
