"""One call evaluates a table, and says what it could not look at."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from synthvae.evaluation import evaluate


def table(seed: int, rows: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "key": [f"{seed}-{k}" for k in range(rows)],
            "x": x,
            "label": np.where(x + rng.normal(size=rows) > 0, "yes", "no").astype(object),
            "note": pd.Series([None] * rows, dtype=object),
        }
    )


REAL, HOLDOUT, SYNTHETIC = table(0), table(1), table(2)
DISTANCES = ["shape", "worst_column", "pair", "coverage"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than they bring on tables this small."""
    with threadpool_limits(1):
        yield


def test_a_whole_evaluation():
    heard: list[str] = []
    before = [frame.copy() for frame in (REAL, HOLDOUT, SYNTHETIC)]
    found = evaluate(REAL, HOLDOUT, SYNTHETIC, target="label", seed=5, progress=heard.append)
    assert [each.name for each in found.records] == [*DISTANCES, "detector", "utility_gap"]
    assert heard == [*DISTANCES, "detector", "utility"]
    assert {each.seed for each in found.records} == {5}
    assert found.left_out == {"key": "nearly unique text: 100% of its values are distinct"}
    assert found.notes == ()
    assert "key" not in found["shape"].detail
    assert set(found["shape"].detail) == {"x", "label", "note"}
    assert "NaN" not in json.dumps(found.to_json(), allow_nan=False)
    for frame, copy in zip((REAL, HOLDOUT, SYNTHETIC), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_the_order_of_columns_does_not_matter():
    names = ["note", "label", "x", "key"]
    found = evaluate(REAL, HOLDOUT[names], SYNTHETIC[names], target=None)
    assert found["pair"] == evaluate(REAL, HOLDOUT, SYNTHETIC, target=None)["pair"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (None, "utility was skipped: it needs a target, and none was given"),
        ("key", "utility was skipped: the target 'key' was left out, nearly unique text"),
        ("note", "utility was skipped: a target needs two distinct values"),
    ],
)
def test_a_utility_that_can_not_be_is_noted(target, reason):
    found = evaluate(REAL, HOLDOUT, SYNTHETIC, target=target)
    assert [each.name for each in found.records] == [*DISTANCES, "detector"]
    assert found.notes[0].startswith(reason)


def test_a_single_column_is_compared_without_pairs():
    found = evaluate(REAL[["x"]], HOLDOUT, SYNTHETIC, target=None)
    names = [each.name for each in found.records]
    assert names == ["shape", "worst_column", "coverage", "detector"]
    assert any(note.startswith("pair was skipped") for note in found.notes)
    assert "holdout has columns that real lacks, ignored: 'key', 'label', 'note'" in found.notes


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ValueError, match="every table needs") as caught:
        evaluate(
            REAL,
            HOLDOUT.drop(columns=["x", "label"]),
            SYNTHETIC.iloc[:1].assign(x="much"),
            target="income",
        )
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("every table needs the real table's columns; holdout lacks 'x', 'l")
    assert lines[1] == ("every table needs at least 2 rows; synthetic has 1; give it more rows")
    assert "synthetic differs from real in 'x'" in lines[2]
    assert "the real table has no 'income'" in lines[3]


def test_keys_alone_can_not_be_compared():
    keys = REAL[["key"]]
    with pytest.raises(ValueError, match="text that is not nearly unique"):
        evaluate(keys, keys, keys, target=None)


@pytest.mark.parametrize("target", ["label", "x"])
def test_a_column_that_came_out_empty_is_a_finding(target: str):
    rng = np.random.default_rng(3)
    real, holdout, synthetic = (
        table(k).assign(z=np.where(rng.random(40) < 0.3, rng.normal(size=40), np.nan))
        for k in range(3)
    )
    found = evaluate(real, holdout, synthetic.assign(z=np.nan), target=target, seed=5)
    assert found["worst_column"].detail["z"] > 20
    assert np.isfinite(found["utility_gap"].value)
