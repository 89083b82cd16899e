"""A table met by a fitted model: every reason at once, and the same rows whatever file they came
from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthvae import opening, pipeline
from synthvae.artifact import Artifact
from synthvae.errors import SchemaError
from synthvae.matching import match, match_known
from synthvae.reading import read_table
from synthvae.schema import MISSING
from synthvae.settings import parse
from synthvae.table import from_frame

Fitted = Callable[[str], Artifact]


@pytest.fixture
def codec(fitted: Fitted):
    return opening.sampler(fitted("arvae")).codec


def test_all_reasons_come_at_once(codec, frame: pd.DataFrame) -> None:
    wrong = frame.drop(columns="spend").rename(columns={"visits": "visit"})
    wrong.loc[3, "group"] = "lowest"
    wrong["score"] = wrong["score"].astype(object)
    wrong.loc[5, "score"] = "many"
    with pytest.raises(SchemaError) as caught:
        match(codec, from_frame(wrong), 0)
    assert len(caught.value.reasons) == 4
    text = str(caught.value)
    for words in ("'spend'", "did you mean 'visit'?", "'lowest' in row 4", "'many' in row 6"):
        assert words in text


def test_another_table_is_one_reason(codec, frame: pd.DataFrame) -> None:
    with pytest.raises(SchemaError) as caught:
        match(codec, from_frame(frame.add_prefix("old ")), 0)
    (reason,) = caught.value.reasons
    assert "none of them" in reason
    assert "old visits" in reason


def test_infinite_numbers_are_refused(codec, frame: pd.DataFrame) -> None:
    wrong = frame.copy()
    wrong.loc[9, "spend"] = np.inf
    with pytest.raises(SchemaError, match="finite"):
        match(codec, from_frame(wrong), 0)


def test_other_columns_and_another_order_change_nothing(codec, frame: pd.DataFrame) -> None:
    other = frame[frame.columns[::-1]].assign(label=1)
    one, two = (match(codec, from_frame(f), 0).encoded for f in (frame, other))
    np.testing.assert_array_equal(one.codes, two.codes)
    np.testing.assert_array_equal(one.scalars, two.scalars)


def test_typed_columns_are_met_as_text_was(csv: Path, frame: pd.DataFrame) -> None:
    """Fitted on CSV; dates and booleans of Parquet and pandas have texts of their own."""
    text = read_table(str(csv))
    codec = pipeline.prepare(text, None, parse({})).codec
    one, two = (match(codec, table, 0).encoded for table in (text, from_frame(frame)))
    np.testing.assert_array_equal(one.codes, two.codes)
    np.testing.assert_allclose(one.scalars, two.scalars, atol=1e-6)


def test_moments_may_be_finer_than_those_that_were_learnt() -> None:
    days = pd.date_range("2020-01-01", periods=300, freq="D")
    artifact = pipeline.fit(
        from_frame(pd.DataFrame({"at": days})), None, parse({"training": {"epochs": 1}})
    )
    codec = opening.scorer(artifact).codec
    finer = pd.DataFrame({"at": days + pd.Timedelta("1234567us")})
    assert not match(codec, from_frame(finer), 0).unknown["at"].any()


def test_unknown_cells_are_not_present_and_rows_keep_their_numbers(codec, frame) -> None:
    holes = frame.copy()
    holes.loc[[0, 7], "group"] = None
    holes.loc[[2], "visits"] = np.nan
    found = match(codec, from_frame(holes), 0, MISSING)
    full = match(codec, from_frame(frame), 0, MISSING)
    assert np.flatnonzero(found.unknown["group"]).tolist() == [0, 7]
    at = codec.layout.of_column("group").codes[0]
    assert (found.encoded.codes[[0, 7], at] == -1).all()
    np.testing.assert_array_equal(found.encoded.codes[8:, at], full.encoded.codes[8:, at])
    (score,) = codec.layout.of_column("score").scalars
    assert np.isnan(found.encoded.scalars[frame["score"].isna(), score]).all()
    holes.loc[9, "group"] = "lowest"
    with pytest.raises(SchemaError, match="1 rows hold others, first 'lowest' in row 10"):
        match(codec, from_frame(holes), 0, MISSING)
    with pytest.raises(SchemaError, match="first '' in row 1"):
        match(codec, from_frame(holes), 0)


def test_what_a_model_can_not_read_is_unknown_rather_than_refused(codec, frame) -> None:
    other = frame.astype({"score": object})
    other.loc[3, "group"] = "never seen"
    other.loc[4, "spend"] = np.inf
    other.loc[5, "since"] = pd.NaT
    found = match_known(codec, from_frame(other.astype({"score": float})), 0)
    assert {n: np.flatnonzero(m).tolist() for n, m in found.unknown.items() if m.any()} == {
        "group": [3],
        "spend": [4],
        "since": [5],
    }
    at = codec.layout.of_column("group").codes[0]
    assert found.encoded.codes[3, at] == -1
    plain = match(codec, from_frame(frame), 0)
    np.testing.assert_array_equal(found.encoded.codes[6:, at], plain.encoded.codes[6:, at])
    with pytest.raises(SchemaError, match="no column 'group'"):
        match_known(codec, from_frame(frame.drop(columns="group")), 0)
