"""Balanced samples: counts are exact, and a value that is too rare is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pytest

from synthvae import pipeline
from synthvae.artifact import Artifact
from synthvae.balancing import balanced, equal_counts
from synthvae.errors import SchemaError, UsageError

Fitted = Callable[[str], Artifact]
PRESETS = pytest.mark.parametrize("preset", ["arvae", "cvae"])  # picked, and told


def drawn(sampler, counts: dict[str, int], seed: int = 1, **options: object) -> pd.DataFrame:
    chunks = balanced(sampler, "group", counts, seed, "typed", **options)
    return pa.concat_tables(chunks).to_pandas()


@PRESETS
def test_counts_are_exact(preset: str, fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthvae.sampling._BLOCK_ROWS", (64, 128))
    sampler = pipeline.sampler(fitted(preset))
    counts = {"rare": 150, "low": 300, "mid": 0}
    rows = drawn(sampler, counts)
    assert Counter(rows["group"].astype(str)) == {"rare": 150, "low": 300}
    assert rows["customer_id"].is_unique
    assert rows["since"].nunique() > 100
    pd.testing.assert_frame_equal(drawn(sampler, counts, threads=1), rows)
    assert not drawn(sampler, counts, 2).equals(rows)


def test_rows_are_shared_equally(fitted: Fitted) -> None:
    sampler = pipeline.sampler(fitted("arvae"))
    counts = equal_counts(sampler, "group", 102)
    assert counts == {"high": 26, "low": 26, "mid": 25, "rare": 25}


def test_picked_rows_are_those_of_a_sample(fitted: Fitted) -> None:
    sampler = pipeline.sampler(fitted("arvae"))
    rows = drawn(sampler, {"high": 40})
    freely = pa.concat_tables(sampler.chunks(4000, 1, "typed")).to_pandas()
    first = freely[freely["group"] == "high"][:40].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, first, check_categorical=False)


def test_a_value_that_is_too_rare_is_named(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthvae.balancing.PER_ROW", 2)
    monkeypatch.setattr("synthvae.balancing.FEWEST", 1)
    with pytest.raises(UsageError, match=r"'rare' came \d+ times of 20,000; ask for fewer"):
        drawn(pipeline.sampler(fitted("tvae")), {"rare": 20_000})


def test_wrong_requests_are_named(fitted: Fitted) -> None:
    sampler = pipeline.sampler(fitted("cvae"))
    with pytest.raises(SchemaError) as caught:
        drawn(sampler, {"lo": 3, "mid": -1}, given={"group": "mid"})
    assert len(caught.value.reasons) == 3
    assert "did you mean 'low'?" in str(caught.value)
    for column, words in (("grup", "did you mean 'group'"), ("score", "holds categories")):
        with pytest.raises(SchemaError, match=words):
            equal_counts(sampler, column, 10)
