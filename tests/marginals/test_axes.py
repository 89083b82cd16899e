"""Every text has a class, whatever it is, and drawn classes are written as the column writes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthvae.codecs.parts import Form
from synthvae.marginals.axes import OTHER, CategoryAxis, NumberAxis, PresenceAxis, Ticks, column_of
from synthvae.marginals.domain import Declared, ticks_of
from synthvae.schema import MISSING
from synthvae.table import Column

MakeColumn = Callable[..., Column]
ODD = [
    *(
        "",
        None,
        "NA",
        "nan",
        "inf",
        "-Infinity",
        "1e400",
        "-1e400",
        "1e-400",
        "9" * 500,
        "-0",
        "3,5",
    ),
    *(
        "0x10",
        "007",
        "1_000",
        "\uff11\uff12",
        ".",
        "-",
        "+.5",
        "5.",
        " 7 ",
        "\u00a08",
        "\x00",
        "é",
        "x" * 9999,
    ),
    *("9999-12-31", "0001-01-01", "2020-02-30", "2020-01-01", "2020-01-01 00:00:00", "now", OTHER),
    *("a", "A", "true", "2262-04-12", "1677-01-01", "12345678901234567890", "-12", "12.345678"),
]
RNG = np.random.default_rng(0)


def number(low: float, high: float, places: int, name: str = "c", nullable: bool = True) -> Ticks:
    column = Declared(name, "numerical", MISSING, None, low, high, places, nullable=nullable)
    return ticks_of(column, low, high, places)


def moment(format: str, low: float, high: float) -> Ticks:
    return ticks_of(Declared("c", "datetime", MISSING, format=format), low, high, 0)


AXES: dict[str, Any] = {
    "category": CategoryAxis("c", ("a", "b"), MISSING),
    "no category": CategoryAxis("c", (), MISSING),
    "boolean": CategoryAxis("c", ("no", "yes"), MISSING, closed=True),
    "number": NumberAxis("c", number(-5, 20, 2), np.array([0, 100, 700])),
    "one value": NumberAxis("c", number(3, 3, 0), np.array([0])),
    "day": NumberAxis("c", moment("%Y-%m-%d", 0, 2e9), np.array([0, 9000])),
    "instant": NumberAxis("c", moment("%Y-%m-%d %H:%M:%S.%f", 0, 2e15), np.array([0, 9])),
    "presence": PresenceAxis("c", MISSING),
}
WHOLE: dict[str, Any] = {  # declared to have a value in every row
    "category": CategoryAxis("c", ("a", "b"), MISSING, nullable=False),
    "no category": CategoryAxis("c", (), MISSING, nullable=False),
    "boolean": CategoryAxis("c", ("no", "yes"), MISSING, closed=True, nullable=False),
    "number": NumberAxis("c", number(-5, 20, 2, nullable=False), np.array([0, 100, 700])),
    "one value": NumberAxis("c", number(3, 3, 0, nullable=False), np.array([0])),
    "presence": PresenceAxis("c", MISSING, nullable=False),
}


@pytest.mark.parametrize("kind", AXES)
def test_every_text_has_a_class_that_follows_from_it_alone(
    kind: str, make_column: MakeColumn
) -> None:
    axis = AXES[kind]
    together = axis.classes(make_column(ODD))
    alone = np.concatenate([axis.classes(make_column([text])) for text in ODD])
    assert together.tolist() == alone.tolist()
    assert ((together >= 0) & (together < axis.size)).all()
    assert (together[:4] == axis.size - 1).all()  # missing is the last class
    assert len(axis.classes(make_column([]))) == 0


@pytest.mark.parametrize("kind", AXES)
def test_a_drawn_class_is_written_as_a_text_of_that_class(kind: str) -> None:
    axis = AXES[kind]
    drawn = RNG.integers(0, axis.size, 500)
    texts = axis.texts(drawn, RNG)
    back = axis.classes(column_of("c", texts))
    assert back.tolist() == drawn.tolist()
    assert texts.null_count == (drawn == axis.size - 1).sum()


@pytest.mark.parametrize("kind", WHOLE)
def test_where_every_row_has_a_value_no_class_is_for_those_without(
    kind: str, make_column: MakeColumn
) -> None:
    axis = WHOLE[kind]
    assert axis.size == AXES[kind].size - 1
    classes = axis.classes(make_column(ODD))
    assert ((classes >= 0) & (classes < axis.size)).all()
    drawn = RNG.integers(0, axis.size, 500)
    texts = axis.texts(drawn, RNG)
    assert texts.null_count == 0
    assert axis.classes(column_of("c", texts)).tolist() == drawn.tolist()
    assert axis.snapped(make_column(ODD)).n_null == 0


def test_a_row_without_a_value_that_it_should_have_is_in_the_last_class_or_at_the_low_end(
    make_column: MakeColumn,
) -> None:
    column = make_column(["", None, "x"])
    assert WHOLE["category"].classes(column).tolist() == [2, 2, 2]
    assert WHOLE["boolean"].classes(column).tolist() == [1, 1, 1]
    assert WHOLE["number"].classes(column).tolist() == [0, 0, 0]


def test_categories_are_themselves_other_or_missing(make_column: MakeColumn) -> None:
    classes = AXES["category"].classes(make_column(["b", "a", "B", OTHER, "", None, "b"]))
    assert classes.tolist() == [1, 0, 2, 2, 3, 3, 1]


def test_a_third_value_of_a_boolean_is_missing(make_column: MakeColumn) -> None:
    axis = CategoryAxis("c", ("no", "yes"), MISSING, closed=True)
    assert axis.classes(make_column(["yes", "maybe", "", None, "no"])).tolist() == [1, 2, 2, 2, 0]
    assert axis.doubtful == (2,)


def test_numbers_beyond_the_bounds_stand_at_the_bounds(make_column: MakeColumn) -> None:
    ticks = number(-5, 20, 1)
    column = make_column(["-5", "-5.04", "-1e300", "-inf", "20", "20.1", "1e400", "0", "0.26", "x"])
    assert ticks.index(column).tolist() == [0, 0, 0, 0, 250, 250, 250, 50, 53, -1]


def test_numbers_are_written_with_their_places() -> None:
    assert number(-5, 20, 2).texts(np.array([0, 1, 500, -1])).to_pylist() == [
        *("-5.00", "-4.99", "0.00", None)
    ]
    assert number(0, 10, 0).texts(np.array([3])).to_pylist() == ["3"]


def test_moments_are_written_in_their_format() -> None:
    ticks = moment("%d/%m/%Y %H:%M", 0, 86_400 * 10)
    assert ticks.step == 60
    assert ticks.texts(np.array([0, 61, -1])).to_pylist() == [
        *("01/01/1970 00:00", "01/01/1970 01:01", None)
    ]


def test_bins_are_drawn_over_all_of_their_values() -> None:
    axis = NumberAxis("c", number(0, 9, 0), np.array([0, 1, 5]))
    texts = np.array(axis.texts(np.repeat([0, 1, 2], 2000), RNG).to_pylist()).reshape(3, 2000)
    found = [np.unique(part, return_counts=True) for part in texts]
    assert [values.tolist() for values, _ in found] == [["0"], list("1234"), list("56789")]
    assert all(counts.min() > 0.8 * counts.max() for _, counts in found)


def test_what_is_made_up_holds_a_place_and_no_value() -> None:
    texts = PresenceAxis("c", MISSING).texts(np.array([0, 1, 0]), RNG)
    assert texts.to_pylist() == ["10000000", None, "10000002"]


def test_a_grid_is_no_finer_than_it_can_be_counted() -> None:
    ticks = number(-(2.0**62), 2.0**62, 6)
    assert ticks.cells <= 1 << 24
    assert ticks.low + (ticks.cells - 1) * ticks.step == pytest.approx(2.0**62, rel=1e-6)
    form: Form = ticks.form
    assert form.parse(column_of("c", pa.array(["5"])))[0].tolist() == [5.0]
