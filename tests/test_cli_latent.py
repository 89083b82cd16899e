"""The commands that take a table to a fitted model, driven through the entry point."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (("score", "{csv}"), 600),
        (("encode", "{csv}"), 600),
        (("reconstruct", "{csv}"), 600),
        (("impute", "{csv}", "--draws", "2"), 1200),
        (("interpolate", "{csv}", "--from", "1", "--to", "9", "--steps", "5"), 5),
        (("traverse", "--dim", "1", "--steps", "4"), 4),
        (("traverse", "--dim", "1", "--table", "{csv}", "--row", "7"), 10),
    ],
)
def test_text_on_stdout_and_types_in_files(
    cli, csv: Path, model_file: Path, tmp_path: Path, arguments: tuple[str, ...], rows: int
) -> None:
    filled = [a.format(csv=csv) for a in arguments]
    shown = cli(*filled, "-m", model_file, "-q")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("\n") == rows + 1
    out = tmp_path / "out.parquet"
    done = cli(*filled, "-m", model_file, "-o", out, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["rows"] == rows
    table = pq.read_table(out)
    assert table.num_rows == rows
    assert table.column_names == shown.stdout.splitlines()[0].split(",")
    assert cli(*filled, "-m", model_file, "-o", out).exit_code == 2
    assert cli(*filled, "-m", model_file, "-o", "-", "--json").exit_code == 2


def test_scores_and_fillings_say_what_they_did(
    cli, csv: Path, model_file: Path, tmp_path: Path
) -> None:
    scored = cli("score", csv, "-m", model_file, "-o", tmp_path / "s.csv", "--json")
    found = json.loads(scored.stdout)
    scores = pd.read_csv(tmp_path / "s.csv")
    assert found["mean_score"] == pytest.approx(scores["score"].mean(), abs=1e-3)
    assert found["above_99"] == pytest.approx((scores["percentile"] > 99).mean())
    tight = ("score", csv, "-m", model_file, "-o", tmp_path / "t.csv", "--bound", "iwae")
    assert cli(*tight).exit_code == 0
    assert "percentile" not in pd.read_csv(tmp_path / "t.csv")
    done = cli("impute", csv, "-m", model_file, "-o", tmp_path / "i.csv", "--json")
    missing = pd.read_csv(csv).isna().sum()
    assert json.loads(done.stdout)["filled"] == missing[missing > 0].to_dict()
    assert not pd.read_csv(tmp_path / "i.csv").isna().any().any()


def test_balanced_samples(cli, model_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.csv"
    options = ("-m", model_file, "-o", out, "--force")
    assert cli("sample", "-n", 40, "--balance", "group", *options).exit_code == 0
    assert pd.read_csv(out)["group"].value_counts().tolist() == [10] * 4
    counted = ("--per", "group=low:7", "--per", "group=mid:3")
    done = cli("sample", *counted, *options, "--json")
    assert json.loads(done.stdout)["counts"] == {"low": 7, "mid": 3}
    assert pd.read_csv(out)["group"].value_counts().to_dict() == {"low": 7, "mid": 3}


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (2, "has a number of rows", ("sample",)),
        (2, "balanced or counted", ("sample", "--balance", "group", "--per", "group=low:3")),
        (2, "end it in a number", ("sample", "--per", "group=low")),
        (2, "name a value", ("sample", "--per", "group:5")),
        (2, "leave -n out", ("sample", "-n", "5", "--per", "group=low:3")),
        (2, "did you mean 'group'?", ("sample", "-n", "5", "--balance", "grup")),
        (2, "holds categories", ("sample", "-n", "5", "--balance", "score")),
        (2, "no value 'lo'", ("sample", "--per", "group=lo:3")),
        (2, "row 601 is asked", ("interpolate", "{csv}", "--from", "1", "--to", "601")),
        (2, "dimensions of z", ("traverse", "--dim", "999")),
        (2, "give both", ("traverse", "--dim", "0", "--row", "3")),
        (3, "no column 'group'", ("score", "{other}")),
        (3, "does not exist", ("impute", "none.csv")),
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
) -> None:
    other = tmp_path / "other.csv"
    pd.read_csv(csv).drop(columns="group").to_csv(other, index=False)
    filled = [a.format(csv=csv, other=other) for a in arguments]
    done = cli(*filled, "-m", model_file, "-o", tmp_path / "out.csv")
    assert done.exit_code == code, done.output
    assert words in " ".join(done.output.split())
    assert not (tmp_path / "out.csv").exists()


def test_a_prior_that_does_not_go_with_the_latent_is_a_wrong_call_or_a_wrong_file(
    cli, csv: Path, tmp_path: Path
) -> None:
    config, model = tmp_path / "synthvae.yaml", tmp_path / "m.synthvae"
    config.write_text("preset: vq-vae\nmodel: {prior: {kind: gmm}}\n")
    flags = ("--preset", "vq-vae", "--prior", "gmm")
    for code, options in ((2, flags), (3, ("-c", config))):
        done = cli("fit", csv, "-o", model, *options)
        assert done.exit_code == code, done.output
        assert "latent: vq; combine it with prior: autoregressive" in " ".join(done.output.split())
        assert not model.exists()
