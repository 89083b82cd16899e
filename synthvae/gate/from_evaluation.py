"""What `synthvae evaluate -o` wrote -> readings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from synthvae.gate.records import Reading, Readings

_SAME = {
    "shape": "fidelity.shape",
    "pair": "fidelity.pair",
    "coverage": "fidelity.coverage",
    "detector": "fidelity.c2st",
    "utility_gap": "utility.gap",
    "sdmetrics_quality": "sdmetrics.quality",
    "sdmetrics_diagnostic": "sdmetrics.diagnostic",
    "Column Shapes": "sdmetrics.column_shapes",
    "Column Pair Trends": "sdmetrics.column_pair_trends",
    "Data Validity": "sdmetrics.data_validity",
    "Data Structure": "sdmetrics.data_structure",
}
_OVER = {"shape": "fidelity.shape_ratio", "pair": "fidelity.pair_ratio"}
_LESS = {
    "detector": "fidelity.c2st_minus_floor",
    "worst_column": "fidelity.worst_column_minus_floor",
}
_BLAMES = {"shape", "pair", "worst_column", "detector"}  # the largest part of these explains them


def of_evaluation(content: Mapping[str, Any]) -> Readings:
    """By name. KeyError or TypeError for what is no evaluation."""
    found: dict[str, Reading] = {}
    for record in content["records"]:
        name, value = record["name"], _reading(record["value"], record["interval"], record)
        if name in _SAME:
            found[_SAME[name]] = value
        floor = _reading(record["floor"], record["floor_interval"] or {}, {})
        if name in _OVER:
            found[_OVER[name]] = value.over(floor)
        if name in _LESS:
            found[_LESS[name]] = value.less(floor)
    return found


def _reading(value: Any, interval: Mapping[str, Any], record: Mapping[str, Any]) -> Reading:
    low, high = (_number(interval.get(end)) for end in ("low", "high"))
    return Reading(_number(value), low, high, _words(record))


def _words(record: Mapping[str, Any]) -> str:
    """Which column, or pair of columns, has most to do with it."""
    name = record.get("name")
    parts = {k: v for k, v in record.get("detail", {}).items() if v is not None}
    if name == "coverage":
        if record["value"] is None:
            return "no value is so common that 15 of so many rows would hold it; draw more"
        lacking = [f"'{column}'" for column, share in parts.items() if share < 1]
        return f"values are lacking in {', '.join(lacking)}" if lacking else ""
    if name not in _BLAMES or not parts:
        return ""
    return f"most of it in '{max(parts, key=lambda part: parts[part])}'"


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
