"""What metadata has to say of a private table, every reason at once, and what follows from it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.errors import SchemaError
from synthvae.marginals.domain import BOOLEANS, declared, discovers, ticks_of
from synthvae.metadata import Metadata

Described = Callable[..., Metadata]
DAY = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"}


def one(described: Described, **options: Any) -> Any:
    (column,) = declared(described(c=options), ["c"])
    return column


def test_columns_come_in_the_order_of_the_table(described: Described) -> None:
    metadata = described(b="boolean", n="numerical", c="categorical", d=DAY, i="id", m="email")
    columns = declared(metadata, ["m", "d", "c", "n", "i", "b"])
    assert [(c.name, c.kind) for c in columns] == [
        ("m", "made up"),
        ("d", "moment"),
        ("c", "category"),
        ("n", "number"),
        ("i", "made up"),
        ("b", "category"),
    ]


def test_all_that_is_wrong_is_said_at_once(described: Described) -> None:
    metadata = described(
        gone="numerical",
        swapped={"sdtype": "numerical", "range_min": 5, "range_max": 1},
        word={"sdtype": "numerical", "range_min": "low"},
        endless={"sdtype": "numerical", "range_max": float("inf")},
        nothing={"sdtype": "numerical", "range_max": float("nan")},
        places={"sdtype": "numerical", "decimal_places": 7},
        half={"sdtype": "numerical", "decimal_places": 0.5},
        formless="datetime",
        codeless={"sdtype": "datetime", "datetime_format": "%Q"},
        weekly={"sdtype": "datetime", "datetime_format": "%U"},
        late={**DAY, "range_max": "01.02.2020"},
        early={**DAY, "range_min": "2020-01-02", "range_max": "2020-01-01"},
        letters={"sdtype": "categorical", "range_values": "abc"},
        misspelt="emial",
        whole={"sdtype": "id", "range_is_nullable": "no"},
    )
    names = [name for name in metadata.columns if name != "gone"]
    with pytest.raises(SchemaError) as error:
        declared(metadata, [*names, "undescribed"])
    reasons = str(error.value).splitlines()
    for name in [*metadata.columns, "undescribed"]:
        (reason,) = (r for r in reasons if f"'{name}'" in r)
        rule, _, rest = reason.partition(", but ")
        assert rule
        assert rest.count(";") == 1, reason


def test_categories_are_texts_and_may_mean_missing_elsewhere(described: Described) -> None:
    column = one(described, sdtype="categorical", range_values=["NA", 1, 1, 2.5])
    assert column.levels == ("NA", "1", "2.5")
    assert "NA" not in column.missing
    assert "" in column.missing


@pytest.mark.parametrize(
    ("options", "levels"),
    [
        ({"order": ["b", "a"]}, ("b", "a")),
        ({"range_values": None, "order": ["b"]}, ("b",)),
        ({"range_values": None}, None),
        ({}, None),
    ],
)
def test_categories_are_discovered_where_none_are_declared(
    described: Described, options: dict[str, Any], levels: Any
) -> None:
    assert one(described, sdtype="categorical", **options).levels == levels
    metadata = described(c={"sdtype": "categorical", **options}, b="boolean", n="numerical")
    assert discovers(metadata) == (levels is None)


@pytest.mark.parametrize(
    ("values", "words"),
    [([], "range_values lists categories, but it is empty"), (["a", "TODO"], "still a TODO")],
)
def test_a_list_that_was_not_completed_is_refused(
    values: list[str], words: str, described: Described
) -> None:
    with pytest.raises(SchemaError, match=words):
        one(described, sdtype="categorical", range_values=values)


def test_integers_have_no_places(described: Described) -> None:
    for kind, places in (("Int64", 0), ("UInt8", 0), ("Float", None)):
        column = one(described, sdtype="numerical", computer_representation=kind)
        assert column.places == places


def test_missing_values_of_the_settings_count(described: Described) -> None:
    (column,) = declared(described(c="numerical"), ["c"], ["-999"])
    assert {"-999", "NA"} <= column.missing


def test_a_row_counts_for_one_spelling() -> None:
    assert len(set(BOOLEANS)) == len(BOOLEANS)
    assert {"true", "False", "YES", "n", "T", "0"} <= set(BOOLEANS)


@pytest.mark.parametrize(
    ("format", "step", "first", "last"),
    [
        ("%Y-%m-%d", 86_400.0, "1900-01-01", "2100-01-01"),
        ("%d.%m.", 86_400.0, "01.01.", "01.01."),
        ("%H:%M", 60.0, "00:00", "00:00"),
        ("%H:%M:%S", 1.0, "00:00:00", "00:00:00"),
    ],
)
def test_a_range_that_is_not_declared_follows_from_the_format(
    described: Described, format: str, step: float, first: str, last: str
) -> None:
    column = one(described, sdtype="datetime", datetime_format=format)
    ticks = ticks_of(column, column.low, column.high, 0)
    assert ticks.step == step
    ends = ticks.texts(np.array([0, ticks.cells - 1])).to_pylist()
    assert ends == [first, last]


def test_a_declared_range_is_kept_to_the_unit(described: Described) -> None:
    format = "%d/%m/%Y %H:%M:%S.%f"
    ends = ("01/02/2020 10:00:00.000000", "01/02/2020 10:00:05.250000")
    column = one(
        described, sdtype="datetime", datetime_format=format, range_min=ends[0], range_max=ends[1]
    )
    assert column.high - column.low == 5_250_000
    ticks = ticks_of(column, column.low, column.high, 0)
    assert (ticks.step, ticks.cells) == (1, 5_250_001)


def test_a_number_s_grid_begins_at_a_written_number(described: Described) -> None:
    column = one(described, sdtype="numerical", range_min=0.123, range_max=1.0, decimal_places=2)
    ticks = ticks_of(column, column.low, column.high, 2)
    assert (ticks.low, ticks.cells) == (0.12, 89)
