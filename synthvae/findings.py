"""What an audit wrote (its public JSON), as records of a report and of a gate name it.

Both read it here, so that a policy finds the same ends in either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

VERDICT = "privacy.verdict"
OUTCOMES = {"PASS": 1.0, "INCONCLUSIVE": 0.0, "FAIL": -1.0}
"""Outcomes as numbers, so that a limit can ask for one or better."""
NAMES = {
    "singling out": "privacy.singling_out",
    "linkability": "privacy.linkability",
    "inference": "privacy.inference",
    "exact copies": "copies.exact",
    "near copies": "copies.near",
    "rare combinations": "copies.rare_combinations",
    "reused values": "copies.reused",
}
OF_COLUMNS = ("inference", "reused values")
_MEASURES = {"auc": "AUC of ", "tpr": "members "}
_ALL = ", all rows, "


def outcome(number: float) -> str:
    """The word for a number of OUTCOMES."""
    return {value: word for word, value in OUTCOMES.items()}.get(number, f"{number:g}")


def worst(audit: Mapping[str, Any], measure: str) -> Mapping[str, Any] | None:
    """Of attacks on all rows, the criterion of `measure` ("auc" or "tpr") whose upper end is worst;
    what was not measured is worse than whatever was. None if nobody was attacked.

    Exposed rows are few, so intervals are wide: the audit's verdict counts attacks on them.
    """
    asked = [
        each
        for each in audit["verdict"]["criteria"]
        if each["section"] == "membership"
        and _ALL in each["name"]
        and each["name"].startswith(_MEASURES[measure])
    ]

    def end(criterion: Mapping[str, Any]) -> float:
        high = ends_of(criterion)[2]
        return math.inf if math.isnan(high) else high

    return max(asked, key=end, default=None)


def ends_of(found: Mapping[str, Any]) -> tuple[float, float, float]:
    """Value, low and high; all NaN if it was not measured, since everything is no interval."""
    value = _number(found["value"])
    if math.isnan(value):
        return math.nan, math.nan, math.nan
    return value, _number(found["interval"]["low"]), _number(found["interval"]["high"])


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
