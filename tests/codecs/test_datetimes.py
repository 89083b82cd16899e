"""The written form of dates and times."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthvae.codecs.datetimes import DatetimeForm
from synthvae.schema import MISSING
from synthvae.table import Column
from synthvae.written import FORMATS, format_of, moments

MakeColumn = Callable[..., Column]


def written(form: DatetimeForm, column: Column, view: Any = "text") -> list[Any]:
    values: list[Any] = form.render(*form.parse(column), view).to_pylist()
    return values


def fitted(column: Column, format: str | None = None) -> DatetimeForm:
    values = [text for text in column.texts if text not in MISSING]
    format = format or format_of(pa.array(values))
    assert format is not None
    return DatetimeForm.fit(column, MISSING, format)


SAME = [
    ["2014-01-05", "2014-11-30", ""],
    ["1/5/2014", "12/31/2014", "NA"],
    ["31/12/2014", "1/5/2014"],
    ["1/5/2014 9:05", "12/31/2014 10:30"],
    ["5.1.2014", "16.12.2014"],
    ["01/05/2014", "12/31/2014"],
    ["20141009T000000", "20150101T123456"],
    ["2013-12-13T19:00:00Z", "2013-12-13T20:00:00Z"],
    ["2014-01-05 10:00:00.123", "2014-01-05 10:00:01.500", ""],
    ["2014-01-05T10:00:00.012Z", "2014-01-05T10:00:01.500Z", None],
    ["2014-01-05 10:00:00.123456", "2014-01-05 10:00:01.500000"],
    ["2014-01-05 00:00:00", "9999-12-31 00:00:00", "0001-01-01 00:00:00"],
    ["1500-01-05", "1600-12-31"],
    ["09:05", "23:59"],
    ["05-Jan-2014", "31-Dec-2014"],
    ["Jan 05, 2014", "Dec 31, 2014"],
    ["2014-01", "2015-12"],
]


@pytest.mark.parametrize("texts", SAME)
def test_written_forms_are_restored(texts: list[str | None], column: MakeColumn) -> None:
    it = column(texts)
    form = fitted(it)
    assert written(form, it) == [text or "" for text in texts]
    assert DatetimeForm.from_json(json.loads(json.dumps(form.to_json()))) == form


@pytest.mark.parametrize("format", FORMATS)
def test_every_known_format_is_found_and_restored(format: str, column: MakeColumn) -> None:
    rng = np.random.default_rng(0)
    start = dt.datetime(1969, 7, 20, 20, 17, 40)
    shifts = rng.integers(0, 60 * 365 * 86_400_000, 300)
    times = [start + dt.timedelta(milliseconds=int(shift)) for shift in shifts]
    texts = [time.strftime(format) for time in times]
    it = column(texts)
    assert written(fitted(it), it) == texts
    assert written(fitted(it, format), it) == texts


@pytest.mark.parametrize(
    ("format", "texts"),
    [
        ("%d/%m/%y", ["05/01/14", "06/12/99"]),
        ("%d/%m/%Y %I:%M %p", ["05/01/2014 10:00 PM", "06/12/2014 09:30 AM"]),
        ("%B %d, %Y", ["January 05, 2014", "May 12, 2014"]),
        ("%B %d, %Y", ["January 5, 2014", "May 12, 2014"]),
        ("%Y-%m-%d %H:%M:%S,%f", ["2014-01-05 10:00:00,123", "2014-01-05 10:00:01,050"]),
        ("%Y-%m-%dT%H:%M:%S%z", ["2014-01-05T10:00:00+0000"]),
        ("%Y-%m-%d", ["2014-01-05", "unknown", ""]),
    ],
)
def test_declared_formats_are_restored(format: str, texts: list[str], column: MakeColumn) -> None:
    it = column(texts)
    assert written(fitted(it, format), it) == texts


def test_a_mixture_of_fractions_keeps_every_moment(column: MakeColumn) -> None:
    format = "%Y-%m-%d %H:%M:%S.%f"
    texts = ["2014-01-05 10:00:00.5", "2014-01-05 10:00:01.05"]
    it = column(texts)
    out = written(fitted(it, format), it)
    assert [dt.datetime.strptime(t, format) for t in out] == [
        dt.datetime.strptime(t, format) for t in texts
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2014-01-05", "2014-01-06"], ["1970-01-01", "1970-02-07"]),
        (["1/5/2014", "1/6/2014"], ["1/1/1970", "2/7/1970"]),
        (["01/05/2014", "01/06/2014"], ["01/01/1970", "02/07/1970"]),
        (["12/30/2014", "12/31/2014"], ["01/01/1970", "02/07/1970"]),
        (["20140105T000000", "20140106T000000"], ["19700101T000000", "19700207T000000"]),
        (["2014-01-05 10:00:00.123", "2014-01-06 10:00:00.123"],
         ["1970-01-01 10:00:00.123", "1970-02-07 10:00:00.123"]),
    ],
)  # fmt: skip
def test_new_moments_stand_on_the_grid_in_the_form_of_the_old(
    texts: list[str], expected: list[str], column: MakeColumn
) -> None:
    """All of the old are a day apart, so the new are too, at the same time of day."""
    form = fitted(column(texts))
    assert form.describe()["step_seconds"] == 86400
    drawn = np.array([0.4, 37.3]) * form.grid.unit
    assert form.render(drawn, np.full(2, -1, np.int32), "text").to_pylist() == expected


@pytest.mark.parametrize(
    ("storage", "texts", "first"),
    [
        ("date32[day]", ["2014-01-05", None, "9999-12-31"], dt.date(2014, 1, 5)),
        ("timestamp[s]", ["2014-01-05 10:00:00", None], dt.datetime(2014, 1, 5, 10)),
        (
            "timestamp[ms]",
            ["2014-01-05 10:00:00.120", None],
            dt.datetime(2014, 1, 5, 10, 0, 0, 120000),
        ),
        ("string", ["1/5/2014", None], "1/5/2014"),
        ("text", ["1/5/2014", "NA"], "1/5/2014"),
    ],
)
def test_the_type_of_a_table_is_restored(
    storage: str, texts: list[str | None], first: object, column: MakeColumn
) -> None:
    it = column(texts, storage)
    form = fitted(it)
    out = form.render(*form.parse(it), "typed")
    assert out.type == form.typed_as
    assert out.to_pylist()[:2] == [first, None]
    assert out.null_count == 1


def test_moments_with_a_zone_are_restored(column: MakeColumn) -> None:
    it = column(["2014-07-01 22:00:00", None], "timestamp[ns, tz=Europe/Berlin]")
    form = fitted(it)
    out = form.render(*form.parse(it), "typed")
    assert out.type == pa.timestamp("ns", "Europe/Berlin")
    assert str(out.to_pandas()[0]) == "2014-07-02 00:00:00+02:00"


@pytest.mark.parametrize(
    ("storage", "back"), [("text", None), ("date32[day]", dt.date(1900, 1, 1))]
)
def test_a_moment_that_means_missing_is_no_moment(
    storage: str, back: object, column: MakeColumn
) -> None:
    it = column(["2014-01-05", "1900-01-01", "2014-01-06"], storage)
    form = DatetimeForm.fit(it, MISSING | {"1900-01-01"}, "%Y-%m-%d")
    values, special = form.parse(it)
    assert special.tolist() == [-1, 0, -1]
    assert np.isnan(values[1])
    assert written(form, it) == ["2014-01-05", "1900-01-01", "2014-01-06"]
    assert written(form, it, "typed")[1] == back


def test_moments_before_1970_and_fractions_are_whole_units() -> None:
    texts = pa.array(["1969-12-31 23:59:59.999", "1970-01-01 00:00:00.001", "x"])
    found = moments(texts, "%Y-%m-%d %H:%M:%S.%f", "ms")
    np.testing.assert_array_equal(found, [-1, 1, np.nan])
