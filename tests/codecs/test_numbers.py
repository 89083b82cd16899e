"""The written form of numbers: what is read is written again, and new numbers look like it."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.codecs.numbers import NumberForm
from synthvae.schema import MISSING
from synthvae.table import Column
from synthvae.written import numbers_of

MakeColumn = Callable[..., Column]


def written(form: NumberForm, column: Column, view: Any = "text") -> list[Any]:
    values: list[Any] = form.render(*form.parse(column), view).to_pylist()
    return values


def draw(form: NumberForm, values: list[float]) -> list[str]:
    """New values of a column, as written."""
    texts: list[str] = form.render(
        np.array(values), np.full(len(values), -1, np.int32), "text"
    ).to_pylist()
    return texts


SAME = [
    ["1", "2", "-30"],
    ["3.50", "2.25", "0.00", "-1.10"],
    ["3.5", "3.25", "4", "-0.125"],
    ["12.0", "3.5", "3.25"],
    ["12.0", "-3.0"],
    ["0.00001", "0.00002", "0.1"],
    ["1e-05", "2.5e-07", "0.1"],
    ["2.73E-05", "8.1E-07", "0.1", "3"],
    ["1e-300", "2e-300", "3.5"],
    ["1e+300", "2e+300", "1.0"],
    ["1e+16", "25000000.0", "0.5"],
    ["1000000000000000.0", "2.5"],
    ["12345678901.5", "12345678901234", "7"],
    ["0.12345678901234566", "0.1234567890123456", "0.30000000000000004"],
    ["100000000000000000000", "200000000000000000000"],
    [str(2**60), str(2**60 + 1024), "-7"],
    ["0.0000000", "0.0000001", "-123.4567890"],
    ["0", "0.0000001", "123.456789"],
    ["12345678.000000000000", "22345678.500000000000"],
    ["1.00000000000000000000", "2.00000000000000000000"],
    ["1", "NA", "", "3"],
    ["1", "2", "3", "N", "?", "<5"],
    ["10", "12", "007"],
    ["5"],
    ["5.00"],
    ["0.0", "1.5"],
]


@pytest.mark.parametrize("texts", SAME)
def test_written_forms_are_restored(texts: list[str], column: MakeColumn) -> None:
    it = column(texts)
    form = NumberForm.fit(it, MISSING)
    assert written(form, it) == texts
    again = NumberForm.from_json(json.loads(json.dumps(form.to_json())))
    assert again == form


@pytest.mark.parametrize(
    "texts",
    [
        [" 1", "12 ", "\t3"],
        [" 1.5", " 12.25 ", "3 "],
        ["+5", "-5"],
        [".5", "1.5", "2."],
        ["-0.0", "1.5"],
        ["1e300", "2E5", "1"],
        ["459000", "221900.50"],
    ],
)
def test_odd_forms_keep_their_value(texts: list[str], column: MakeColumn) -> None:
    it = column(texts)
    out = written(NumberForm.fit(it, MISSING), it)
    assert [float(text) for text in out] == [float(text) for text in texts]
    assert all(text == text.strip() for text in out)


@settings(deadline=None)
@given(data=st.data(), places=st.integers(0, 12))
def test_numbers_of_equal_places_are_restored(
    data: st.DataObject, places: int, column: MakeColumn
) -> None:
    """Up to 15 digits, which is what a float64 holds of any decimal number."""
    ticks = data.draw(st.lists(st.integers(1 - 10**15, 10**15 - 1), min_size=1, max_size=9))
    texts = [f"{Decimal(tick).scaleb(-places):.{places}f}" for tick in ticks]
    texts = [text.lstrip("-") if not Decimal(text) else text for text in texts]
    it = column(texts)
    assert written(NumberForm.fit(it, MISSING), it) == texts


@settings(deadline=None)
@given(st.lists(st.integers(-(10**18), 10**18), min_size=1, max_size=9), st.integers(1, 12))
def test_longer_numbers_keep_their_value(column: MakeColumn, ticks: list[int], places: int) -> None:
    texts = [f"{Decimal(tick).scaleb(-places):.{places}f}" for tick in ticks]
    it = column(texts)
    out = written(NumberForm.fit(it, MISSING), it)
    assert [float(text) for text in out] == [float(text) for text in texts]


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_every_float_that_python_writes_is_restored(
    column: MakeColumn, values: list[float]
) -> None:
    """The form of pandas: '12.0', '1e-05'. Zero has no sign."""
    texts = [repr(value or 0.0) for value in values]
    it = column(texts)
    out = written(NumberForm.fit(it, MISSING), it)
    # A column in which no number is whole does not show how a whole one would be written.
    assert [repr(float(text)) for text in out] == texts
    assert out == texts or not any(text.endswith(".0") for text in texts)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_texts_are_read_as_the_nearest_float(value: float) -> None:
    texts = [repr(value), f"{value:.25g}", f" {value!r} "]
    assert numbers_of(pa.array(texts)).tolist() == [float(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    ["007", "-01", "00", "1,000", "1_000", "0x1F", "True", "", " ", "nan", "NaN", "1e", ".", "-",
     "1.2.3", "--1", "1 2", "½", "٣", "1d", "1L", "1j", "2014-01-01", "None"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert np.isnan(numbers_of(pa.array([text]))).all()


@pytest.mark.parametrize(
    ("texts", "values", "expected"),
    [
        (["3.50", "2.25", "2.50"], [7.126, -0.001], ["7.25", "0.00"]),
        (["3.51", "2.25"], [7.126, -0.001], ["7.29", "-0.27"]),
        (["3.5", "3.25", "4"], [7.126, 5.0, 2.5], ["7.25", "5", "2.5"]),
        (["12.0", "3.5", "3.0"], [7.1, 5.0], ["7.0", "5.0"]),
        (["1", "2", ""], [7.4, -2.6], ["7", "-3"]),
        (["10", "25", "40"], [30.0, 33.0], ["25", "40"]),
        ([" 3.51", " 2.25 ", "7.00 "], [30.126, 5.0], ["30.13", "5.00"]),
        (["1e-05", "0.1"], [0.20001, 5e-05], ["0.19999", "1e-05"]),
        (["0.00001", "0.1"], [0.20001, 5e-05], ["0.19999", "0.00001"]),
    ],
)
def test_new_numbers_stand_on_the_grid_in_the_form_of_the_old(
    texts: list[str], values: list[float], expected: list[str], column: MakeColumn
) -> None:
    assert draw(NumberForm.fit(column(texts), MISSING), values) == expected


@settings(deadline=None)
@given(
    texts=st.sampled_from(SAME[:17]),
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9),
)
def test_new_numbers_are_read_as_the_values_that_were_drawn(
    texts: list[str], values: list[float], column: MakeColumn
) -> None:
    form = NumberForm.fit(column(texts), MISSING)
    out = draw(form, values)
    assert [float(text) for text in out] == form.snap(np.array(values)).tolist()
    if not any("e" in text.lower() for text in texts):
        assert all(re.fullmatch(r"-?\d+(\.\d+)?", text) for text in out)


@pytest.mark.parametrize(
    ("texts", "expected", "kind"),
    [
        (["1", "", "3"], [1, None, 3], pa.int64()),
        (["12.0", "NA"], [12.0, None], pa.float64()),
        (["3.50", "2.25"], [3.5, 2.25], pa.float64()),
        (["1", "N", ""], ["1", "N", None], pa.string()),
        ([str(2**60), str(2**60 + 1024)], [2**60, 2**60 + 1024], pa.int64()),
        (["1e+300", ""], [1e300, None], pa.float64()),
    ],
)
def test_text_is_typed_as_a_reader_would_infer(
    texts: list[str], expected: list[Any], kind: pa.DataType, column: MakeColumn
) -> None:
    it = column(texts)
    form = NumberForm.fit(it, MISSING)
    assert form.typed_as == kind
    assert written(form, it, "typed") == expected


@pytest.mark.parametrize(
    ("storage", "texts", "typed"),
    [
        ("int64", ["1099511627776", None, "-3"], [2**40, None, -3]),
        ("int8", ["127", "-128"], [127, -128]),
        ("uint64", [str(2**64 - 1), "0"], [2**64 - 1, 0]),
        ("int64", [str(2**63 - 1), str(-(2**63))], [2**63 - 1, -(2**63)]),
        ("float", ["0.1", None, "2.5"], [np.float32(0.1), None, 2.5]),
        ("halffloat", ["0.5", None], [0.5, None]),
        ("double", ["0.1", "1e-07", "1e+20"], [0.1, 1e-7, 1e20]),
        ("decimal128(4, 2)", ["3.50", None, "12.25"], [Decimal("3.50"), None, Decimal("12.25")]),
        ("string", ["3.50", None, "2.25"], ["3.50", None, "2.25"]),
        ("string", ["3", "", "NA"], ["3", "", "NA"]),
    ],
)
def test_the_type_of_a_table_is_restored(
    storage: str, texts: list[str | None], typed: list[Any], column: MakeColumn
) -> None:
    it = column(texts, storage)
    assert written(NumberForm.fit(it, MISSING), it, "typed") == typed


@pytest.mark.parametrize(
    ("storage", "texts", "text"),
    [
        ("double", ["3", "0.5", "1e-07"], ["3.0", "0.5", "1e-07"]),
        ("int64", ["1099511627776", "3"], ["1099511627776", "3"]),
        ("decimal128(4, 2)", ["3.50", "12.25"], ["3.50", "12.25"]),
        ("string", ["3.50", "12.25"], ["3.50", "12.25"]),
    ],
)
def test_typed_columns_are_written_as_text_in_the_usual_form(
    storage: str, texts: list[str], text: list[str], column: MakeColumn
) -> None:
    it = column(texts, storage)
    assert written(NumberForm.fit(it, MISSING), it) == text


@pytest.mark.parametrize(("storage", "back"), [("text", None), ("int64", -999), ("string", "-999")])
def test_a_number_that_means_missing_is_no_number(
    storage: str, back: object, column: MakeColumn
) -> None:
    """It comes back as written, moves no bounds, and is null only where the table had no types."""
    it = column(["10", "-999", "20"], storage)
    form = NumberForm.fit(it, MISSING | {"-999"})
    values, special = form.parse(it)
    assert special.tolist() == [-1, 0, -1]
    assert np.isnan(values[1])
    assert form.grid.step == 10
    assert written(form, it) == ["10", "-999", "20"]
    assert written(form, it, "typed")[1] == back


def test_a_word_that_looks_like_a_number_is_told_apart(column: MakeColumn) -> None:
    ages = column([*(str(i) for i in range(18, 90)), *[str(2**63 - 1)] * 30])
    form = NumberForm.fit(ages, MISSING)
    assert form.grid.step == 1
    assert form.specials.texts == (str(2**63 - 1),)
    assert form.typed_as == pa.float64()  # as a reader would infer it from text
    assert written(form, ages, "typed")[-1] == 2.0**63
    assert written(form, ages) == [*(str(i) for i in range(18, 90)), *[str(2**63 - 1)] * 30]
    wide = column([repr(10.0**i) for i in range(-5, 21)])  # nothing stands apart there
    assert NumberForm.fit(wide, MISSING).specials.texts == ()
