"""Partial rows completed: what is given stays byte by byte, what is free follows it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from synthvae import Synthesizer
from synthvae.artifact import Artifact
from synthvae.errors import SchemaError, UsageError

Fitted = Callable[[str], Artifact]


@pytest.fixture
def model(fitted: Fitted) -> Synthesizer:
    own = Synthesizer()
    own._artifact = fitted("arvae")
    return own


def test_given_cells_stay_and_the_others_are_filled(model: Synthesizer) -> None:
    given = pd.DataFrame(
        {"score": [1.25, np.nan, 6.5], "group": ["low", "rare", None]}, index=[7, 3, 5]
    )
    rows = model.sample(conditions=given, seed=2)
    assert list(rows.index) == [7, 3, 5]
    assert list(rows.columns) == [
        codec["name"] for codec in model.artifact.content["codec"]["codecs"]
    ]
    assert rows["group"].tolist()[:2] == ["low", "rare"]
    assert rows.loc[[7, 5], "score"].tolist() == [1.25, 6.5]
    assert rows.drop(columns="score").notna().all().all()
    pd.testing.assert_frame_equal(model.sample(conditions=given, seed=2), rows)


def test_what_is_free_follows_what_is_given(model: Synthesizer) -> None:
    given = pd.DataFrame({"score": np.repeat([-0.5, 6.25], 1500)})
    rows = model.sample(conditions=given)
    plain = model.sample(60_000, where="score between -0.9 and -0.1")
    low = rows.head(1500)
    expected = plain["group"].value_counts(normalize=True)
    found = low["group"].value_counts(normalize=True).reindex(expected.index, fill_value=0)
    assert (expected - found).abs().sum() / 2 < 0.06


def test_what_the_model_never_writes_is_an_error(model: Synthesizer) -> None:
    wrong = pd.DataFrame({"grup": ["low"], "group": ["lwo"], "visits": [4000]})
    with pytest.raises(SchemaError) as caught:
        model.sample(conditions=wrong)
    text = str(caught.value)
    assert all(part in text for part in ("no 'grup'", "no 'lwo'", "'4000'", "(row 1)"))


def test_conditions_stand_alone(model: Synthesizer) -> None:
    with pytest.raises(UsageError, match="n; leave"):
        model.sample(3, conditions=pd.DataFrame({"group": ["low"]}))
