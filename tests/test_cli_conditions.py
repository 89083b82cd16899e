"""`synthvae sample` under conditions, as a user types it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthvae.artifact import Artifact
from synthvae.completing import Completer
from synthvae.delivery import deliver
from synthvae.errors import UsageError
from synthvae.guard import refusals
from synthvae.outputs.places import place_of
from synthvae.table import from_frame

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


GIVEN = "visits,score,group,customer_id,since\n3,1.50,low,Mine-1,\n,2.5,,,\n5,,rare,Mine-1,\n"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Partial rows; of `since` nothing is given, and an identifier comes twice."""
    path = tmp_path / "given.csv"
    path.write_text(GIVEN)
    return path


@pytest.mark.parametrize("name", ["o.csv", "o.parquet", "o.jsonl.gz", "o.arrow", "parts/"])
def test_completed_rows_are_noted_and_proved(
    name: str, cli, model: Path, given: Path, tmp_path: Path
) -> None:
    out = f"{tmp_path}/{name}"
    done = cli("sample", "-m", model, "--conditions", given, "-o", out, "--seed", 4)
    assert done.exit_code == 0, done.output
    note = Path(f"{out.rstrip('/')}.manifest.json")
    noted = json.loads(note.read_text())
    assert noted["synthetic"] is True
    assert noted["rows"] == 3
    columns = ["customer_id", "group", "score", "visits"]
    assert noted["request"] | {"conditions": sorted(noted["request"]["conditions"])} == {
        **{"rows": 3, "seed": 4, "given": {}, "column": "", "counts": {}},
        "conditions": columns,
    }
    assert noted["privacy"]["dp"] is False
    assert all(name in noted["privacy"]["given"] for name in columns)
    assert not any(column["unique"] for column in noted["schema"])
    told = note.read_text()
    assert not any(value in told for value in ("Mine", "rare", "1.50", "given.csv"))
    proved = cli("verify", out, "--json")
    assert proved.exit_code == 0, proved.output
    assert json.loads(proved.stdout)["rows"] == 3
    assert "--model" not in proved.stderr  # it alone can't draw them


def test_completed_rows_in_parquet_say_themselves_what_they_are(
    cli, model: Path, given: Path, tmp_path: Path
) -> None:
    out, note = tmp_path / "o.parquet", tmp_path / "n.json"
    arguments = ("sample", "-m", model, "--conditions", given, "-o", out, "--manifest", note)
    assert cli(*arguments, "--timestamp").exit_code == 0
    noted = json.loads(note.read_text())
    assert noted.pop("created")
    noted.pop("output")
    assert json.loads(pq.read_schema(out).metadata[b"synthvae"]) == noted
    assert cli(*arguments, "--force", "--no-manifest").exit_code == 2
    assert cli(*arguments[:-2], "--force", "--no-manifest").exit_code == 0
    assert not (tmp_path / "o.parquet.manifest.json").exists()


def test_a_changed_cell_of_completed_rows_is_found(
    cli, model: Path, given: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.csv"
    assert cli("sample", "-m", model, "--conditions", given, "-o", out).exit_code == 0
    out.write_text(out.read_text().replace("1.50", "1.51"))
    done = cli("verify", out)
    assert done.exit_code == 1
    assert "is not the file that was written" in done.stderr


def test_completed_rows_are_not_drawn_anew_from_the_model_alone(
    cli, model: Path, given: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.csv"
    assert cli("sample", "-m", model, "--conditions", given, "-o", out).exit_code == 0
    done = cli("verify", out, "-m", model)
    assert done.exit_code == 2
    assert "cells of " in done.stderr
    assert "were given" in done.stderr
    assert "leave -m out" in done.stderr


def test_given_cells_of_another_type_are_proved_too(cli, model: Path, tmp_path: Path) -> None:
    given, out = tmp_path / "given.parquet", tmp_path / "o.parquet"
    rows = {"visits": pa.array([1, None, 3], pa.int8()), "score": pa.array([1.5, 2.5, None])}
    dates = pa.array([date(2020, 2, 1), None, date(2020, 3, 1)])
    pq.write_table(pa.table({**rows, "since": dates}), given)
    done = cli("sample", "-m", model, "--conditions", given, "-o", out)
    assert done.exit_code == 0, done.output
    written = pq.read_table(out)
    assert written["score"].to_pylist()[:2] == [1.5, 2.5]
    assert written["visits"].to_pylist()[::2] == [1, 3]
    done = cli("verify", out)
    assert done.exit_code == 0, done.output


def test_completed_rows_go_into_a_database(cli, model: Path, given: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/rows.db"
    done = cli("sample", "-m", model, "--conditions", given, "-o", url, "--table", "t")
    assert done.exit_code == 0, done.output
    with sqlite3.connect(tmp_path / "rows.db") as database:
        assert database.execute('select "group" from t').fetchall()[::2] == [("low",), ("rare",)]
    assert (tmp_path / "rows.db.t.manifest.json").exists()


def test_the_guard_lets_no_given_cells_through(
    cli, model: Path, given: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.csv"
    assert cli("sample", "-m", model, "--conditions", given, "-o", out).exit_code == 0
    (reason,) = refusals([out], [])
    assert "cells of 'o.csv' were given" in reason


def test_a_run_does_not_go_on_with_other_given_cells(
    fitted: Fitted, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.outputs.single.KEEP_FROM", 1)
    place = place_of(str(tmp_path / "o.csv"), None, None)
    one, other = (
        Completer.of(model, from_frame(pd.DataFrame({"visits": cells})), 0, "text")
        for cells in ([1, 2], [1, 3])
    )

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(one, one.request, place, watch=stop)
    with pytest.raises(UsageError, match="request differ"):
        deliver(other, other.request, place, resume=True)
    assert deliver(one, one.request, place, resume=True)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["-n", 5, "--where", "group = 'low'"], 2, "equality is written =="),
        (["-n", 5, "--where", "grup == 'low'"], 2, "did you mean 'group'?"),
        (["-n", 5, "--where", "visits > 1000"], 2, "it writes 0 to"),
        (["--where", "visits > 3"], 2, "add -n"),
        (["-n", 5, "--set", "visits"], 2, "--set takes COLUMN=VALUE"),
        (["-n", 4, "--where", "visits > 3", "--balance", "group"], 2, "sample twice"),
        (["-n", 4, "--conditions", "x.csv"], 2, "leave those out"),
        (["--set", "visits=3", "--conditions", "x.csv"], 2, "--set; leave those out"),
    ],
)
def test_wrong_input_is_said(
    options: list[object], code: int, words: str, cli, model: Path, tmp_path: Path
) -> None:
    done = cli("sample", "-m", model, "-o", tmp_path / "o.csv", *options)
    assert done.exit_code == code
    assert words in done.stderr
    assert not (tmp_path / "o.csv").exists()


def test_a_slow_condition_says_how_it_would_be_fast(
    cli, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "fit with --condition-on group for full speed"
    where = ("--where", "group == 'rare' and visits > 3")
    arguments = ("sample", "-m", model, "-n", 50, "-o", tmp_path / "o.csv", "--force", *where)
    for slow, said in ((1.1, True), (0.0, False)):
        monkeypatch.setattr("synthvae.acceptance.SLOW", slow)
        done = cli(*arguments)
        assert done.exit_code == 0, done.output
        assert (words in " ".join(done.stderr.split())) is said
