"""SDMetrics' own scores, which many users know, with the intervals and floors it lacks.

Read them beside `fidelity`: SDMetrics bins the real and the synthetic numbers of a mixed pair each
over its own range, so that one outlier can sink a perfect table, and it averages only those pairs
that are associated in the real table.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthvae.evaluation.records import Interval, Metric
from synthvae.evaluation.stats import around, pick, subsample_error, t_quantile
from synthvae.seeds import stream

SCORED_ROWS = 50_000  # SDMetrics cuts larger tables itself, but without a seed
SUBSAMPLES = 4
SUBSAMPLE_ROWS = 10_000

Columns = Mapping[str, Mapping[str, object]]
_REPORTS = {
    "sdmetrics_quality": ("Column Shapes", "Column Pair Trends"),
    "sdmetrics_diagnostic": ("Data Validity", "Data Structure"),
}


@dataclass(frozen=True)
class _Score:
    value: float
    detail: dict[str, float]


def sdmetrics_records(
    real: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    columns: Columns,
    seed: int,
) -> tuple[Metric, ...]:
    """SDMetrics' quality and diagnostic reports with their properties; scores from 0 to 1.

    `columns` is the column part of SDV metadata (V1): `{"age": {"sdtype": "numerical"}, ...}`;
    columns it does not name are left aside. Frames may hold ids and datetimes as well. Scores are
    those of whole tables, as SDMetrics gives them (at most 50,000 rows of each); the floor is the
    score of the holdout, so a smaller holdout sets a somewhat low floor. The intervals cover
    redrawing the scored rows, from the spread of 4 subsamples of at most 10,000 rows (Student's t
    with 3 degrees of freedom, hence wide).
    `detail` has the score of each column, pair or property. A property that SDMetrics can't score
    is NaN. Ten scorings in all; each looks at every pair of columns, some 10 ms a pair.
    """
    rng = stream(seed, "sdmetrics")
    frames = (frame[list(columns)] for frame in (real, synthetic, holdout))
    ours, fake, fresh = (pick(frame, SCORED_ROWS, rng) for frame in frames)
    values, floors = _scores(ours, fake, columns), _scores(ours, fresh, columns)
    intervals = _intervals(values, ours, fake, columns, rng)
    floor_intervals = _intervals(floors, ours, fresh, columns, rng)
    return tuple(
        Metric(
            name=name,
            value=score.value,
            interval=intervals[name],
            floor=floors[name].value,
            floor_interval=floor_intervals[name],
            ratio=None,
            better="higher",
            unit="score",
            n=len(fake),
            seed=seed,
            detail=score.detail,
        )
        for name, score in values.items()
    )


def _intervals(
    scores: Mapping[str, _Score],
    real: pd.DataFrame,
    other: pd.DataFrame,
    columns: Columns,
    rng: np.random.Generator,
) -> dict[str, Interval]:
    """An interval around each score, from scores of subsamples of `other`."""
    kept = min(SUBSAMPLE_ROWS, len(other) // 2)
    reference = pick(real, SUBSAMPLE_ROWS, rng)
    again = [_scores(reference, pick(other, kept, rng), columns) for _ in range(SUBSAMPLES)]
    found = {}
    for name, score in scores.items():
        values = np.array([each[name].value for each in again])
        margin = subsample_error(values, kept, len(other)) * t_quantile(SUBSAMPLES - 1)
        found[name] = around(score.value, margin, 0.0, 1.0)
    return found


def _scores(real: pd.DataFrame, other: pd.DataFrame, columns: Columns) -> dict[str, _Score]:
    """Both reports and their properties by name."""
    # SDMetrics takes seconds to import, which nobody should wait for who does not ask for it.
    from sdmetrics.reports import DiagnosticReport, QualityReport

    tables = {"table": real}, {"table": other}
    metadata = {"tables": {"table": {"columns": {k: dict(v) for k, v in columns.items()}}}}
    found = {}
    for report, (name, properties) in zip(
        (QualityReport(), DiagnosticReport()), _REPORTS.items(), strict=True
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report.generate(*tables, metadata, verbose=False)
            parts = {each: report.get_details(each) for each in properties}
        table = report.get_properties().set_index("Property")["Score"]
        values = {each: float(table[each]) for each in properties}
        found[name] = _Score(float(report.get_score()), values)
        for each, detail in parts.items():
            found[each] = _Score(values[each], _named(detail))
    return found


def _named(details: pd.DataFrame) -> dict[str, float]:
    """The worst score of each column, or pair 'a x b', in SDMetrics' details; those unscored go."""
    parts = [name for name in details if str(name).startswith("Column")] or ["Metric"]
    scored = details.dropna(subset="Score")
    worst: dict[str, float] = {}
    for names, score in zip(scored[parts].to_numpy(), scored["Score"], strict=True):
        label = " x ".join(map(str, names))
        worst[label] = min(float(score), worst.get(label, 1.0))
    return worst
