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


METADATA = {
    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
    "primary_key": "id",
    "columns": {
        "id": {"sdtype": "id", "regex_format": "[0-9]{3}"},
        "group": {"sdtype": "categorical"},
        "visits": {"sdtype": "numerical"},
        "name": {"sdtype": "name"},
        "email": {"sdtype": "email"},
    },
}


@pytest.fixture(scope="module")
def ruled(frame: pd.DataFrame) -> Synthesizer:
    """A model that breaks its only rule in a row of two, where it may."""
    rows = frame[["group", "visits"]].assign(
        id=[f"{i:03d}" for i in range(len(frame))], name="somebody", email="a@example.com"
    )
    rule = {"kind": "range", "column": "visits", "max": int(frame["visits"].max())}
    settings = {"preset": "tvae", "constraints": [rule], "training": {"epochs": 1, "batch": 100}}
    model = Synthesizer(settings=settings).fit(rows, METADATA)
    narrower = model.artifact.content["codec"]["bindings"]["rules"]
    narrower[0]["max"] = int(frame["visits"].median())
    return model


def test_what_is_made_up_is_of_one_walk_whatever_is_drawn_again(
    ruled: Synthesizer, frame: pd.DataFrame
) -> None:
    given = pd.DataFrame({"group": frame["group"][:300]})
    limit = frame["visits"].median()
    partial = given.assign(id=None, visits=np.nan, name=None, email=None)
    for rows in (ruled.sample(conditions=given), ruled.impute(partial)):
        assert (rows["visits"] <= limit).all()
        assert rows["id"].is_unique
        assert rows["id"].astype(str).str.fullmatch("[0-9]{3}").all()
        assert rows["email"].is_unique
        first = rows["name"].str.split().str[0].str.lower()
        assert (first == rows["email"].str.split(".").str[0]).mean() > 0.9


def test_rows_that_keep_no_constraint_are_said(ruled: Synthesizer, frame: pd.DataFrame) -> None:
    given = pd.DataFrame({"visits": [int(frame["visits"].median()) + 1, 0]})
    with pytest.warns(UserWarning, match="1 row was filled but breaks a constraint"):
        rows = ruled.sample(conditions=given)
    assert rows["visits"].tolist() == given["visits"].tolist()
    with pytest.warns(UserWarning, match="1 row was filled but breaks a constraint"):
        ruled.impute(given.assign(id="001", group=None, name="a b", email="a@example.com"))


def test_more_rows_than_a_declared_form_has_texts_are_refused(ruled: Synthesizer) -> None:
    with pytest.raises(SchemaError, match="1,000 texts, and 1,001 rows"):
        ruled.sample(conditions=pd.DataFrame({"group": ["low"] * 1001}))


def test_rules_of_uniqueness_are_refused(frame: pd.DataFrame) -> None:
    rows = frame[["visits", "since"]].drop_duplicates()
    rule = {"kind": "unique", "columns": ["visits", "since"]}
    settings = {"preset": "tvae", "constraints": [rule], "training": {"epochs": 1, "batch": 100}}
    model = Synthesizer(settings=settings).fit(rows)
    with pytest.raises(UsageError, match="'visits', 'since': no two rows alike"):
        model.sample(conditions=pd.DataFrame({"visits": [3]}))


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
