"""Columns as databases and other programs leave them, drawn in both views and as promised."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import Synthesizer, opening, pipeline
from synthvae.artifact import Artifact
from synthvae.detect import detect
from synthvae.fields import fields_of
from synthvae.guarantee import Guarantee
from synthvae.metadata import ColumnMetadata, Metadata
from synthvae.settings import parse
from synthvae.table import from_arrow

ROWS = 400
LONG = 2**63 - 1
DAYS = pd.date_range("2014-01-05", periods=700)


def drawn(artifact: Artifact, view: Any, rows: int = 3000) -> pa.Table:
    sampler = opening.sampler(artifact)
    guarantee = Guarantee(fields_of(sampler.codec), view)
    return pa.concat_tables(guarantee.held(sampler.chunks(rows, 1, view)))


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    rng = np.random.default_rng(0)
    whole = rng.integers(1, 10**6, ROWS)
    days = [DAYS[i] for i in rng.integers(0, 700, ROWS)]
    third = rng.random(ROWS) < 1 / 3
    cents = [f"{n / 100:.2f}" for n in whole]
    columns = {
        "tens": pa.array([Decimal(int(n)) for n in whole], pa.decimal128(10, 0)),
        "money": pa.array([Decimal(int(n)) for n in whole], pa.decimal128(10, 2)),
        "fine": pa.array([Decimal(int(n)) / 100 for n in whole], pa.decimal128(38, 18)),
        "slashes": pa.array([f"{d.year}/{d.month}/{d.day}" for d in days]),
        "number": pa.array([int(d.strftime("%Y%m%d")) for d in days]),
        "gaps": pa.array(
            [None if i % 7 == 0 else float(d.strftime("%Y%m%d")) for i, d in enumerate(days)]
        ),
        "longest": pa.array(np.where(third, LONG, whole)),
        "lowest": pa.array(np.where(third, -(2**63), whole)),
        "hash": pa.array(rng.integers(2**62, 2**64 - 1, ROWS, dtype=np.uint64)),
        "half": pa.array(rng.random(ROWS).astype(np.float16)),
        "zoned": pa.array(days, pa.timestamp("s", "America/New_York")),
        "price": pa.array(np.where(third, "1000000000000000.00", cents)),
    }
    table = from_arrow(pa.table(columns), "a test")
    day = ColumnMetadata("datetime", {"datetime_format": "%Y%m%d"})
    days_as_numbers = dict.fromkeys(("number", "gaps"), day)
    metadata = Metadata({**detect(table).columns, **days_as_numbers})
    return pipeline.fit(table, metadata, parse({"training": {"epochs": 1}}))


@pytest.mark.parametrize("view", ["text", "typed"])
def test_promises_are_kept(artifact: Artifact, view: str) -> None:
    assert len(drawn(artifact, view)) == 3000


def test_decimals_are_exact(artifact: Artifact) -> None:
    text, typed = drawn(artifact, "text"), drawn(artifact, "typed")
    assert typed.schema.field("fine").type == pa.decimal128(38, 18)
    for name in ("tens", "money", "fine"):
        written = [Decimal(each) for each in text[name].to_pylist()]
        assert typed[name].to_pylist() == written
    assert all(100 * each == int(100 * each) for each in typed["fine"].to_pylist())


def test_dates_that_are_numbers_stay_those(artifact: Artifact) -> None:
    text, typed = drawn(artifact, "text"), drawn(artifact, "typed")
    assert typed["number"].type == pa.int64()
    assert [str(each) for each in typed["number"].to_pylist()] == text["number"].to_pylist()
    there = [each for each in typed["gaps"].to_pylist() if each is not None]
    assert 0 < len(there) < 3000
    assert 20140105 <= min(there) <= max(there) <= 20151231


def test_a_number_that_means_something_else_leaves_the_others_alone(artifact: Artifact) -> None:
    text, typed = drawn(artifact, "text"), drawn(artifact, "typed")
    for name, word in (("longest", LONG), ("lowest", -(2**63))):
        values = typed[name].to_pylist()
        assert 0.2 < values.count(word) / len(values) < 0.5
        assert max(abs(each) for each in values if each != word) <= 10**6
        assert [str(each) for each in values] == text[name].to_pylist()
    prices = text["price"].to_pylist()
    assert "1000000000000000.00" in prices
    assert all(len(each.partition(".")[2]) == 2 for each in prices)


def test_values_of_few_rows_are_in_no_model() -> None:
    rng = np.random.default_rng(0)
    for there in (1, 2, 3, 10):
        one = [None] * (ROWS - there) + [123456.78 + i for i in range(there)]
        frame = pd.DataFrame({"settlement": one, "age": rng.integers(20, 60, ROWS)})
        model = Synthesizer(settings={"training": {"epochs": 1}}).fit(frame)
        assert model.sample(2000)["settlement"].isna().all()
        assert "1234" not in str(model.artifact.content)


def test_dtypes_that_can_not_be_had_have_a_neighbour() -> None:
    rng = np.random.default_rng(0)
    encoded = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    money = [Decimal(int(n)) / 4 for n in rng.integers(0, 1000, ROWS)]
    frame = pd.DataFrame(
        {
            "money": pd.array(money, pd.ArrowDtype(pa.decimal128(10, 2))),
            "zip": rng.permutation(ROWS) + 10_000,
            "town": pd.array(["a", "b"] * (ROWS // 2), encoded),
        }
    )
    kinds = {"money": "numerical", "zip": "categorical", "town": "categorical"}
    metadata = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
    model = Synthesizer(settings={"training": {"epochs": 1}}).fit(frame, metadata)
    new = model.sample(50)
    assert new["money"].dtype == frame["money"].dtype
    assert new["zip"].isna().all()  # no value of it is common
    assert str(new["zip"].dtype) == "Int64"
    assert set(new["town"]) == {"a", "b"}
