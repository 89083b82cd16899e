"""The numbers of a report, in one flat list: what a gate reads (docs/report.md names them)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from synthvae.evaluation.records import Evaluation, Interval, Metric, Part

Better = Literal["low", "high", "target"]


@dataclass(frozen=True)
class Record:
    """One number and all that is needed to judge it. NaN becomes null in JSON."""

    name: str
    value: float
    better: Better
    unit: str
    column: str | None = None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    floor_low: float | None = None
    floor_high: float | None = None
    n: int | None = None
    seed: int | None = None
    target: float | None = None

    def to_json(self) -> dict[str, Any]:
        """All fields by name, in a fixed order."""
        order = ("name", "column", "value", "low", "high", "floor", "floor_low", "floor_high")
        fields = (*order, "n", "seed", "better", "target", "unit")
        return {name: _plain(getattr(self, name)) for name in fields}


def number(value: Any) -> float:
    """A number of somebody's JSON; NaN where there is none."""
    return float(value) if isinstance(value, (int, float)) else math.nan


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


_NAMES: Mapping[str, tuple[str, Better]] = {
    "shape": ("fidelity.shape", "target"),
    "pair": ("fidelity.pair", "target"),
    "association": ("fidelity.association", "target"),
    "detector": ("fidelity.c2st", "target"),
    "worst_column": ("fidelity.worst_column", "target"),
    "coverage": ("fidelity.coverage", "high"),
    "utility_gap": ("utility.gap", "low"),
    "sdmetrics_quality": ("sdmetrics.quality", "high"),
    "sdmetrics_diagnostic": ("sdmetrics.diagnostic", "high"),
    "Column Shapes": ("sdmetrics.column_shapes", "high"),
    "Column Pair Trends": ("sdmetrics.column_pair_trends", "high"),
    "Data Validity": ("sdmetrics.data_validity", "high"),
    "Data Structure": ("sdmetrics.data_structure", "high"),
    "projection": ("latent.projection", "target"),
}
_PARTS = {"shape": "fidelity.column", "pair": "fidelity.pairs"}
_RATIOS = {"shape": "fidelity.shape_ratio", "pair": "fidelity.pair_ratio"}


def of_evaluation(found: Evaluation) -> list[Record]:
    """The records of every metric, its ratio or difference, and its parts."""
    return [record for metric in found.records for record in of_metric(metric)]


def of_metric(metric: Metric) -> list[Record]:
    """A metric, what follows from it and its floor, and its parts."""
    name, better = _NAMES[metric.name]
    floor = metric.floor_interval or Interval(math.nan, math.nan)
    records = [
        Record(name, metric.value, better, metric.unit,
               low=metric.interval.low, high=metric.interval.high,
               floor=metric.floor, floor_low=floor.low, floor_high=floor.high,
               target=metric.floor if better == "target" else None, n=metric.n, seed=metric.seed)
    ]  # fmt: skip
    if metric.name in _RATIOS:
        records.append(_ratio(metric, floor))
    if metric.name == "detector":
        records.append(_difference(metric, floor, "fidelity.c2st_minus_floor", "ROC AUC"))
    if metric.name == "worst_column":
        records.append(_difference(metric, floor, "fidelity.worst_column_minus_floor", "percent"))
    if metric.name == "utility_gap":
        records += _scores(metric)
    for column, part in metric.parts.items():
        if metric.name in _PARTS:
            records.append(_of_part(metric, column, part))
    return records


def _of_part(metric: Metric, column: str, part: Part) -> Record:
    return Record(
        _PARTS[metric.name], part.value, "target", metric.unit, column,
        part.interval.low, part.interval.high,
        part.floor, part.floor_interval.low, part.floor_interval.high,
        metric.n, metric.seed, part.floor,
    )  # fmt: skip


def _ratio(metric: Metric, floor: Interval) -> Record:
    """Value over floor; relative errors of both are added as squares, on a logarithmic scale."""
    value, under = metric.value, number(metric.floor)
    ratio, down, up = math.nan, math.nan, math.nan
    if value > 0 and under > 0:
        ratio = value / under
        down = math.hypot(1 - metric.interval.low / value, floor.high / under - 1)
        up = math.hypot(metric.interval.high / value - 1, 1 - floor.low / under)
    return Record(
        _RATIOS[metric.name], ratio, "target", "value over floor",
        low=ratio * math.exp(-down), high=ratio * math.exp(up),
        floor=1.0, n=metric.n, seed=metric.seed, target=1.0,
    )  # fmt: skip


def _difference(metric: Metric, floor: Interval, name: str, unit: str) -> Record:
    """Value less floor; errors of both are added as squares."""
    under = number(metric.floor)
    value = metric.value - under
    down = math.hypot(metric.value - metric.interval.low, floor.high - under)
    up = math.hypot(metric.interval.high - metric.value, under - floor.low)
    return Record(
        name, value, "target", f"{unit} above the floor",
        low=value - down, high=value + up,
        floor=0.0, n=metric.n, seed=metric.seed, target=0.0,
    )  # fmt: skip


def _scores(metric: Metric) -> list[Record]:
    better: Better = "high" if metric.unit == "ROC AUC" else "low"
    unit = metric.unit if better == "high" else "RMSE, in the target's unit"
    return [
        Record(f"utility.{name}", value, better, unit, n=metric.n, seed=metric.seed)
        for name, value in metric.detail.items()
    ]
