"""A model with a column by the calendar, through all that is done with a model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthvae import Synthesizer, opening
from synthvae.codecs import calendar

METADATA = {
    "columns": {
        "at": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d %H:%M"},
        "shop": {"sdtype": "categorical"},
        "sum": {"sdtype": "numerical"},
    }
}


def table(rows: int = 2000) -> pd.DataFrame:
    """Moments of two years on the hour, some missing; shops that are open at other times."""
    rng = np.random.default_rng(0)
    hours = rng.integers(0, 2 * 365 * 24, rows)
    at = pd.DatetimeIndex(np.datetime64("2020-01-01", "s") + 3600 * hours)
    texts = pd.Series(at.strftime("%Y-%m-%d %H:%M")).where(rng.random(rows) > 0.1, None)
    shop = np.where(at.hour < 12, "early", "late")
    return pd.DataFrame({"at": texts, "shop": shop, "sum": rng.normal(size=rows).round(2)})


@pytest.fixture(scope="module")
def fitted() -> Synthesizer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calendar, "ROWS_PER_CLASS", 1)
        return Synthesizer(settings={"training": {"epochs": 25}}).fit(table(), METADATA)


def test_it_is_by_the_calendar(fitted: Synthesizer) -> None:
    kinds = {one.name: one.kind for one in opening.sampler(fitted.artifact).codec.codecs}
    assert kinds["at"] == "calendar"


def test_rows_have_moments_of_the_table_and_follow_other_columns(fitted: Synthesizer) -> None:
    rows = fitted.sample(4000)
    moments = pd.to_datetime(rows["at"])
    assert moments.dropna().between("2020-01-01", "2021-12-31 23:00").all()
    assert 0.05 < rows["at"].isna().mean() < 0.15
    early = moments.dt.hour < 12
    known = moments.notna()
    assert ((rows["shop"] == "early") == early)[known].mean() > 0.8  # 0.5 by chance


def test_rows_meet_a_condition_on_moments(fitted: Synthesizer) -> None:
    rows = fitted.sample(200, where="at between '2020-03-01 00:00' and '2020-03-31 23:00'")
    assert pd.to_datetime(rows["at"]).between("2020-03-01", "2020-03-31 23:00").all()


def test_missing_moments_are_filled_and_others_kept(fitted: Synthesizer) -> None:
    given = table(200)
    filled = fitted.impute(given)
    there = given["at"].notna()
    assert (filled["at"][there] == given["at"][there]).all()
    assert pd.to_datetime(filled["at"][~there]).notna().all()


def test_rows_are_scored_and_a_saved_model_draws_the_same(
    fitted: Synthesizer, tmp_path: Path
) -> None:
    assert np.isfinite(fitted.score(table(100))["score"]).all()
    fitted.save(tmp_path / "m.synthvae")
    again = Synthesizer.load(tmp_path / "m.synthvae")
    pd.testing.assert_frame_equal(again.sample(50, seed=3), fitted.sample(50, seed=3))
