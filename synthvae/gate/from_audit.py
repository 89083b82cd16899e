"""What `synthvae audit -o` wrote -> readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthvae.findings import NAMES, OF_COLUMNS, OUTCOMES, VERDICT, ends_of, worst
from synthvae.gate.records import REUSED, Reading, Readings, keep_worse


def of_audit(content: Mapping[str, Any]) -> Readings:
    """By name. KeyError or TypeError for what is no audit."""
    verdict = content["verdict"]
    found = {
        VERDICT: Reading.exact(OUTCOMES[verdict["outcome"]], "; ".join(verdict["reasons"])),
        "privacy.controls_failed": _controls(content["controls"]),
        **_attacks(content),
        **_excesses([*content["risks"], *content["copies"]]),
    }
    if not content["left_out"]:
        found.setdefault(REUSED, Reading.exact(0.0, "no column is made up"))
    if content["claim"]:
        found["privacy.epsilon"] = Reading.exact(float(content["claim"]["epsilon"]))
        found["privacy.delta"] = Reading.exact(float(content["claim"]["delta"]))
    if content.get("epsilon_audited") is not None:
        found["privacy.epsilon_audited"] = Reading.exact(
            float(content["epsilon_audited"]), "a bound from below"
        )
    return found


def _controls(controls: Sequence[Mapping[str, Any]]) -> Reading:
    """Checks of the audit itself that failed, or that could not be made."""
    wrong = [each for each in controls if each["passed"] is not True]
    names = [f"{e['name']} {'not made' if e['passed'] is None else 'failed'}" for e in wrong]
    return Reading.exact(float(len(wrong)), ", ".join(names))


def _attacks(content: Mapping[str, Any]) -> Readings:
    """Of attacks on all rows, those that the verdict goes by: the worst end of each measure."""
    found = {f"privacy.attack_{each}": worst(content, each) for each in ("auc", "tpr")}
    return {name: _reading(each, each["name"]) for name, each in found.items() if each}


def _excesses(records: Sequence[Mapping[str, Any]]) -> Readings:
    """What happens to training rows beyond what happens to rows never seen."""
    found: dict[str, Reading] = {}
    for each in records:
        ours, theirs = each["training"], each["control"]
        words = f"{ours['hits']:,} of {ours['n']:,} training rows, {theirs['hits']:,} of "
        words += f"{theirs['n']:,} holdout rows"
        if each["name"] in OF_COLUMNS:
            words = f"'{each['subject'][0]}': {words}"
        keep_worse(found, NAMES[each["name"]], _reading(each, words))
    return found


def _reading(record: Mapping[str, Any], words: str) -> Reading:
    return Reading(*ends_of(record), words)
