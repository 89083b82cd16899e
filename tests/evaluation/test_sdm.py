"""SDMetrics' scores are its own; intervals and floors are ours."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from synthvae.evaluation import Metric, sdmetrics_records

COLUMNS = {
    "id": {"sdtype": "id", "regex_format": "k[0-9]+"},
    "day": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
    "x": {"sdtype": "numerical"},
    "y": {"sdtype": "numerical"},
    "kind": {"sdtype": "categorical"},
}
NAMES = [
    "sdmetrics_quality",
    "Column Shapes",
    "Column Pair Trends",
    "sdmetrics_diagnostic",
    "Data Validity",
    "Data Structure",
]


def table(seed: int, rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(365, size=rows), unit="D")
    return pd.DataFrame(
        {
            "id": [f"k{k}" for k in range(rows)],
            "day": days,
            "x": x,
            "y": x + 0.2 * rng.normal(size=rows),
            "kind": rng.choice(["p", "q", "r"], rows).astype(object),
            "unnamed": 1.0,
        }
    )


REAL, HOLDOUT, FRESH = table(0), table(1), table(2)


def by_name(synthetic: pd.DataFrame) -> dict[str, Metric]:
    found = sdmetrics_records(REAL, HOLDOUT, synthetic, COLUMNS, 0)
    return {each.name: each for each in found}


@pytest.fixture(scope="module")
def fresh() -> dict[str, Metric]:
    return by_name(FRESH)


def test_scores_are_those_of_sdmetrics(fresh):
    from sdmetrics.reports import DiagnosticReport, QualityReport

    metadata = {"tables": {"t": {"columns": COLUMNS}}}
    for report, name, parts in (
        (QualityReport(), NAMES[0], NAMES[1:3]),
        (DiagnosticReport(), NAMES[3], NAMES[4:]),
    ):
        frames = ({"t": frame[list(COLUMNS)]} for frame in (REAL, FRESH))
        report.generate(*frames, metadata, verbose=False)
        assert fresh[name].value == pytest.approx(report.get_score())
        scores = report.get_properties().set_index("Property")["Score"]
        for part in parts:
            assert fresh[part].value == pytest.approx(scores[part])
            assert fresh[name].detail[part] == fresh[part].value


def test_every_record_has_a_floor_and_intervals(fresh):
    assert list(fresh) == NAMES
    for metric in fresh.values():
        assert metric.interval.low <= metric.value <= metric.interval.high
        assert metric.floor_interval.low <= metric.floor <= metric.floor_interval.high
        assert metric.floor == pytest.approx(metric.value, abs=0.06)
        assert metric.better == "higher"
        assert metric.n == 400
    assert fresh["Column Shapes"].interval.high > fresh["Column Shapes"].interval.low


def test_details_name_columns_and_pairs(fresh):
    assert set(fresh["Column Shapes"].detail) == {"day", "x", "y", "kind"}
    assert set(fresh["Column Pair Trends"].detail) == {"x x y"}
    assert set(fresh["Data Validity"].detail) == set(COLUMNS)
    assert fresh["Data Structure"].detail == {"TableStructure": 1.0}


def test_faults_lower_the_scores_that_look_at_them(fresh):
    faulty = FRESH.assign(
        x=FRESH["x"].sample(frac=1, random_state=0).to_numpy(),
        kind=np.where(FRESH["kind"] == "p", "new", FRESH["kind"]).astype(object),
    )
    found = by_name(faulty)
    trends = found["Column Pair Trends"]
    assert trends.interval.high < fresh["Column Pair Trends"].interval.low
    assert found["Column Shapes"].detail["kind"] < 0.8
    assert found["Data Validity"].detail["kind"] < 0.8
    assert found["sdmetrics_diagnostic"].value < fresh["sdmetrics_diagnostic"].value


def test_it_repeats_itself(fresh):
    assert by_name(FRESH) == fresh


def test_it_is_silent_even_on_a_column_that_sdmetrics_warns_of(capsys):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        by_name(FRESH.assign(y=np.nan))
    assert not heard
    assert capsys.readouterr() == ("", "")


def test_a_property_without_a_score_is_nan_and_null():
    columns = {"kind": COLUMNS["kind"]}
    found = sdmetrics_records(REAL, HOLDOUT, FRESH, columns, 0)
    trends = next(each for each in found if each.name == "Column Pair Trends")
    assert np.isnan(trends.value)
    assert trends.to_json()["value"] is None
    assert trends.to_json()["interval"] == {"low": None, "high": None}
