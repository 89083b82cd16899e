"""What `synthvae audit -o` wrote -> readings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from synthvae.gate.records import Reading, Readings

_OUTCOMES = {"PASS": 1.0, "INCONCLUSIVE": 0.0, "FAIL": -1.0}
_EXCESSES = {
    "singling out": "privacy.singling_out",
    "linkability": "privacy.linkability",
    "inference": "privacy.inference",
    "exact copies": "copies.exact",
    "near copies": "copies.near",
    "rare combinations": "copies.rare_combinations",
    "reused values": "copies.reused",
}
_ATTACKS = {"AUC of ": "privacy.attack_auc", "members ": "privacy.attack_tpr"}
_ALL = ", all rows, "
"""Exposed rows are few, so intervals are wide: the audit's verdict counts attacks on them."""


def of_audit(content: Mapping[str, Any]) -> Readings:
    """By name. KeyError or TypeError for what is no audit."""
    verdict = content["verdict"]
    found = {
        "privacy.verdict": Reading.exact(
            _OUTCOMES[verdict["outcome"]], "; ".join(verdict["reasons"]) or verdict["outcome"]
        ),
        "privacy.controls_failed": _controls(content["controls"]),
        **_attacks(verdict["criteria"]),
        **_excesses([*content["risks"], *content["copies"]]),
    }
    if not content["left_out"]:
        found["copies.reused"] = Reading.exact(0.0, "no column is made up")
    if content["claim"]:
        found["privacy.epsilon"] = Reading.exact(float(content["claim"]["epsilon"]))
        found["privacy.delta"] = Reading.exact(float(content["claim"]["delta"]))
    bounds = [*content["attacks"], *content["bounds"]]
    if bounds:
        strongest = max(_number(bound["epsilon"]) for bound in bounds)
        found["privacy.epsilon_audited"] = Reading.exact(strongest, "a bound from below")
    return found


def _controls(controls: Sequence[Mapping[str, Any]]) -> Reading:
    """Checks of the audit itself that failed, or that could not be made."""
    wrong = [each["name"] for each in controls if each["passed"] is not True]
    return Reading.exact(float(len(wrong)), ", ".join(wrong))


def _attacks(criteria: Sequence[Mapping[str, Any]]) -> Readings:
    """Of attacks on all rows, those that the verdict goes by: the worst end of each measure."""
    found: dict[str, Reading] = {}
    for each in criteria:
        for start, name in _ATTACKS.items():
            known = each["section"] == "membership" and _ALL in each["name"]
            if known and each["name"].startswith(start):
                _keep_worse(found, name, _reading(each, each["name"]))
    return found


def _excesses(records: Sequence[Mapping[str, Any]]) -> Readings:
    """What happens to training rows beyond what happens to rows never seen."""
    found: dict[str, Reading] = {}
    for each in records:
        ours, theirs = each["training"], each["control"]
        words = f"{ours['hits']:,} of {ours['n']:,} training rows, {theirs['hits']:,} of "
        words += f"{theirs['n']:,} others"
        if each["name"] in ("inference", "reused values"):
            words = f"'{each['subject'][0]}': {words}"
        _keep_worse(found, _EXCESSES[each["name"]], _reading(each, words))
    return found


def _keep_worse(found: dict[str, Reading], name: str, reading: Reading) -> None:
    """What was not measured is worse than whatever was."""
    known = found.get(name)
    if known is None or not reading.high <= known.high:
        found[name] = reading


def _reading(record: Mapping[str, Any], words: str) -> Reading:
    low, high = (_number(record["interval"][end]) for end in ("low", "high"))
    value = _number(record["value"])
    if math.isnan(value):
        return Reading(value, value, value, words)  # an interval of everything tells nothing
    return Reading(value, low, high, words)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
