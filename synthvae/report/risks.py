"""The records of an audit and of a certificate, from the JSON that other commands wrote."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from synthvae.report.records import Record, number

_OUTCOMES = {"PASS": 1.0, "INCONCLUSIVE": 0.0, "FAIL": -1.0}
_NAMES = {
    "singling out": "privacy.singling_out",
    "linkability": "privacy.linkability",
    "inference": "privacy.inference",
    "exact copies": "copies.exact",
    "near copies": "copies.near",
    "rare combinations": "copies.rare_combinations",
    "reused values": "copies.reused",
}
_OF_COLUMNS = ("inference", "reused values")
_TABLES = ("released table", "larger table")
_AIM = "1%"


def of_audit(audit: Mapping[str, Any]) -> list[Record]:
    """The verdict, the strongest attack, disclosure, copies and bounds on epsilon."""
    outcome = audit["verdict"]["outcome"]
    unit = "1 pass, 0 inconclusive, -1 fail"
    seed = audit.get("seed")
    records = [Record("privacy.verdict", _OUTCOMES[outcome], "high", unit, seed=seed)]
    records += _attack(audit["attacks"])
    records += [of_excess(each) for each in (*audit["risks"], *audit["copies"])]
    bounds = [number(each["epsilon"]) for each in audit["bounds"]]
    bounds += [
        number(each["epsilon_one_run"]) for each in chosen(audit["attacks"], "first_half_auc")
    ]
    if bounds:
        largest = max(bounds)
        records.append(Record("privacy.epsilon_audited", largest, "low", "epsilon", seed=seed))
    return records


def of_excess(found: Mapping[str, Any]) -> Record:
    """How much oftener it happens to training rows than to holdout rows."""
    column = found["subject"][0] if found["name"] in _OF_COLUMNS else None
    return Record(
        _NAMES[found["name"]], number(found["value"]), "low", "share of training rows", column,
        number(found["interval"]["low"]), number(found["interval"]["high"]),
        0.0, n=found["training"]["n"], seed=found["seed"],
    )  # fmt: skip


def of_certificate(certificate: Mapping[str, Any]) -> list[Record]:
    """What is promised."""
    claim = certificate["claim"]
    unit = "one row" if claim["unit"] == "row" else f"all rows of one '{claim['unit']}'"
    return [
        Record("privacy.epsilon", number(claim["epsilon"]), "low", f"epsilon for {unit}"),
        Record("privacy.delta", number(claim["delta"]), "low", "delta"),
    ]


def chosen(attacks: Sequence[Mapping[str, Any]], by: str) -> list[Mapping[str, Any]]:
    """Of each kind of access, and of all and of exposed rows, the attack that was strongest on the
    half of the rows that it is not tested on: the strongest on the others would flatter itself."""
    groups: dict[tuple[bool, str], list[Mapping[str, Any]]] = {}
    for attack in attacks:
        key = attack["access"] in _TABLES, attack["who"]
        groups.setdefault(key, []).append(attack)
    return [max(group, key=lambda each: number(each[by])) for group in groups.values()]


def _attack(attacks: Sequence[Mapping[str, Any]]) -> list[Record]:
    if not attacks:
        return []
    best = max(chosen(attacks, "first_half_auc"), key=lambda each: number(each["auc"]))
    auc = number(best["auc"])
    low, high = (number(best["interval"][end]) for end in ("low", "high"))
    whose = f"'{best['name']}', {best['who']}"
    n, seed = best["members"] + best["others"], best["seed"]
    records = [
        Record("privacy.attack_auc", auc, "low", f"ROC AUC of {whose}",
               low=low, high=high, floor=0.5, n=n, seed=seed),
        Record("privacy.attack_advantage", 2 * auc - 1, "low", f"2 AUC - 1 of {whose}",
               low=2 * low - 1, high=2 * high - 1, floor=0.0, n=n, seed=seed),
        Record("privacy.attack_advantage_upper", 2 * high - 1, "low", f"2 AUC - 1 of {whose}",
               floor=0.0, n=n, seed=seed),
    ]  # fmt: skip
    able = [each for each in attacks if _AIM in each["tpr"]]
    if able:
        records.append(_tpr(max(chosen(able, "first_half_tpr"), key=_found)))
    return records


def _found(attack: Mapping[str, Any]) -> float:
    value = number(attack["tpr"][_AIM]["value"])
    return -1.0 if math.isnan(value) else value


def _tpr(attack: Mapping[str, Any]) -> Record:
    seen = attack["tpr"][_AIM]
    return Record(
        "privacy.attack_tpr", number(seen["value"]), "low",
        f"members that '{attack['name']}', {attack['who']}, finds at 1 % false alarms",
        low=number(seen["interval"]["low"]), high=number(seen["interval"]["high"]),
        floor=0.01, n=seen["n"], seed=attack["seed"],
    )  # fmt: skip
