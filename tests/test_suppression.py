"""What too few rows hold is in no model file and in no drawn row; what is declared stays."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae import Synthesizer
from synthvae.codecs.bounds import holders
from synthvae.codecs.relations import column_of
from synthvae.metadata import ColumnMetadata, Metadata
from synthvae.schema import resolve
from synthvae.suppression import Rare, _evenly, suppressed
from synthvae.table import Column, Table

DEFAULT = Rare()
quick = settings(max_examples=60, deadline=None)


def through(
    texts: list[str | None], sdtype: str, rare: Rare = DEFAULT, units=None, **options: object
) -> tuple[Column, dict[str, int]]:
    table = Table((column_of("c", pa.array(texts, pa.string())),))
    metadata = Metadata({"c": ColumnMetadata(sdtype, options)})
    who = None if units is None else np.array(units, np.int32)
    found, withheld = suppressed(resolve(metadata, table), table, metadata, rare, who, 0)
    return found["c"], withheld.get("c", {"levels": 0, "rows": 0})


def values(column: Column) -> list[str | None]:
    return [column.texts[i] if i >= 0 else None for i in column.codes.tolist()]


@quick
@given(st.lists(st.integers(0, 40), min_size=100, max_size=200), st.integers(1, 5))
def test_no_category_of_too_few_rows_is_left(draws: list[int], least: int):
    texts = [f"level {int(i**0.5)}" for i in draws]
    counts = Counter(texts)
    column, withheld = through([*texts], "categorical", Rare(least))
    kept = {text for text, n in counts.items() if n >= least}
    assert set(column.texts) == kept
    assert withheld["levels"] == len(counts) - len(kept)
    assert withheld["rows"] == sum(n for n in counts.values() if n < least)
    same = [new == old for new, old in zip(values(column), texts, strict=True) if old in kept]
    assert all(same)  # nothing else moves


@quick
@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=100, max_size=300, unique=True))
def test_ends_are_sixth(numbers: list[float]):
    column, _ = through([repr(n) for n in numbers], "numerical")
    found = sorted(float(text) for text in values(column) if text)
    ordered = sorted(numbers)
    assert (found[0], found[-1]) == (ordered[5], ordered[-6])
    assert found[5:-5] == ordered[5:-5]


def test_dates_and_their_declared_ends():
    days = [f"2020-{m:02d}-{d:02d}" for m in range(1, 7) for d in range(1, 29)]
    column, _ = through(days, "datetime", datetime_format="%Y-%m-%d")
    assert (min(column.texts), max(column.texts)) == ("2020-01-06", "2020-06-23")
    column, _ = through(
        days, "datetime", datetime_format="%Y-%m-%d", range_min="2020-01-01", range_max="2021-01-01"
    )
    assert sorted(column.texts) == days


def test_rare_numbers_of_a_short_list_become_their_neighbours():
    texts = ["1"] * 60 + ["2"] * 60 + ["3"] * 2 + ["9"] * 60 + ["7"] * 3
    column, withheld = through([*texts], "numerical")
    assert Counter(values(column)) == {"1": 60, "2": 62, "9": 63}
    assert withheld == {"levels": 2, "rows": 5}


def test_rare_numbers_between_declared_ends_become_their_neighbours_too():
    texts = [*(str(20 + i % 60) for i in range(300)), "17", "93"]
    column, withheld = through([*texts], "numerical", range_min=0, range_max=120)
    assert Counter(values(column)) == Counter(texts) - Counter(["17", "93"]) + Counter(["20", "79"])
    assert withheld == {"levels": 2, "rows": 2}


def test_rare_codes_of_numbers_and_declared_categories():
    texts = [str(i % 50) for i in range(200)] + ["N"] * 8 + ["Jane"] * 2 + [None] * 2
    column, _ = through([*texts], "numerical")
    assert "Jane" not in column.texts
    assert values(column).count("N") == 8
    assert values(column).count(None) == 2
    column, _ = through(["a"] * 200 + ["b"], "categorical", range_values=["a", "b"])
    assert set(column.texts) == {"a", "b"}


def test_what_is_rare_goes_to_its_like_and_not_to_what_is_frequent():
    texts = [f"frequent {i % 3}" for i in range(9_000)]
    texts += [f"seldom {i % 100}" for i in range(600)]
    texts += [f"once {i}" for i in range(500)]
    counts = Counter(values(through([*texts], "categorical")[0]))
    assert all(counts[f"frequent {i}"] < 3_030 for i in range(3))  # by shares: 3,156
    grown = [counts[f"seldom {i}"] for i in range(100)]
    assert 470 < sum(grown) - 600 < 500
    assert max(grown) < 6 + 20  # five more of each are expected


@quick
@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), st.integers(0, 1500))
def test_shares_are_even_and_bounded_by_the_room(room: list[int], total: int):
    found = _evenly(np.array(room), total)
    assert np.isclose(found.sum(), min(total, sum(room)))
    assert (found <= room).all()
    assert np.allclose(found[found < room], found.max())  # who has room has as much as anybody


def test_where_nothing_is_common_nothing_is_left():
    column, withheld = through([str(i // 2) + "x" for i in range(200)], "categorical")
    assert (column.codes == -1).all()
    assert withheld == {"levels": 100, "rows": 200}


def test_small_tables_and_zero():
    texts = ["a"] * 30 + ["b"]
    assert set(through([*texts], "categorical")[0].texts) == {"a", "b"}  # k is 31 // 20
    texts = ["a"] * 300 + ["b"]
    assert set(through([*texts], "categorical", Rare(0))[0].texts) == {"a", "b"}


@quick
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 9)), min_size=1, max_size=80))
def test_holders_are_counted_once(rows: list[tuple[int, int]]):
    codes, units = (np.array(side, np.int32) for side in zip(*rows, strict=True))
    found = holders(codes, 6, units)
    for level in range(6):
        named = {u for c, u in rows if c == level and u >= 0}
        assert found[level] == len(named) + sum(c == level and u < 0 for c, u in rows)


def test_a_category_of_one_person_is_rare_however_many_rows():
    texts = ["common"] * 300 + ["his"] * 50
    units = [*range(300), *[999] * 50]
    column, _ = through([*texts], "categorical", Rare(), units)
    assert set(column.texts) == {"common"}


def test_from_fit_to_sample():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "city": [*rng.choice(["Rome", "Oslo"], 394), *["Zzyzx"] * 3, *["Ulm"] * 3],
            "age": rng.integers(20, 60, 400),
            "pay": np.round(rng.lognormal(8, 1, 400), 2),
        }
    )
    frame.loc[0, "pay"] = 98765432.1
    frame.loc[1, "age"] = 119
    model = Synthesizer("tvae", settings={"training": {"epochs": 2, "batch": 100}}).fit(frame)
    text = json.dumps(dict(model.artifact.content))
    for secret in ("Zzyzx", "Ulm", "98765432", "119.0"):
        assert secret not in text
    rows = model.sample(2000)
    assert set(rows.city) == {"Rome", "Oslo"}
    assert rows.age.max() < 119
    assert rows.pay.max() < 98765432
    with pytest.warns(UserWarning, match=r"some in 'city' \(6 rows\)"):
        assert len(model.score(frame)) == 400  # what was withheld is read all the same
    from synthvae.holdings import describe

    assert describe(model.artifact)["columns"]["city"]["withheld"] == {"levels": 2, "rows": 6}


def test_of_values_that_are_all_outermost_common_ones_stay():
    few = ["7"] * 6 + ["1", "2", "9"]
    column, withheld = through([None] * 391 + few, "numerical")
    assert Counter(values(column)) == {None: 394, "7": 6}
    assert withheld == {"levels": 3, "rows": 3}
    declared, _ = through([None] * 391 + few, "numerical", range_min=0, range_max=9)
    assert Counter(values(declared)) == {None: 394, "7": 6}
    ages = [str(i) for i in range(11)]  # one more than both ends hold: that one is told
    column, _ = through([None] * 389 + ages, "numerical")
    assert Counter(values(column)) == {None: 389, "5": 11}
