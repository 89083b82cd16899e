"""Records say what a metric, an audit or a certificate said, under the names of docs/report.md."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from synthvae.evaluation.records import Interval, Metric, Part
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


def test_the_strongest_attack_was_chosen_on_other_rows():
    lucky = attack("lucky on the second half", 0.9, 0.5)
    attacks = [attack("chosen", 0.6, 0.61), lucky, attack("tables", 0.55, 0.5, "released table")]
    audit = {"verdict": {"outcome": "PASS"}, "attacks": attacks, "risks": [], "copies": [],
             "bounds": [{"epsilon": 0.7}], "seed": 5}  # fmt: skip
    found = {record.name: record for record in of_audit(audit)}
    assert found["privacy.attack_auc"].value == 0.6
    assert found["privacy.attack_auc"].n == 900
    assert found["privacy.attack_advantage"].value == pytest.approx(0.2)
    assert found["privacy.attack_advantage_upper"].value == pytest.approx(0.24)
    assert found["privacy.attack_tpr"].value == pytest.approx(0.06)
    assert found["privacy.epsilon_audited"].value == 0.7
    assert found["privacy.verdict"].value == 1.0


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
