"""A typed value is written in the same way whatever stands in the other rows."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthvae.marginals.forms import by_value, declared_forms
from synthvae.table import Column, from_arrow

FLOATS = [1.0, -0.0, 0.0, 12345678901.0, 20000001.0, 1e20, 1e-7, 0.1, float("inf"), None]
MOMENTS = [
    *("2020-01-01T00:00:00", "2020-01-01T10:00:00.5", "2020-01-01T10:00:00.000001"),
    *("9999-12-31T23:59:59", "1600-02-03T04:05:06", None),
]


def column(values: list[Any], kind: pa.DataType) -> Column:
    return from_arrow(pa.table({"c": pa.array(values, kind)}), "a test")["c"]


def forms(met: Column) -> list[str | None]:
    return [[*met.texts, None][code] for code in met.codes]


def instants(values: list[str | None]) -> list[Any]:
    return [None if v is None else np.datetime64(v, "us").astype(object) for v in values]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_numbers_are_written_one_by_one(kind: pa.DataType) -> None:
    together = forms(by_value(column(FLOATS, kind)))
    assert together == [forms(by_value(column([value], kind)))[0] for value in FLOATS]
    assert together[:3] == ["1", "0", "0"]
    assert not any("e" in text for text in together if text)
    assert len(set(forms(column(FLOATS, kind)))) > len(set(together))


@pytest.mark.parametrize("format", ["", "%Y-%m-%d", "%d.%m.%Y %H:%M:%S.%f"])
@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("us", "UTC")])
def test_moments_are_written_one_by_one(kind: pa.DataType, format: str) -> None:
    values = instants(MOMENTS)
    together = forms(by_value(column(values, kind), format))
    assert together == [forms(by_value(column([v], kind), format))[0] for v in values]
    assert together[-1] is None


def test_moments_are_written_in_the_declared_format() -> None:
    met = column(instants(MOMENTS), pa.timestamp("us"))
    day, instant = by_value(met, "%d/%m/%Y"), by_value(met, "%Y-%m-%d %H:%M:%S.%f")
    assert forms(day)[1:4] == ["01/01/2020", "01/01/2020", "31/12/9999"]
    assert len(day.texts) == 3
    assert forms(instant)[1] == "2020-01-01 10:00:00.500000"


def test_dates_are_moments_too() -> None:
    met = column(instants(MOMENTS[:1]), pa.timestamp("us"))
    days = Column("c", met.codes, pa.array(["2020-01-31"]), "date32[day]")
    assert forms(by_value(days, "%d.%m.%Y")) == ["31.01.2020"]
    assert forms(by_value(days)) == ["2020-01-31"]


def test_text_is_what_it_was() -> None:
    met = column(["1.0", "1e5", "2020-01-01 00:00:00.000"], pa.string())
    assert by_value(met) is met
    assert forms(by_value(met, "%Y")) == ["1.0", "1e5", "2020"]


def test_text_in_the_declared_format_stays_and_a_plain_date_is_read() -> None:
    met = column(["31.01.2020", "2020-02-29", "2020-02-30", "soon"], pa.string())
    assert forms(by_value(met, "%d.%m.%Y")) == ["31.01.2020", "29.02.2020", None, "soon"]


@pytest.mark.parametrize(
    ("storage", "levels", "written"),
    [
        ("double", ("1.0", "2.50", "-0.0", "1e20", "1"), ("1", "2.5", "0", "1" + "0" * 20)),
        ("bool", ("True", "False"), ("true", "false")),
        ("text", ("1.0", "True"), ("1.0", "True")),
        ("int64", ("10", "20"), ("10", "20")),
    ],
)
def test_declared_categories_are_written_as_their_column_is(
    storage: str, levels: tuple[str, ...], written: tuple[str, ...]
) -> None:
    assert declared_forms(levels, storage) == written


def test_declared_floats_are_met() -> None:
    met = by_value(column([1.0, 2.5, 12345678901.0, 0.5], pa.float64()))
    declared = declared_forms([str(v) for v in (1.0, 2.5, 12345678901.0, 0.5)], "double")
    assert list(declared) == forms(met)
