"""`synthvae sample` as a user runs it: outputs, what is left beside them, and runs that stop."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

SCRIPT = Path(sys.executable).with_name("synthvae")
LONG = 80_000  # rows: ten pieces of the size that is set here
SMALL_PIECES = """
import signal, sys
from importlib.metadata import entry_points
import synthvae.outputs.single as single, synthvae.outputs.staging as staging
staging.ROW_GROUP, single.KEEP_FROM = 8_000, 1
# Where SIGINT is ignored, as in background jobs, a child would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)
(script,) = entry_points(group="console_scripts", name="synthvae")
sys.argv[0] = "synthvae"
script.load()()
"""


def shell(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def words(result) -> str:
    return " ".join(result.stderr.split())


def test_arrow_and_json_lines_on_stdout(model_file: Path) -> None:
    arrow = shell("sample", "-n", 300, "-m", model_file, "-o", "-", "--format", "arrow")
    table = pa.ipc.open_stream(arrow.stdout).read_all()
    lines = shell("sample", "-n", 300, "-m", model_file, "-o", "-", "--format", "jsonl").stdout
    rows = [json.loads(line) for line in lines.splitlines()]
    assert [row["visits"] for row in rows] == table["visits"].to_pylist()
    assert [row["group"] for row in rows] == table["group"].to_pylist()


def test_a_pipe_has_a_manifest_if_it_is_asked_for(model_file: Path, tmp_path: Path) -> None:
    note, out = tmp_path / "m.json", tmp_path / "out.csv"
    arguments = ("sample", "-n", 300, "-m", model_file, "-o", "-")
    assert [p.name for p in tmp_path.iterdir()] == []
    out.write_bytes(shell(*arguments, "--manifest", note, "--timestamp").stdout)
    assert json.loads(note.read_text())["created"].startswith("2")
    assert shell("verify", out, "--manifest", note, "-m", model_file).returncode == 0


def test_a_folder_of_parts_is_a_dataset(cli, model_file: Path, tmp_path: Path) -> None:
    base = ("sample", "-n", 2500, "-m", model_file, "--threads", 1)
    assert cli(*base, "-o", tmp_path / "whole.parquet").exit_code == 0
    out = tmp_path / "parts"
    assert cli(*base, "-o", out, "--rows-per-file", 1000).exit_code == 0
    assert sorted(p.name for p in out.iterdir()) == [f"part-{i:05d}.parquet" for i in range(3)]
    whole = pq.read_table(tmp_path / "whole.parquet")
    assert ds.dataset(out).to_table().cast(whole.schema).equals(whole)
    assert cli(*base, "-o", f"{out}/").exit_code == 2
    assert (
        cli(*base, "-o", out, "--rows-per-file", 2000, "--format", "csv", "--force").exit_code == 0
    )
    assert sorted(p.name for p in out.iterdir()) == ["part-00000.csv", "part-00001.csv"]
    assert cli("verify", out, "-m", model_file, "--threads", 1).exit_code == 0


def test_a_table_of_a_database(cli, model_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/rows.db"
    arguments = ("sample", "-n", 400, "-m", model_file, "-o", url, "--table", "t", "--threads", 1)
    assert cli(*arguments).exit_code == 0
    assert cli(*arguments).exit_code == 2
    assert cli(*arguments, "--force").exit_code == 0
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (400,)
    connection.close()
    note = tmp_path / "rows.db.t.manifest.json"
    assert sorted(tmp_path.iterdir()) == [tmp_path / "rows.db", note]
    assert json.loads(note.read_text())["synthetic"] is True
    assert "write a file to have rows proved" in words(cli("verify", url, "--manifest", note))
    assert cli(*arguments, "--force", "--no-manifest").exit_code == 0
    assert not note.exists()


def test_no_manifest_leaves_none_of_an_older_run(cli, model_file: Path, tmp_path: Path) -> None:
    arguments = ("sample", "-n", 10, "-m", model_file, "-o", tmp_path / "a.csv", "--threads", 1)
    assert cli(*arguments).exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.csv.manifest.json"]
    assert cli(*arguments, "--force", "--no-manifest").exit_code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    (tmp_path / "a.csv").unlink()
    (tmp_path / "a.csv.manifest.json").write_text("mine")
    assert cli(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "a.xlsx"), "a table's suffix names its format"),
        (("-o", "a.csv", "--format", "jsonl"), "is csv by its suffix"),
        (("-o", "-", "--format", "parquet"), "a pipe takes csv"),
        (("-o", "-", "--rows-per-file", "10"), "parts go into a folder"),
        (("-o", "-", "--resume"), "files are resumed"),
        (("-o", "a.csv", "--table", "t"), "--table names the table of a database"),
        (("-o", "a.csv", "--manifest", "m", "--no-manifest"), "leave one out"),
        (("-o", "nowhere/a.csv"), "goes into an existing folder"),
        (("-o", "nowhere/parts/"), "goes into an existing folder"),
        (("-o", "a.parket/"), ""),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    cli, model_file: Path, tmp_path: Path, monkeypatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("sample", "-n", 10, "-m", model_file, "--threads", 1, *options)
    assert result.exit_code == (2 if said else 0)
    assert said in words(result)
    assert said == "" or list(tmp_path.iterdir()) == []


def test_a_broken_promise_writes_nothing(cli, model_file, tmp_path, monkeypatch) -> None:
    from synthvae import delivery
    from synthvae.fields import fields_of

    def narrow(codec):
        return tuple(replace(f, high=1.0) if f.name == "visits" else f for f in fields_of(codec))

    monkeypatch.setattr(delivery, "fields_of", narrow)
    for out in ("a.parquet", "a.csv", "parts/"):
        result = cli("sample", "-n", 50, "-m", model_file, "-o", f"{tmp_path}/{out}")
        assert result.exit_code == 70
        assert "column 'visits': values lie from 0 to 1" in words(result)
    assert list(tmp_path.iterdir()) == []


def long_run(model: Path, out: Path, *options: object) -> list[str]:
    """A run that keeps pieces of 8,000 rows, so that it is not as long as it would have to be."""
    command = ["sample", "-n", LONG, "-m", model, "-o", out, "--threads", 1, *options]
    return [sys.executable, "-c", SMALL_PIECES, *map(str, command)]


def begun(model: Path, out: Path, *options: object) -> subprocess.Popen[bytes]:
    """Such a run, which has kept some of its rows."""
    command = long_run(model, out, *options)
    # In a group of its own, so that helpers are stopped as well.
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    kept = out.with_name(f".{out.name}.resume")
    while len([*kept.rglob("0*.rows"), *kept.rglob("part-*")]) < 2:
        assert process.poll() is None, "it ended before it could be stopped"
        time.sleep(0.005)
    return process


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.parquet", ()),
        pytest.param("a.csv", (), marks=pytest.mark.nightly),
        pytest.param("parts", ("--rows-per-file", 15_000), marks=pytest.mark.nightly),
    ],
)
def test_a_run_that_was_killed_goes_on_to_the_same_bytes(
    name: str, options: tuple[object, ...], model_file: Path, tmp_path: Path
) -> None:
    out, whole = tmp_path / name, tmp_path / "whole" / name
    whole.parent.mkdir()
    process = begun(model_file, out, *options)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    another = subprocess.run(
        long_run(model_file, out, *options, "--resume", "--seed", 4),
        capture_output=True,
        check=False,
    )
    assert another.returncode == 2
    assert b"is of another (request differ)" in another.stderr
    subprocess.run(long_run(model_file, out, *options, "--resume", "-q"), check=True)
    subprocess.run(long_run(model_file, whole, *options, "-q"), check=True)
    assert content(tmp_path) == content(whole.parent)


def content(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    own = {str(p.relative_to(folder)): p.read_bytes() for p in files}
    return {name: data for name, data in own.items() if not name.startswith("whole")}


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_stops_a_command_is_told_how_to_go_on(
    how: int, code: int, model_file: Path, tmp_path: Path
) -> None:
    process = begun(model_file, tmp_path / "a.csv")
    process.send_signal(how)
    _, said = process.communicate()
    assert process.returncode == code
    assert b"goes on with --resume" in said.replace(b"\n", b" ")
    assert [p.name for p in tmp_path.iterdir()] == [".a.csv.resume"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_can_not_be_written_is_said(cli, model_file: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = cli("sample", "-n", 10, "-m", model_file, "-o", tmp_path / "a.csv")
    tmp_path.chmod(0o700)
    assert result.exit_code == 3
    assert "Permission denied" in words(result)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, as Linux has it")
def test_a_full_disk_is_said(model_file: Path) -> None:
    with open("/dev/full", "wb") as full:
        command = [str(SCRIPT), "sample", "-n", "30000", "-m", str(model_file), "-o", "-"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 3
    assert b"the disk is full" in done.stderr
