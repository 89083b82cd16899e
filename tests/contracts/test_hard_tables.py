"""The default model on tables that break careless ones: it fits, and what it writes is of the
table's kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from synthvae import Synthesizer

Make = Callable[[np.random.Generator], pd.DataFrame]


def small(rng: np.random.Generator) -> pd.DataFrame:
    group = rng.choice(["a", "b"], 60)
    return pd.DataFrame({"group": group, "x": (rng.normal(size=60) + (group == "a")).round(2)})


def wide(rng: np.random.Generator) -> pd.DataFrame:
    rows = 250
    numbers = {f"n{i}": rng.normal(size=rows).round(3) for i in range(60)}
    classes = {f"c{i}": rng.choice(["u", "v", "w"], rows) for i in range(60)}
    return pd.DataFrame({**numbers, **classes})


def many_levels(rng: np.random.Generator) -> pd.DataFrame:
    rows = 6000
    level = np.minimum(rng.zipf(1.3, rows), 3000)
    return pd.DataFrame({"code": [f"L{i}" for i in level], "even": level % 2 == 0})


def heavy_tails(rng: np.random.Generator) -> pd.DataFrame:
    values = rng.standard_cauchy(1500) * 1e6
    return pd.DataFrame({"x": values, "y": np.exp(rng.normal(0, 8, 1500)), "z": -values.round()})


def mostly_missing(rng: np.random.Generator) -> pd.DataFrame:
    x = rng.normal(size=1000).round(2)
    kind = np.where(rng.random(1000) < 0.97, None, "seen")
    return pd.DataFrame({"x": np.where(rng.random(1000) < 0.97, np.nan, x), "kind": kind, "k": 1})


def one_dominant_class(rng: np.random.Generator) -> pd.DataFrame:
    label = np.where(rng.random(3000) < 0.995, "no", "yes")
    return pd.DataFrame({"label": label, "x": rng.normal(size=3000) + 4 * (label == "yes")})


def one_column(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({"x": rng.gamma(2, size=400).round(3)})


def ids_only(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"K-{i:04d}" for i in rng.permutation(90)]})


def constants(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({"a": ["same"] * 100, "b": [3] * 100})


TABLES: list[Make] = [
    small,
    wide,
    many_levels,
    heavy_tails,
    mostly_missing,
    one_dominant_class,
    one_column,
    constants,
]


@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_it_fits_and_writes_rows_of_the_same_kind(make: Make) -> None:
    frame = make(np.random.default_rng(5))
    declared = {"columns": {name: {"sdtype": "categorical"} for name in frame}}
    metadata = declared if make is many_levels else None  # codes may be keys: a person has to say
    model = Synthesizer(settings={"training": {"epochs": 4}}).fit(frame, metadata)
    drawn = model.sample(8000, seed=1)  # of one table, one row in thirty has a value
    assert list(drawn.columns) == list(frame.columns)
    assert dict(drawn.dtypes.astype(str)) == dict(frame.dtypes.astype(str))
    for name, column in frame.items():
        known, new = column.dropna(), drawn[name].dropna()
        assert len(new) > 0
        if column.dtype.kind in "if":
            assert known.min() <= new.min() <= new.max() <= known.max()
            gap = abs((new < known.median()).mean() - (known < known.median()).mean())
            assert gap < 0.25
        else:
            assert set(new) <= set(known)
        missing = abs(drawn[name].isna().mean() - column.isna().mean())
        assert missing < 0.12


def test_a_rare_class_is_neither_lost_nor_common() -> None:
    frame = one_dominant_class(np.random.default_rng(5))
    drawn = Synthesizer(settings={"training": {"epochs": 12}}).fit(frame).sample(20_000, seed=1)
    share = (drawn["label"] == "yes").mean()
    assert 0.3 < share / (frame["label"] == "yes").mean() < 3
    # The class keeps the number that goes with it.
    assert drawn.loc[drawn["label"] == "yes", "x"].mean() > 2


def test_a_table_of_identifiers_gets_new_ones() -> None:
    frame = ids_only(np.random.default_rng(5))
    drawn = Synthesizer().fit(frame).sample(200)
    assert drawn["id"].is_unique
    assert drawn["id"].str.fullmatch(r"K-\d{4}").all()


def test_all_columns_may_be_given() -> None:
    frame = small(np.random.default_rng(5))
    settings = {"condition": ["group", "x"], "training": {"epochs": 2}}
    drawn = Synthesizer(settings=settings).fit(frame).sample(50, given={"group": "a"})
    assert set(drawn["group"]) == {"a"}
