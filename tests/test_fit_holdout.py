"""Rows that `fit` leaves out: by default on the command line, and never learnt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthvae import Synthesizer, UsageError, holdout, opening
from synthvae import artifact as artifacts
from synthvae.errors import MetadataError, SchemaError
from synthvae.reading import read_table
from synthvae.settings import parse
from synthvae.table import from_frame

ROWS = 2600
QUICK = {"training": {"epochs": 1, "batch": 256}}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,600 rows, each with a category of its own beside a common one."""
    rng = np.random.default_rng(0)
    own = [f"v{i}" for i in range(ROWS)]
    path = tmp_path_factory.mktemp("many") / "many.csv"
    table = pd.DataFrame(
        {"own": own, "k": rng.choice(["a", "b"], ROWS), "x": rng.normal(size=ROWS)}
    )
    table.to_csv(path, index=False)
    (path.parent / "meta.yaml").write_text(
        "METADATA_SPEC_VERSION: SINGLE_TABLE_V1\ncolumns:\n"
        "  own: {sdtype: categorical}\n  k: {sdtype: categorical}\n  x: {sdtype: numerical}\n"
    )
    (path.parent / "c.yaml").write_text(
        "preset: tvae\ntraining: {epochs: 1, batch: 256}\nrare: {rows: 0}\n"
    )
    return path


@pytest.fixture(scope="module")
def fitted(cli, many: Path) -> Path:
    model = many.parent / "m.synthvae"
    config = many.parent / "c.yaml"
    done = cli("fit", many, "-c", config, "--metadata", many.parent / "meta.yaml", "-o", model)
    assert done.exit_code == 0, done.output
    assert "520 rows were left out for an audit" in " ".join(done.output.split())
    return model


def test_no_codec_knows_a_row_that_was_left_out(fitted: Path, many: Path) -> None:
    table = read_table(str(many))
    mask = holdout.load(holdout.beside(fitted)).mask(table)
    _, codec = opening.fitted(artifacts.load(fitted))
    known = set(codec["own"].levels)  # type: ignore[attr-defined]
    frame = pd.read_csv(many)
    assert not known & set(frame["own"][mask])
    assert known == set(frame["own"][~mask])
    assert artifacts.load(fitted).content["training"]["rows"] == ROWS - mask.sum() == ROWS - 520


def test_the_model_file_holds_nothing_of_the_note(fitted: Path) -> None:
    note = json.loads(holdout.beside(fitted).read_text())
    content = fitted.read_bytes()
    assert note["model"] == holdout.sha256(fitted)
    assert note["salt"].encode() not in content
    assert not any(text.encode() in content for text in note["rows"][:50])


def test_nothing_of_an_old_model_stands_beside_a_new_one(cli, csv: Path, tmp_path: Path) -> None:
    """Neither the certificate of a private fit nor the note of rows that were left out."""
    model, config = tmp_path / "m.synthvae", tmp_path / "c.yaml"
    config.write_text("preset: tvae\ntraining: {epochs: 1, batch: 256}\nholdout: 0\n")
    old = [tmp_path / "m.privacy_certificate.json", holdout.beside(model)]
    for path in (model, *old):
        path.write_text("{}\n")
    assert cli("fit", csv, "-c", config, "-o", model).exit_code == 2
    assert all(path.exists() for path in old)
    done = cli("fit", csv, "-c", config, "-o", model, "--force")
    assert done.exit_code == 0, done.output
    assert not any(path.exists() for path in old)


def test_a_note_is_not_overwritten_unasked(cli, many: Path, tmp_path: Path) -> None:
    model, config = tmp_path / "m.synthvae", many.parent / "c.yaml"
    holdout.beside(model).write_text("of another model\n")
    done = cli("fit", many, "-c", config, "-o", model)
    assert done.exit_code == 2
    assert "never overwritten unasked" in " ".join(done.output.split())
    assert holdout.beside(model).read_text() == "of another model\n"
    assert not model.exists()
    forced = cli("fit", many, "-c", config, "-o", model, "--force")
    assert forced.exit_code == 0, forced.output
    assert holdout.load(holdout.beside(model)).model == holdout.sha256(model)


def test_a_checkpoint_stays_until_the_note_is_written(
    cli, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(holdout.Holdout, "save", full)
    config, model = many.parent / "c.yaml", tmp_path / "m.synthvae"
    done = cli("fit", many, "-c", config, "-o", model, "--checkpoint-every", 0)
    assert done.exit_code != 0
    assert (tmp_path / "m.synthvae.checkpoint").exists()


def test_none_are_left_out_of_a_small_table_or_if_none_are_wanted(
    cli, csv: Path, many: Path, tmp_path: Path
) -> None:
    small = cli("fit", csv, "-o", tmp_path / "s.synthvae", "--epochs", 1, "--json")
    assert small.exit_code == 0, small.output
    assert "from 2,500 rows on" in " ".join(small.stderr.split())
    assert json.loads(small.stdout)["holdout"] is None
    config = many.parent / "c.yaml"
    whole = cli("fit", many, "-c", config, "-o", tmp_path / "w.synthvae", "--holdout", 0)
    assert whole.exit_code == 0, whole.output
    assert "left out" not in whole.output
    assert {path.name for path in tmp_path.iterdir()} == {"s.synthvae", "w.synthvae"}


def test_a_share_that_is_none_is_refused(cli, csv: Path, tmp_path: Path) -> None:
    done = cli("fit", csv, "-o", tmp_path / "m.synthvae", "--holdout", 0.7)
    assert done.exit_code == 2
    assert "from 0 to 0.5" in " ".join(done.output.split())
    with pytest.raises(MetadataError, match=r"from 0 to 0\.5"):
        parse({"holdout": -0.1})


def test_the_same_seed_leaves_out_the_same_rows_and_makes_the_same_model(
    many: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(many)[["k", "x"]]
    made = [Synthesizer("tvae", settings=QUICK).fit(frame, holdout=0.2) for _ in range(2)]
    for name, model in zip("ab", made, strict=True):
        model.save(tmp_path / f"{name}.synthvae")
    files = [(tmp_path / f"{name}.synthvae").read_bytes() for name in "ab"]
    assert files[0] == files[1]
    notes = [holdout.load(tmp_path / f"{name}.synthvae.holdout.json") for name in "ab"]
    masks = [note.mask(from_frame(frame)) for note in notes]
    assert (masks[0] == masks[1]).all()
    assert notes[0].salt != notes[1].salt


@pytest.mark.parametrize("aside", [True, False])
def test_a_table_is_checked_before_rows_are_left_out(
    aside: bool, cli, many: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(many)[["x"]].assign(n=1)
    rule = {"kind": "range", "column": "n", "min": 0}

    def broken(row: int) -> pd.DataFrame:
        return table.assign(n=table["n"].where(table.index != row, -1))

    left_out = (
        bool(holdout.left_out(from_frame(broken(row)), parse({"holdout": 0.2}))[row]) == aside
        for row in range(1000, 1100)
    )
    row = 1000 + next(i for i, found in enumerate(left_out) if found)
    words = f"is broken in 1 of 2,600 rows, the first of them {row + 1:,};"
    with pytest.raises(SchemaError, match=words):
        Synthesizer("tvae", settings={**QUICK, "constraints": [rule]}).fit(broken(row), holdout=0.2)
    path, rules = tmp_path / "broken.csv", tmp_path / "rules.json"
    broken(row).to_csv(path, index=False)
    rules.write_text(json.dumps([rule]))
    done = cli("fit", path, "--constraints", rules, "-o", tmp_path / "m.synthvae")
    assert done.exit_code == 3
    assert "of 2,600 rows, the first of them" in " ".join(done.output.split())


def test_in_python_nothing_is_left_out_unasked(many: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(many)[["k", "x"]]
    model = Synthesizer("tvae", settings=QUICK).fit(frame)
    model.save(tmp_path / "m.synthvae")
    assert model.artifact.content["training"]["rows"] == ROWS
    assert [path.name for path in tmp_path.iterdir()] == ["m.synthvae"]
    with pytest.raises((UsageError, MetadataError)):
        model.fit(frame, holdout=2.0)


def test_a_fit_that_is_taken_up_again_learns_the_same_rows(many: Path) -> None:
    """A checkpoint belongs to a fingerprint of the rows that are learnt."""

    def learnt(share: float, seed: int = 0) -> str:
        table = read_table(str(many))
        mask = holdout.left_out(table, parse({"holdout": share, "seed": seed}))
        return holdout.without(table, mask).fingerprint()

    assert learnt(0.2) == learnt(0.2)
    assert len({learnt(0.2), learnt(0.3), learnt(0.0), learnt(0.2, seed=1)}) == 4
