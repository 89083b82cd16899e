"""A rule is judged by the bad end of the interval, and never passed in silence."""

from __future__ import annotations

import math

import pytest

from synthvae.gate.judge import judge
from synthvae.gate.policy import Policy, Rule
from synthvae.gate.records import Reading

READINGS = {
    "fidelity.shape_ratio": Reading(1.0, 0.8, 1.2, "most of it in 'age'"),
    "sdmetrics.quality": Reading(0.95, 0.9, 0.99),
    "rows": Reading.exact(100),
    "utility.gap": Reading(math.nan, math.nan, math.nan, "no target"),
    "fidelity.pair_ratio": Reading(1.0, 0.9, math.nan),
}


def outcome(*rules: Rule):
    return judge(Policy("p", "own", rules), READINGS)


@pytest.mark.parametrize(
    ("rule", "status", "margin"),
    [
        (Rule("fidelity.shape_ratio", "high", 1.5), "pass", 0.3),
        (Rule("fidelity.shape_ratio", "high", 1.2), "pass", 0.0),
        (Rule("fidelity.shape_ratio", "high", 1.1), "fail", -0.1),
        (Rule("fidelity.shape_ratio", "low", 0.9, "warn"), "warn", -0.1),
        (Rule("sdmetrics.quality", "low", 0.94), "fail", -0.04),
        (Rule("rows", "low", 100), "pass", 0.0),
        (Rule("rows", "low", 101), "fail", -1.0),
        (Rule("copies.exact", "high", 1), "missing", None),
        (Rule("utility.gap", "high", 9), "missing", None),
        (Rule("fidelity.pair_ratio", "high", 9), "missing", None),
        (Rule("fidelity.pair_ratio", "low", 0.5), "pass", 0.4),
    ],
)
def test_status_and_margin(rule: Rule, status: str, margin: float | None) -> None:
    (line,) = outcome(rule).lines
    assert line.status == status
    assert line.margin == (None if margin is None else pytest.approx(margin))
    assert (line.rule, line.bound) == (f"{rule.record} {rule.words}", rule.bound)


def test_a_missing_record_closes_the_gate_by_its_level() -> None:
    assert not outcome(Rule("copies.exact", "high", 1)).passed
    softened = outcome(Rule("copies.exact", "high", 1, "warn"))
    assert softened.passed
    assert softened.sentence == "1 warned, 0 passed"


def test_reasons_say_what_to_do() -> None:
    rules = (
        Rule("copies.exact", "high", 1),
        Rule("utility.gap", "high", 1),
        Rule("fidelity.shape_ratio", "high", 1.1, why="the tests need it"),
        Rule("rows", "low", 200),
    )
    absent, nothing, wide, few = (line.reason for line in outcome(*rules).lines)
    assert absent == (
        "copies.exact is at most 1, but there is no such record; pass --audit, a file that "
        "`synthvae audit -o` wrote"
    )
    assert "could not be measured (no target)" in nothing
    assert wide == (
        "fidelity.shape_ratio is at most 1.1, but it is 1, at worst 1.2 (most of it in 'age'); the "
        "value would pass, but its interval does not: more rows would narrow it; the tests need it"
    )
    assert few == "rows is at least 200, but it is 100"


def test_a_verdict_is_a_word() -> None:
    rule = Rule("privacy.verdict", "low", 1)
    reading = Reading.exact(0, "copies: 0.1 % (0 % to 0.5 %)")
    (line,) = judge(Policy("p", "own", (rule,)), {"privacy.verdict": reading}).lines
    assert (line.status, line.limit, line.value) == ("fail", "at least PASS", 0)
    assert line.reason == (
        "privacy.verdict is at least PASS, but it is INCONCLUSIVE (copies: 0.1 % (0 % to 0.5 %))"
    )


def test_the_outcome_as_other_programs_read_it() -> None:
    found = outcome(Rule("rows", "low", 200), Rule("utility.gap", "high", 1, "warn")).to_json()
    assert set(found) == {"schema_version", "policy", "passed", "lines"}
    assert found["policy"] == {"name": "p", "profile": "own"}
    assert found["passed"] is False
    assert found["lines"][0] == {
        "rule": "rows at least 200", "record": "rows", "level": "fail", "limit": "at least 200",
        "value": 100.0, "low": 100.0, "high": 100.0, "bound": "low", "margin": -100.0,
        "status": "fail", "reason": "rows is at least 200, but it is 100",
    }  # fmt: skip
    assert found["lines"][1]["value"] is None


def test_a_ratio_adds_relative_errors_as_squares() -> None:
    found = Reading(2.0, 1.4, 2.6).over(Reading(1.0, 0.6, 1.4))
    assert found.value == 2.0
    assert found.high == pytest.approx(2.0 * math.exp(0.5))  # 0.3 and 0.4
    assert found.low == pytest.approx(2.0 * math.exp(-0.5))
    assert math.isnan(Reading(1, 1, 1).over(Reading.exact(0)).high)


def test_a_difference_adds_errors_as_squares() -> None:
    found = Reading(0.6, 0.57, 0.63).less(Reading(0.5, 0.46, 0.54))
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.05, 0.15))
