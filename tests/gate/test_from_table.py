"""A table is held against its metadata, column by column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthvae.gate.from_table import of_table, validity
from synthvae.metadata import parse
from synthvae.table import from_frame

COLUMNS: dict[str, dict[str, Any]] = {
    "key": {"sdtype": "id", "regex_format": "K-[0-9]{2}"},
    "age": {"sdtype": "numerical", "range_min": 0, "range_max": 120},
    "kind": {"sdtype": "categorical", "range_values": ["a", "b"]},
    "since": {
        "sdtype": "datetime", "datetime_format": "%Y-%m-%d", "range_min": "2020-01-01",
    },
}  # fmt: skip
METADATA = parse(
    {
        "METADATA_SPEC_VERSION": "V2",
        "tables": {"t": {"primary_key": "key", "columns": COLUMNS}},
    },
    "metadata",
)
GOOD = {
    "key": ["K-01", "K-02", "K-03"],
    "age": [0, 120, 40],
    "kind": ["a", "b", None],
    "since": ["2020-01-01", "2021-05-05", "2022-02-02"],
}


def test_as_declared() -> None:
    found = validity(from_frame(pd.DataFrame(GOOD)), METADATA)
    assert (found.value, found.low, found.words) == (1.0, 1.0, "")


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("key", ["K-01", "K-02", "K-02"], "a key, but 1 rows repeat or lack it"),
        ("key", ["K-01", "K-02", "X"], "1 values are not of the declared form"),
        ("age", [0, 121, 40], "1 rows are outside of the declared range"),
        ("age", ["old", "young", "very old"], "declared numerical, but 3 of 3"),
        ("kind", ["a", "b", "c"], "1 values are not declared"),
        ("since", ["2019-12-31", "2021-05-05", "2022-02-02"], "outside of the declared range"),
        ("since", ["soon", "later", "never again"], "declared datetime"),
        ("age", None, "there is no column 'age'"),
    ],
)
def test_one_column_that_is_not(column: str, values: list[Any] | None, words: str) -> None:
    table = {**GOOD, column: values} if values else {k: v for k, v in GOOD.items() if k != column}
    found = validity(from_frame(pd.DataFrame(table)), METADATA)
    assert found.value == 0.75
    assert words in found.words


@pytest.mark.parametrize(
    ("column", "range_max"), [("age", "1,0"), ("age", "TODO"), ("since", "05/01/2020")]
)
def test_a_bound_that_cannot_be_read_is_no_bound_that_is_kept(column: str, range_max: str) -> None:
    columns = {**COLUMNS, column: {**COLUMNS[column], "range_max": range_max}}
    tables = {"t": {"primary_key": "key", "columns": columns}}
    declared = parse({"METADATA_SPEC_VERSION": "V2", "tables": tables}, "metadata")
    found = validity(from_frame(pd.DataFrame(GOOD)), declared)
    assert found.value == 0.75
    assert f"range_max '{range_max}' can't be read" in found.words


def test_a_declared_order_names_all_values_there_are() -> None:
    order = {"sdtype": "categorical", "order": ["low", "high"]}
    tables = {"t": {"columns": {"kind": order}}}
    declared = parse({"METADATA_SPEC_VERSION": "V2", "tables": tables}, "metadata")
    good, bad = (
        validity(from_frame(pd.DataFrame({"kind": ["low", "high", last]})), declared)
        for last in ("low", "middle")
    )
    assert (good.value, bad.value) == (1.0, 0.0)
    assert "1 values are not declared" in bad.words


def test_a_column_that_nobody_declared_counts() -> None:
    found = validity(from_frame(pd.DataFrame({**GOOD, "ssn": ["1", "2", "3"]})), METADATA)
    assert found.value == 0.8
    assert "'ssn' is not in the metadata" in found.words


def test_rows_are_counted(tmp_path: Path) -> None:
    pd.DataFrame(GOOD).to_csv(tmp_path / "t.csv", index=False)
    found = of_table(str(tmp_path / "t.csv"), None)
    assert {name: reading.value for name, reading in found.items()} == {"rows": 3.0}


@pytest.mark.parametrize(
    ("options", "values", "words"),
    [
        ({"range_is_nullable": False}, [1, None, None], "2 values are missing"),
        ({"decimal_places": 0}, [1, 2.5, 3], "1 numbers are not of the declared form"),
        ({"decimal_places": 2}, [0.29, 1.005, 3], "1 numbers are not"),
        ({"computer_representation": "Int8"}, [1, 3000, -128], "1 numbers are not"),
        ({"computer_representation": "UInt16"}, [1, 3000, 0.5], "1 numbers are not"),
        ({"computer_representation": "Float"}, [1, 3000, 0.5], ""),
        ({"range_is_nullable": False, "decimal_places": 1}, [0.1, 0.3, 1e6], ""),
    ],
)
def test_forms_of_numbers(options: dict[str, Any], values: list[Any], words: str) -> None:
    columns = {"n": {"sdtype": "numerical", **options}}
    found = validity(from_frame(pd.DataFrame({"n": values})), parse({"columns": columns}, "a test"))
    assert (found.value == 1.0) == (not words)
    assert words in found.words


def test_a_key_of_two_columns() -> None:
    columns = {name: {"sdtype": "categorical"} for name in "ab"}
    metadata = parse({"columns": columns, "primary_key": ["a", "b"]}, "a test")
    good = pd.DataFrame({"a": ["x", "x", "y"], "b": ["u", "v", "u"]})
    assert validity(from_frame(good), metadata).value == 1.0
    found = validity(from_frame(good.assign(b="u")), metadata)
    assert (found.value, found.words) == (0.5, "columns a, b: a key, but 1 rows repeat it")
