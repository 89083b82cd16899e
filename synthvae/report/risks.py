"""The records of an audit and of a certificate, from the JSON that other commands wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthvae.findings import NAMES, OF_COLUMNS, OUTCOMES, VERDICT, ends_of, worst
from synthvae.report.records import Record, number


def of_audit(audit: Mapping[str, Any]) -> list[Record]:
    """The verdict, the strongest attack, disclosure, copies and bounds on epsilon."""
    told = OUTCOMES[audit["verdict"]["outcome"]]
    unit = ", ".join(f"{value:g} {word}" for word, value in OUTCOMES.items())
    seed = audit.get("seed")
    records = [Record(VERDICT, told, "high", unit, seed=seed)]
    records += _attacks(audit)
    records += [of_excess(each) for each in (*audit["risks"], *audit["copies"])]
    if audit.get("left_out") == {}:
        records.append(nothing_reused(seed))
    failed = sum(each["passed"] is not True for each in audit["controls"])
    records.append(Record("privacy.controls_failed", failed, "low", "controls", seed=seed))
    if audit.get("epsilon_audited") is not None:
        largest = number(audit["epsilon_audited"])
        records.append(Record("privacy.epsilon_audited", largest, "low", "epsilon", seed=seed))
    return records


def nothing_reused(seed: int | None) -> Record:
    """Of a table in which no column is made up."""
    return Record("copies.reused", 0.0, "low", "share of training rows", seed=seed)


def of_excess(found: Mapping[str, Any]) -> Record:
    """How much oftener it happens to training rows than to holdout rows."""
    column = found["subject"][0] if found["name"] in OF_COLUMNS else None
    return Record(
        NAMES[found["name"]], ends_of(found)[0], "low", "share of training rows", column,
        *ends_of(found)[1:], 0.0, n=found["training"]["n"], seed=found["seed"],
    )  # fmt: skip


def of_certificate(certificate: Mapping[str, Any]) -> list[Record]:
    """What is promised."""
    claim = certificate["claim"]
    unit = "one row" if claim["unit"] == "row" else f"all rows of one '{claim['unit']}'"
    return [
        Record("privacy.epsilon", number(claim["epsilon"]), "low", f"epsilon for {unit}"),
        Record("privacy.delta", number(claim["delta"]), "low", "delta"),
    ]


def _attacks(audit: Mapping[str, Any]) -> list[Record]:
    found, seed = [], audit.get("seed")
    if (auc := worst(audit, "auc")) is not None:
        value, low, high = ends_of(auc)
        whose, n = auc["name"].removeprefix("AUC"), _rows(auc, audit["attacks"])
        found += [
            Record("privacy.attack_auc", value, "low", f"ROC AUC{whose}",
                   low=low, high=high, floor=0.5, n=n, seed=seed),
            Record("privacy.attack_advantage", 2 * value - 1, "low", f"2 AUC - 1{whose}",
                   low=2 * low - 1, high=2 * high - 1, floor=0.0, n=n, seed=seed),
            Record("privacy.attack_advantage_upper", 2 * high - 1, "low", f"2 AUC - 1{whose}",
                   floor=0.0, n=n, seed=seed),
        ]  # fmt: skip
    if (tpr := worst(audit, "tpr")) is not None:
        value, low, high = ends_of(tpr)
        found.append(
            Record("privacy.attack_tpr", value, "low", f"share of {tpr['name']}",
                   low=low, high=high, floor=0.01, n=_rows(tpr, audit["attacks"]), seed=seed)
        )  # fmt: skip
    return found


def _rows(criterion: Mapping[str, Any], attacks: Sequence[Mapping[str, Any]]) -> int | None:
    """Rows that the attack of a criterion was tested on; None if there is no such attack."""
    for each in attacks:
        if each["who"] == "all rows" and f"'{each['name']}'" in criterion["name"]:
            return int(each["members"] + each["others"])
    return None
