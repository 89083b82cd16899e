"""Records say what a metric, an audit or a certificate said, under the names of docs/report.md."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from synthvae.evaluation.records import Interval, Metric, Part
from synthvae.gate.from_audit import of_audit as gate_readings
from synthvae.gate.from_report import of_report
from synthvae.report.public import KEPT
from synthvae.report.records import of_metric
from synthvae.report.risks import of_audit, of_certificate
from synthvae.report.words import TITLES

ROOT = Path(__file__).parent.parent.parent


def metric(name: str, **changes) -> Metric:
    fields = {
        "name": name, "value": 2.0, "interval": Interval(1.5, 2.5), "floor": 1.0,
        "floor_interval": Interval(0.9, 1.1), "ratio": 2.0, "better": "closer",
        "unit": "percent", "n": 700, "seed": 3, "detail": {},
    }  # fmt: skip
    return Metric(**{**fields, **changes})


def attack(name: str, auc: float, first: float, access: str = "model", who: str = "all rows"):
    return {
        "name": name, "access": access, "who": who, "auc": auc,
        "interval": {"low": auc - 0.02, "high": auc + 0.02}, "members": 500, "others": 400,
        "seed": 0, "tpr": {"1%": {"value": auc / 10, "interval": {"low": 0.01, "high": 0.2},
                                  "n": 500, "hits": 5}},
        "epsilon_one_run": 0.1, "first_half_auc": first, "first_half_tpr": first / 10,
    }  # fmt: skip


def test_a_ratio_has_the_errors_of_both_in_its_interval():
    value, ratio = of_metric(metric("shape"))
    assert (value.name, value.value, value.target) == ("fidelity.shape", 2.0, 1.0)
    assert (ratio.name, ratio.value, ratio.target) == ("fidelity.shape_ratio", 2.0, 1.0)
    margin = math.exp((0.25**2 + 0.1**2) ** 0.5)
    assert (ratio.low, ratio.high) == pytest.approx((2 / margin, 2 * margin))


def test_a_difference_has_the_errors_of_both_in_its_interval():
    _, above = of_metric(metric("detector", value=0.7, interval=Interval(0.66, 0.74), floor=0.5,
                                floor_interval=Interval(0.47, 0.53)))  # fmt: skip
    assert above.name == "fidelity.c2st_minus_floor"
    assert (above.low, above.value, above.high) == pytest.approx((0.15, 0.2, 0.25))


def test_a_ratio_to_a_floor_of_nothing_is_null():
    _, ratio = of_metric(metric("shape", floor=0.0, ratio=None))
    assert ratio.to_json()["value"] is None


def test_parts_become_records_of_their_own():
    part = Part(4.0, Interval(3.0, 5.0), 1.0, Interval(0.5, 1.5))
    found = of_metric(metric("pair", parts={"a x b": part}))[-1].to_json()
    assert found == {
        "name": "fidelity.pairs", "column": "a x b", "value": 4.0, "low": 3.0, "high": 5.0,
        "floor": 1.0, "floor_low": 0.5, "floor_high": 1.5, "n": 700, "seed": 3,
        "better": "target", "target": 1.0, "unit": "percent",
    }  # fmt: skip


def criterion(name: str, value: float | None, low: float, high: float) -> dict:
    return {"name": name, "section": "membership", "value": value,
            "interval": {"low": low, "high": high}}  # fmt: skip


def attacked(*criteria: dict, **changes) -> dict:
    audit = {
        "verdict": {"outcome": "PASS", "reasons": [], "criteria": list(criteria)},
        "attacks": [attack("b", 0.52, 0.53)],
        "risks": [],
        "copies": [],
        "bounds": [],
        "controls": [],
        "left_out": {},
        "claim": None,
        "epsilon_audited": 0.7,
        "seed": 5,
    }
    return {**audit, **changes}  # fmt: skip


STRONG = (
    criterion("AUC of 'a', all rows, from released tables", 0.53, 0.50, 0.55),
    criterion("AUC of 'b', all rows, from the model", 0.52, 0.40, 0.66),
    criterion("AUC of 'b', exposed rows, from the model", 0.9, 0.8, 0.99),
    criterion(
        "members that 'a' finds at 1 % false alarms, all rows, from the model", 0.02, 0, 0.09
    ),
)


def test_the_strongest_attack_on_all_rows_is_the_one_with_the_worst_end():
    found = {record.name: record for record in of_audit(attacked(*STRONG))}
    auc = found["privacy.attack_auc"]
    assert (auc.value, auc.high, auc.n) == (0.52, 0.66, 900)
    assert found["privacy.attack_advantage"].value == pytest.approx(0.04)
    assert found["privacy.attack_advantage_upper"].value == pytest.approx(0.32)
    assert found["privacy.attack_tpr"].high == 0.09
    assert found["privacy.epsilon_audited"].value == 0.7
    assert found["privacy.verdict"].value == 1.0


def test_an_attack_that_could_not_be_made_is_worse_than_any():
    none = criterion("AUC of attacks, all rows, from the model", None, 0.0, 1.0)
    found = {record.name: record for record in of_audit(attacked(*STRONG, none))}
    for name in ("privacy.attack_auc", "privacy.attack_advantage_upper"):
        assert found[name].to_json()["value"] is None
        assert found[name].to_json()["high"] is None


def test_a_gate_reads_the_same_off_an_audit_and_off_its_report():
    audit = attacked(*STRONG)
    records = [record.to_json() for record in of_audit(audit)]
    reported = of_report({"schema_version": 1, "records": records})
    for name, reading in gate_readings(audit).items():
        if name in reported:
            ends = (reading.value, reading.low, reading.high)
            there = reported[name]
            assert (there.value, there.low, there.high) == ends, name
    assert "privacy.epsilon_audited" in reported


def test_a_certificate_gives_epsilon_and_delta():
    claim = {"claim": {"epsilon": 2.9, "delta": 1e-5, "unit": "customer"}}
    epsilon, delta = of_certificate(claim)
    assert (epsilon.value, delta.value) == (2.9, 1e-5)
    assert "customer" in epsilon.unit


def test_every_name_is_documented_and_has_words():
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    table = text[text.index("| name | better |") :]
    named = set(re.findall(r"`([a-z0-9_.]+)`", " ".join(
        line.split("|")[1] for line in table.splitlines() if line.startswith("|"))))  # fmt: skip
    assert named == set(TITLES)
    assert named >= KEPT
