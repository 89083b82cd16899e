"""Rows in a database: all of them, typed, or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from synthvae.errors import TableError, UsageError
from synthvae.outputs import database
from synthvae.outputs.database import hidden, place_in

TABLE = pa.table(
    {
        "id": pa.array(["a", "b", "c"]),
        "n": pa.array([1, None, 3]),
        "x": pa.array([0.5, 1.5, None]),
        "k": pa.array(["u", "v", "u"]).dictionary_encode(),
        "yes": pa.array([True, None, False]),
        "day": pa.array([date(2020, 1, 2), None, date(2021, 1, 2)]),
    }
)
ROWS = [tuple(row.values()) for row in TABLE.to_pylist()]


def chunks(fail: bool = False) -> Iterator[pa.Table]:
    yield TABLE.slice(0, 2)
    if fail:
        raise KeyboardInterrupt
    yield TABLE.slice(2)


def fill(url: str, fail: bool = False, rows=chunks) -> None:
    place = place_in(url, "my table", None, None)
    place.write(lambda _: rows(fail), TABLE.schema, 3, {}, resume=False)


@pytest.fixture(params=["sqlalchemy", "duckdb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    pytest.importorskip(request.param)
    kind = "sqlite" if request.param == "sqlalchemy" else "duckdb"
    return f"{kind}:///{tmp_path}/rows.db"


def rows_in(url: str) -> list[tuple[object, ...]]:
    path = url.partition(":///")[2]
    query = 'SELECT * FROM "my table" ORDER BY 1'
    if url.startswith("duckdb"):
        import duckdb

        with duckdb.connect(path) as connection:
            return connection.execute(query).fetchall()
    with sqlite3.connect(path) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    # SQLite has no booleans and no dates of its own.
    yes = {1: True, 0: False, None: None}
    return [(*r[:4], yes[r[4]], r[5] and date.fromisoformat(r[5])) for r in rows]


def test_rows_come_as_they_are(url: str) -> None:
    fill(url)
    assert rows_in(url) == ROWS


def test_a_table_is_replaced_only_if_asked(url: str) -> None:
    fill(url)
    place = place_in(url, "my table", None, None)
    with pytest.raises(UsageError, match="never overwritten unasked"):
        place.refuse(force=False)
    place.refuse(force=True)
    with pytest.raises(UsageError, match="never overwritten unasked"):  # SQL knows no case
        place_in(url, "My Table", None, None).refuse(force=False)
    fill(url)
    assert rows_in(url) == ROWS


def test_a_run_that_is_stopped_leaves_the_old_table(url: str) -> None:
    fill(url)
    with pytest.raises(KeyboardInterrupt):
        fill(url, fail=True)
    assert rows_in(url) == ROWS


def test_a_run_that_is_stopped_leaves_no_new_file(url: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        fill(url, fail=True)
    assert not Path(url.partition(":///")[2]).exists()


def test_what_can_not_be_reached_is_said_without_the_password() -> None:
    pytest.importorskip("sqlalchemy")
    with pytest.raises(TableError, match="can't be") as caught:
        place_in("nosuchdb://me:secret@host/x", "t", None, None).refuse(force=False)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:se:cr/et@h:5/x",
        "postgresql://h:5/x?user=me&password=secret",
        "postgresql://h:5/x?password=sec@ret",
        "postgresql://me:sec?r@et@h:5/x",
        "postgresql://h:5/x;password=secret",
    ],
)
def test_of_a_url_scheme_host_and_database_are_shown(url: str) -> None:
    assert hidden(url) == (
        "postgresql://***" if "?" in url and "@" in url else "postgresql://h:5/x"
    )


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_file_that_is_no_database_is_said(kind: str, tmp_path: Path) -> None:
    pytest.importorskip({"sqlite": "sqlalchemy"}.get(kind, kind))
    (tmp_path / "d.db").write_text("a,b\n1,2\n" * 500)
    for force in (False, True):
        with pytest.raises(TableError, match=r"d\.db' (takes none|can't be)"):
            place_in(f"{kind}:///{tmp_path}/d.db", "t", None, None).refuse(force)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(database.importlib, "import_module", missing)
    for url in ("sqlite:///a.db", "duckdb:///a.db"):
        with pytest.raises(UsageError, match=r"pip install 'synthvae\[sql\]'"):
            place_in(url, "t", None, None).refuse(force=False)


def test_a_database_wants_a_table_and_no_format() -> None:
    with pytest.raises(UsageError, match="name it with --table"):
        place_in("sqlite:///a.db", None, None, None)
    with pytest.raises(UsageError, match="no format and no parts"):
        place_in("sqlite:///a.db", "t", "csv", None)


def test_moments_with_a_zone_are_the_same_moments(url: str) -> None:
    name = "chunk"  # a word like any other
    at = datetime(2020, 9, 22, 21, 35, 20, tzinfo=UTC)
    table = pa.table({"moment": pa.array([at], pa.timestamp("s", "America/New_York"))})
    place_in(url, name, None, None).write(lambda _: iter([table]), table.schema, 1, {}, False)
    path = url.partition(":///")[2]
    if url.startswith("duckdb"):
        import duckdb

        with duckdb.connect(path) as connection:
            assert connection.execute("SELECT epoch(moment) FROM chunk").fetchone() == (
                at.timestamp(),
            )
        return
    with sqlite3.connect(path) as connection:
        assert (
            connection.execute("SELECT moment FROM chunk").fetchone()[0][:19]
            == "2020-09-22 21:35:20"
        )
    connection.close()
