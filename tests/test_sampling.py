"""Sampling: conditions are exact, memory is flat, wrong requests are named."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import opening, pipeline
from synthvae.artifact import Artifact
from synthvae.errors import SchemaError, UsageError
from synthvae.settings import parse
from synthvae.table import from_frame

Fitted = Callable[[str], Artifact]


@pytest.fixture
def cvae(fitted: Fitted):
    return opening.sampler(fitted("cvae"))


def drawn(sampler, n: int, **given: str) -> pd.DataFrame:
    return pa.concat_tables(list(sampler.chunks(n, 3, "typed", given))).to_pandas()


def test_given_values_hold_in_every_row(cvae) -> None:
    rows = drawn(cvae, 700, group="rare", visits="4")
    assert set(rows["group"]) == {"rare"}
    assert set(rows["visits"]) == {4}
    assert rows["active"].nunique() == 2


def test_what_is_not_given_is_drawn_as_often_as_in_the_table(cvae, frame) -> None:
    rows, frame = (
        f[f["visits"] < 12] for f in (drawn(cvae, 20_000), frame)
    )  # above, some are rare
    expected = frame.groupby(["group", "visits"], observed=True).size()
    expected = expected[expected >= 6] / expected[expected >= 6].sum()
    found = rows.groupby(["group", "visits"], observed=True).size() / len(rows)
    assert found.index.isin(expected.index).all()
    assert (found - expected).abs().max() < 0.012  # 4 standard errors of a share of 0.15


def test_the_rest_follows_the_condition(fitted: Fitted, frame: pd.DataFrame) -> None:
    simple = frame[["group", "visits"]]
    artifact = pipeline.fit(
        from_frame(simple),
        None,
        parse({"preset": "cvae", "condition": ["group"], "training": {"epochs": 60}}),
    )
    sampler = opening.sampler(artifact)
    low, high = (drawn(sampler, 4000, group=g)["visits"].mean() for g in ("low", "high"))
    real = simple.groupby("group")["visits"].mean()
    assert low == pytest.approx(real["low"], abs=0.8)
    assert high == pytest.approx(real["high"], abs=1.2)


def test_wrong_conditions_are_named_all_at_once(cvae, fitted: Fitted) -> None:
    with pytest.raises(UsageError) as caught:
        list(cvae.chunks(1, 0, "text", {"grup": "low", "group": "lowest", "visits": "many"}))
    assert len(caught.value.reasons) == 3
    assert "did you mean 'group'?" in str(caught.value)
    with pytest.raises(UsageError, match="fit with --condition-on"):
        list(opening.sampler(fitted("tvae")).chunks(1, 0, "text", {"group": "low"}))


def test_numbers_of_rows(fitted: Fitted) -> None:
    sampler = opening.sampler(fitted("tvae"))
    assert list(sampler.chunks(0, 0, "text")) == []
    with pytest.raises(UsageError, match="0 or more"):
        list(sampler.chunks(-1, 0, "text"))


def test_memory_is_flat_in_the_number_of_rows(fitted: Fitted) -> None:
    sampler = opening.sampler(fitted("tvae"))

    def peak(n: int) -> int:
        tracemalloc.start()
        before = pa.total_allocated_bytes()
        highest = max(pa.total_allocated_bytes() for _ in sampler.chunks(n, 0, "typed"))
        python = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return python + highest - before

    peak(20_000)
    assert peak(240_000) < 2 * peak(60_000)


def test_an_abandoned_stream_stops_working(fitted: Fitted) -> None:
    stream = opening.sampler(fitted("tvae")).chunks(10**9, 0, "text")
    assert len(next(stream)) > 0
    stream.close()


def test_conditions_that_are_not_given_follow_those_that_are() -> None:
    rng = np.random.default_rng(0)
    small = rng.choice(["p", "q"], 400)
    table = pd.DataFrame({"small": small, "large": np.char.upper(small), "x": rng.random(400)})
    artifact = pipeline.fit(
        from_frame(table),
        None,
        parse({"preset": "cvae", "condition": ["small", "large"], "training": {"epochs": 1}}),
    )
    assert set(drawn(opening.sampler(artifact), 300, small="q")["large"]) == {"Q"}


def test_combinations_that_few_rows_hold_are_not_kept() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {name: rng.choice(list("abcdefghij"), 500) for name in ("one", "two", "three")}
    )
    artifact = pipeline.fit(
        from_frame(table),
        None,
        parse({"preset": "cvae", "condition": ["one", "two", "three"], "training": {"epochs": 1}}),
    )
    factors = artifact.content["conditions"]
    assert [len(factor["positions"]) for factor in factors] == [1, 1, 1]
    assert all(share * 500 > 5.5 for factor in factors for share in factor["shares"])


def test_made_up_columns_are_no_conditions(frame: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="is made up"):
        pipeline.fit(
            from_frame(frame), None, parse({"preset": "cvae", "condition": ["customer_id"]})
        )


def test_a_target_that_is_no_column_is_refused_before_the_fit(frame: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match=r"target is a column.* did you mean 'visits'"):
        pipeline.fit(from_frame(frame), None, parse({"target": "visit"}))


def test_a_given_category_that_was_never_seen_is_refused_with_a_hint(cvae) -> None:
    with pytest.raises(UsageError, match="has no 'rar'; did you mean 'rare'"):
        cvae.fixed({"group": "rar"})


def test_infinite_given_values_are_refused(cvae) -> None:
    with pytest.raises(UsageError, match="finite"):
        list(cvae.chunks(1, 0, "text", {"visits": "inf"}))
