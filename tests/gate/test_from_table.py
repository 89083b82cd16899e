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
