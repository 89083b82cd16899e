"""What users write: SDV's versions are read, strictly, and written back."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthvae.errors import MetadataError
from synthvae.metadata import CORE, ColumnMetadata, Metadata, load_mapping, parse, read, write

COLUMNS: dict[str, Any] = {
    "id": {"sdtype": "id", "regex_format": "C-[0-9]{6}"},
    "age": {"sdtype": "numerical", "computer_representation": "Int64"},
    "größe, cm": {"sdtype": "numerical"},
    "born": {"sdtype": "datetime", "datetime_format": "%d.%m.%Y"},
    "mail": {"sdtype": "email", "pii": True},
    "yes": {"sdtype": "boolean"},
    "2014": {"sdtype": "categorical", "order_by": "alphabetical"},
}
TABLE = {"primary_key": "id", "columns": COLUMNS}
V1 = {"METADATA_SPEC_VERSION": "V1", "tables": {"people": TABLE}, "relationships": []}
SINGLE = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", **TABLE}
V2_COLUMNS = {
    "age": {"sdtype": "numerical", "range_min": 0, "range_max": 9, "range_is_nullable": True},
    "sex": {"sdtype": "categorical", "range_values": ["f", "m"], "high_cardinality": False},
}
V2 = {"METADATA_SPEC_VERSION": "V2", "tables": {"people": {"columns": V2_COLUMNS}}}


def refused(content: Any) -> tuple[str, ...]:
    with pytest.raises(MetadataError) as caught:
        parse(content, "'it'")
    return caught.value.reasons


def table(**columns: Any) -> dict[str, Any]:
    return {"columns": {"id": {"sdtype": "id"}, **columns}}


@pytest.mark.parametrize("content", [V1, SINGLE, TABLE])
def test_v1_and_single_tables_are_read(content: dict[str, Any]) -> None:
    metadata = parse(content, "'it'")
    assert list(metadata.columns) == list(COLUMNS)
    assert metadata.columns["id"] == ColumnMetadata("id", {"regex_format": "C-[0-9]{6}"})
    assert metadata.keys == {"primary_key": "id"}


def test_v2_is_read_with_its_ranges() -> None:
    metadata = parse(V2, "'it'")
    assert metadata.table == "people"
    assert metadata.columns["age"].options["range_max"] == 9
    assert metadata.columns["sex"].options["range_values"] == ["f", "m"]


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "a.json"])
@pytest.mark.parametrize("content", [V1, V2, SINGLE])
def test_what_is_written_is_read_back(name: str, content: dict[str, Any], tmp_path: Path) -> None:
    metadata = parse(content, "'it'")
    version = content["METADATA_SPEC_VERSION"].removeprefix("SINGLE_TABLE_")
    (tmp_path / name).write_bytes(write(metadata, name, version))
    assert read(tmp_path / name) == metadata
    assert load_mapping(tmp_path / name, "it")["METADATA_SPEC_VERSION"] == version


def test_files_are_yaml_or_json_by_suffix() -> None:
    metadata = parse(V1, "'it'")
    assert json.loads(write(metadata, "a.json")) == V1
    assert yaml.safe_load(write(metadata, "-")) == V1
    assert "größe" in write(metadata, "a.yaml").decode()


def test_ordinal_is_another_word_for_categorical() -> None:
    assert parse(table(a={"sdtype": "ordinal"}), "'it'").columns["a"].sdtype == "categorical"


def test_all_unknown_keys_are_named_at_once_with_a_hint() -> None:
    content = {
        "METADATA_SPEC_VERSION": "V1",
        "tabels": {},
        "tables": {
            "t": {
                "primary_kee": "id",
                "columns": {
                    "id": {"sdtype": "id", "regex": "x"},
                    "age": {"sdtype": "numerical", "pii": True},
                    "mail": {"sdtype": "email", "pi": True},
                    "born": {"sdtype": "datetime", "datetime_fromat": "%Y"},
                },
            }
        },
    }
    assert refused(content) == (
        "'it': unknown key 'tabels'; did you mean 'tables'?",
        "table 't' of 'it': unknown key 'primary_kee'; did you mean 'primary_key'?",
        "column 'id' (id) of 'it': unknown key 'regex'; known: range_is_nullable, regex_format",
        "column 'age' (numerical) of 'it': unknown key 'pii'; known: computer_representation, "
        "decimal_places, range_is_nullable, range_max, range_min",
        "column 'mail' (email) of 'it': unknown key 'pi'; did you mean 'pii'?",
        "column 'born' (datetime) of 'it': unknown key 'datetime_fromat'; "
        "did you mean 'datetime_format'?",
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "column 'a': a column has an sdtype"),
        (None, "column 'a': a column has an sdtype"),
        ("numerical", "column 'a': a column has an sdtype"),
        ({"sdtype": ["id"]}, "column 'a': a column has an sdtype"),
    ],
)
def test_a_column_without_an_sdtype_is_refused(entry: Any, words: str) -> None:
    (reason,) = refused(table(a=entry))
    assert reason.startswith(words)


@pytest.mark.parametrize("columns", [None, [], {}, "a"])
def test_a_table_without_columns_is_refused(columns: Any) -> None:
    assert refused({"columns": columns}) == (
        "a table has columns, but 'it' names none; add them under 'columns'",
    )


@pytest.mark.parametrize(
    ("key", "named", "missing"),
    [
        ("primary_key", "ID", ["ID"]),
        ("primary_key", ["id", "nope"], ["nope"]),
        ("primary_key", 5, ["5"]),
        ("alternate_keys", ["id", "nope", ["id", "no"]], ["nope", "no"]),
        ("sequence_key", "nope", ["nope"]),
        ("sequence_index", "nope", ["nope"]),
    ],
)
def test_keys_name_columns_that_are_described(key: str, named: Any, missing: list[str]) -> None:
    reasons = refused({**table(), key: named})
    expected = [f"{key} names a column, but 'it' has no column '{name}'; " for name in missing]
    assert len(reasons) == len(expected)
    assert all(r.startswith(e) for r, e in zip(reasons, expected, strict=True))


@pytest.mark.parametrize("named", ["id", ["id"], None, [["id"]]])
def test_known_keys_are_kept(named: Any) -> None:
    assert parse({**table(), "primary_key": named}, "'it'").keys == {"primary_key": named}


@pytest.mark.parametrize("version", ["V3", 1, None, ["V1"], "v1"])
def test_another_version_is_refused(version: Any) -> None:
    (reason,) = refused({"METADATA_SPEC_VERSION": version, "tables": {}})
    assert reason.startswith("METADATA_SPEC_VERSION is one of V1, SINGLE_TABLE_V1, V2, but in 'it'")


@pytest.mark.parametrize(
    ("tables", "found"), [({}, "0"), ({"a": TABLE, "b": TABLE}, "2"), (None, "no"), ([TABLE], "no")]
)
def test_one_table_is_learnt_at_a_time(tables: Any, found: str) -> None:
    (reason,) = refused({"METADATA_SPEC_VERSION": "V1", "tables": tables})
    assert f"but 'it' describes {found} tables; write one metadata file for each" in reason


def test_a_table_that_is_no_mapping_is_refused() -> None:
    (reason,) = refused({"METADATA_SPEC_VERSION": "V1", "tables": {"t": ["a"]}})
    assert reason.startswith("table 't' of 'it': a table is a mapping")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: [1, 2", "can't be read as such: while parsing"),
        (b"columns: \xff\xfe", "can't be read as such: "),
        (b"- a\n- b\n", "holds a list; see the README"),
        (b"words", "holds 'words'; see the README"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_bytes(data)
    with pytest.raises(MetadataError, match=r"^metadata is ") as caught:
        read(path)
    (reason,) = caught.value.reasons
    assert words in reason


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"'.*nope\.yaml' does not exist; check the path"):
        read(tmp_path / "nope.yaml")


def test_core_sdtypes_are_sdvs() -> None:
    assert set(CORE) == {
        "numerical",
        "categorical",
        "boolean",
        "datetime",
        "id",
        "text",
        "unknown",
    }
    assert Metadata({}).to_sdv()["METADATA_SPEC_VERSION"] == "V1"


def test_what_yaml_reads_as_dates_or_infinity_is_text_as_in_json(tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text(
        "columns:\n  born: {sdtype: datetime, range_min: 1987-03-05, range_max: .inf}\n"
        "  sex: {sdtype: categorical, range_values: [f, 2014-01-01, 7]}\n"
    )
    metadata = read(path)
    assert metadata.columns["born"].options == {"range_min": "1987-03-05", "range_max": "inf"}
    assert metadata.columns["sex"].options == {"range_values": ["f", "2014-01-01", 7]}
    assert parse(json.loads(json.dumps(metadata.to_sdv())), "'it'") == metadata
