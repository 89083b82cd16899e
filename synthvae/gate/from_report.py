"""What `synthvae report --json` wrote (docs/report.md) -> readings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from synthvae.findings import VERDICT
from synthvae.gate.records import REUSED, Reading, Readings, keep_worse

VERSION = 1
_EXACT = ("schema.valid", VERDICT, "privacy.epsilon", "privacy.epsilon_audited", "privacy.delta",
          "privacy.controls_failed", REUSED, "latent.active", "latent.units")  # fmt: skip


def of_report(content: Mapping[str, Any]) -> Readings:
    """By name; of records for each column, the one with the worst end.

    KeyError, TypeError or ValueError for what is no report.
    """
    if content["schema_version"] != VERSION:
        raise ValueError(f"schema_version is {VERSION}, not {content['schema_version']!r}")
    found: dict[str, Reading] = {}
    for record in content["records"]:
        keep_worse(found, record["name"], _reading(record), record["better"])
    return found


def _reading(record: Mapping[str, Any]) -> Reading:
    value, low, high = (_number(record[part]) for part in ("value", "low", "high"))
    words = f"'{record['column']}'" if record["column"] else ""
    if math.isnan(value):
        return Reading(value, value, value, words)  # an interval of everything tells nothing
    if record["low"] is None and record["high"] is None:
        if _is_exact(record["name"]):
            return Reading.exact(value, words)
        words = f"{words} {value:.4g} has no interval".strip()
    return Reading(value, low, high, words)


def _is_exact(name: str) -> bool:
    """Counts, promises and bounds: nothing that would come out otherwise on other rows."""
    return name in _EXACT or name.partition(".")[0] == "rows" or name.endswith("_upper")


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
