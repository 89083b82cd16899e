"""Tables put together, and rows in the form in which a fit would have learnt them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthvae import pipeline
from synthvae.artifact import Artifact
from synthvae.pooled import as_learnt, joined
from synthvae.settings import parse
from synthvae.table import Table, from_frame

ROWS = 400


def texts(table: Table) -> list[tuple[str | None, ...]]:
    columns = [[*column.texts, None] for column in table.columns]
    codes = [column.codes for column in table.columns]
    return list(zip(*([t[i] for i in c] for t, c in zip(columns, codes, strict=True)), strict=True))


def test_tables_are_joined_whatever_their_levels() -> None:
    one = from_frame(pd.DataFrame({"a": ["x", "y", None], "b": [1, 2, 3]}))
    two = from_frame(pd.DataFrame({"b": [3, 4], "a": ["z", "y"]}))
    both = joined([one, two])
    assert both.names == ("a", "b")
    assert texts(both) == [("x", "1"), ("y", "2"), (None, "3"), ("z", "3"), ("y", "4")]
    assert len(set(both["a"].texts)) == len(both["a"].texts) == 3


def frame() -> pd.DataFrame:
    """Rows of which few have another number than 0 or 100, and few a category of their own."""
    rng = np.random.default_rng(3)
    number, kind = rng.choice([0, 100], ROWS), rng.choice(list("ab"), ROWS)
    number[:3], number[3:9], kind[:3] = 99, 40, "r"
    return pd.DataFrame({"n": number, "k": kind, "w": rng.normal(size=ROWS).round(1)})


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    settings = parse({"preset": "tvae", "training": {"epochs": 1}})
    return pipeline.fit(from_frame(frame()), None, settings, threads=1)


def test_a_rare_number_stands_at_a_common_one_and_a_category_stays(artifact: Artifact) -> None:
    table = from_frame(frame())
    (found,) = as_learnt(artifact, [table])
    rows = texts(found)
    assert [row[0] for row in rows[:9]] == ["100"] * 3 + ["40"] * 6
    assert [row[1] for row in rows[:3]] == ["r"] * 3
    assert found.names == table.names
    assert len(found) == ROWS


def test_what_is_rare_is_counted_over_all_tables_as_in_the_table_that_was_fitted(
    artifact: Artifact,
) -> None:
    """Of twice as many rows twice as many are few: 6 of 800 are, as 3 of 400 would be."""
    one, two = from_frame(frame()), from_frame(frame())
    found = as_learnt(artifact, [one, two])
    assert texts(found[0]) == texts(found[1])
    assert texts(found[0])[0][0] == "100"
    other = from_frame(frame()[10:])  # none of the six has 40
    assert {row[0] for row in texts(as_learnt(artifact, [one, other])[0])} == {"0", "100"}


def test_a_private_fit_withholds_nothing(artifact: Artifact) -> None:
    private = Artifact({**artifact.content, "privacy": {"claim": {}}}, artifact.weights)
    table = from_frame(frame())
    assert as_learnt(private, [table]) == [table]
