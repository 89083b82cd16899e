"""JSON Schema and SQL of a model and of metadata: rows fit them, and they hold nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from synthvae import opening
from synthvae.artifact import Artifact
from synthvae.ddl import DIALECTS, create_table
from synthvae.declared import declared_fields, keys_of
from synthvae.errors import UsageError
from synthvae.fields import Field, fields_of
from synthvae.holdings import describe
from synthvae.json_schema import json_schema
from synthvae.metadata import parse as metadata
from synthvae.outputs.jsonl import write_jsonl

Fitted = Callable[[str], Artifact]
BANK = Path(__file__).parent.parent / "metadata_examples" / "bank"


@pytest.fixture(scope="module")
def fields(fitted: Fitted) -> tuple[Field, ...]:
    return fields_of(opening.sampler(fitted("arvae")).codec)


@pytest.fixture(scope="module")
def rows(fitted: Fitted) -> pa.Table:
    return pa.concat_tables(opening.sampler(fitted("arvae")).chunks(500, 3, "typed"))


def test_json_lines_are_valid_and_wrong_ones_are_not(fields, rows, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema(fields, "table")
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    check = validator(schema)
    with (tmp_path / "a.jsonl").open("wb") as file:
        write_jsonl(file, [rows], rows.schema)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert len(lines) == 500
    assert [error for line in lines for error in check.iter_errors(line)] == []
    wrongs: list[dict[str, Any]] = [
        {"group": "unheard"},
        {"visits": -1},
        {"visits": 1.5},
        {"visits": None},
        {"customer_id": "X"},
        {"since": "2020-01-01"},
        {"active": "true"},
        {"more": 1},
    ]
    for wrong in wrongs:
        assert not check.is_valid({**lines[0], **wrong}), wrong
    assert check.is_valid({**lines[0], "score": None})


@pytest.mark.parametrize("categories", [True, False])
def test_rows_go_into_a_table_of_sqlite(fields, rows, categories: bool) -> None:
    statement = create_table(fields, 'a "table"', "sqlite", [("customer_id",)], categories)
    with sqlite3.connect(":memory:") as connection:
        connection.execute(statement)
        marks = ", ".join("?" * len(fields))
        values = [tuple(map(_plain, row.values())) for row in rows.to_pylist()]
        insert = f'INSERT INTO "a ""table""" VALUES ({marks})'
        connection.executemany(insert, values)
        assert connection.execute('SELECT count(*) FROM "a ""table"""').fetchone() == (500,)
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            connection.execute(insert, values[0])
        for name, value in (("visits", 10**6), ("visits", None)):
            wrong = ("new", *values[0][1:])
            at = [field.name for field in fields].index(name)
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(insert, (*wrong[:at], value, *wrong[at + 1 :]))
    connection.close()
    assert ("'rare'" in statement) is categories


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else str(value)


def test_rows_go_into_a_table_of_duckdb(fields, rows) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.execute(create_table(fields, "t", "duckdb", [("customer_id",)]))
        connection.register("drawn", rows)
        connection.execute("INSERT INTO t SELECT * FROM drawn")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (500,)


def test_dialects_and_their_names(fields) -> None:
    postgres = create_table(fields, "t", "postgres", [("customer_id",)])
    assert '"visits" BIGINT NOT NULL CHECK ("visits" >= ' in postgres
    assert '"score" DOUBLE PRECISION CHECK' in postgres
    assert '"since" TIMESTAMP NOT NULL' in postgres
    assert 'PRIMARY KEY ("customer_id")' in postgres
    for dialect in DIALECTS:
        assert create_table(fields, "t", dialect).startswith('CREATE TABLE "t" (')
    with pytest.raises(UsageError, match="did you mean 'sqlite'"):
        create_table(fields, "t", "sqllite")


def test_nothing_is_exported_that_inspect_does_not_list(fields, fitted: Fitted) -> None:
    listed = leaves(describe(fitted("arvae"))["columns"])
    texts = {leaf for leaf in listed if isinstance(leaf, str)}
    numbers = [leaf for leaf in listed if isinstance(leaf, int | float)]
    steps = {field.name: field.step for field in fields}
    for name, entry in json_schema(fields, "table")["properties"].items():
        assert set(entry.get("enum", [])) <= texts
        for key in ("minimum", "maximum"):
            if key in entry:  # an end is one that is listed, put on the column's grid
                assert min(abs(entry[key] - n) for n in numbers) <= steps[name] / 2 + 1e-9
    bare = json_schema(fields, "table", categories=False)
    assert "rare" not in json.dumps(bare)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for entry in value.values() for leaf in leaves(entry)]
    if isinstance(value, list):
        return [leaf for entry in value for leaf in leaves(entry)]
    return [value]


def test_metadata_promises_what_it_declares_and_no_more() -> None:
    declared = metadata(
        {
            "METADATA_SPEC_VERSION": "V2",
            "tables": {
                "t": {
                    "primary_key": "id",
                    "columns": {
                        "id": {"sdtype": "id", "regex_format": "C-[0-9]{5}"},
                        "age": {
                            "sdtype": "numerical",
                            "decimal_places": 0,
                            "range_min": 17,
                            "range_max": 90,
                            "range_is_nullable": False,
                        },
                        "income": {"sdtype": "numerical"},
                        "band": {"sdtype": "categorical", "range_values": ["it's", "high"]},
                        "open": {"sdtype": "boolean"},
                        "since": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
                        "draft": {"sdtype": "categorical", "range_values": "TODO"},
                    },
                }
            },
        },
        "a test",
    )
    fields = declared_fields(declared)
    schema = json_schema(fields, "t")["properties"]
    assert schema["age"] == {"type": "integer", "minimum": 17, "maximum": 90}
    assert schema["income"] == {"type": ["number", "null"]}
    assert schema["band"]["enum"] == ["it's", "high", None]
    assert schema["draft"] == {"type": ["string", "null"]}
    assert schema["id"]["pattern"] == "^(C-[0-9]{5})$"
    statement = create_table(fields, "t", "sqlite", keys_of(declared))
    with sqlite3.connect(":memory:") as connection:
        connection.execute(statement)
        connection.execute("INSERT INTO t VALUES ('C-00001', 20, NULL, 'it''s', 1, NULL, NULL)")
    connection.close()


def test_the_command_writes_both_and_overwrites_nothing(cli, model_file: Path, tmp_path) -> None:
    js, sql = tmp_path / "s.json", tmp_path / "s.sql"
    arguments = ("schema", model_file, "--json-schema", js, "--sql", sql, "--dialect", "duckdb")
    assert cli(*arguments).exit_code == 0
    assert json.loads(js.read_text())["$schema"].endswith("2020-12/schema")
    assert sql.read_text().startswith('CREATE TABLE "synthetic"')
    assert cli(*arguments).exit_code == 2
    assert cli(*arguments, "--force", "--no-categories").exit_code == 0
    assert "enum" not in js.read_text()
    assert cli("schema", BANK / "metadata.yaml").exit_code == 0
    assert cli("schema", model_file, "--dialect", "oracle").exit_code == 2
