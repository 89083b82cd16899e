"""Readings held against a policy: one line a rule, and whether the gate is passed.

A rule is judged by the end of the interval that speaks against the table, never by the value: what
a few rows happened to show is no proof. A rule without a record is not passed.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

from synthvae.findings import VERDICT, outcome
from synthvae.gate.policy import Bound, Level, Policy, Rule
from synthvae.gate.records import MAKERS, REPORT, Reading, Readings

SCHEMA_VERSION = 1
Status = Literal["pass", "fail", "warn", "missing"]


@dataclass(frozen=True)
class Line:
    """What became of one rule. `margin`: how far the judged end is inside the limit, in the
    record's unit; negative outside. `limit`: in words."""

    rule: str
    record: str
    level: Level
    limit: str
    value: float | None
    low: float | None
    high: float | None
    bound: Bound
    margin: float | None
    status: Status
    reason: str

    @property
    def blocks(self) -> bool:
        """Whether the gate is closed because of this line."""
        return self.level == "fail" and self.status in ("fail", "missing")

    @property
    def end(self) -> float | None:
        """The end of the interval that was judged."""
        return self.high if self.bound == "high" else self.low


@dataclass(frozen=True)
class Outcome:
    """All lines, in the order of the policy."""

    name: str
    profile: str
    lines: tuple[Line, ...]

    @property
    def passed(self) -> bool:
        return not any(line.blocks for line in self.lines)

    @property
    def sentence(self) -> str:
        """'2 of 12 rules failed, 1 warned, 9 passed'"""
        state = Counter(_state(line) for line in self.lines)
        words = [f"{state['fail']} of {len(self.lines)} rules failed"] if state["fail"] else []
        words += [f"{state['warn']} warned"] if state["warn"] else []
        return ", ".join([*words, f"{state['pass']} passed"])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "policy": {"name": self.name, "profile": self.profile},
            "passed": self.passed,
            "lines": [asdict(line) for line in self.lines],
        }


def _state(line: Line) -> str:
    """'missing' as what it amounts to."""
    return line.level if line.status == "missing" else line.status


def judge(policy: Policy, readings: Readings) -> Outcome:
    """Every rule of `policy` against its record."""
    lines = tuple(_line(rule, readings.get(rule.record)) for rule in policy.rules)
    return Outcome(policy.name, policy.profile, lines)


def _line(rule: Rule, reading: Reading | None) -> Line:
    end = math.nan if reading is None else reading.high if rule.bound == "high" else reading.low
    margin = rule.limit - end if rule.bound == "high" else end - rule.limit
    status: Status = "pass" if margin >= 0 else rule.level
    if reading is None or math.isnan(margin):
        status, reason = "missing", _absent(rule, reading)
    else:
        reason = _why(rule, reading, end, status)
    return Line(
        rule=f"{rule.record} {rule.words}",
        record=rule.record,
        level=rule.level,
        limit=rule.words,
        value=None if reading is None else _number(reading.value),
        low=None if reading is None else _number(reading.low),
        high=None if reading is None else _number(reading.high),
        bound=rule.bound,
        margin=_number(margin),
        status=status,
        reason=reason,
    )


def _absent(rule: Rule, reading: Reading | None) -> str:
    if reading is None:
        fact = f"there is no such record; {MAKERS.get(rule.record, REPORT)}"
    else:
        fact = f"it could not be measured{_in_brackets(reading.words)}; look into the record"
    return f"{rule.record} is {rule.words}, but {fact}"


def _why(rule: Rule, reading: Reading, end: float, status: Status) -> str:
    exact = reading.low == reading.value == reading.high
    told = outcome(reading.value) if rule.record == VERDICT else f"{reading.value:.4g}"
    seen = told + ("" if exact else f", at worst {end:.4g}")
    seen += _in_brackets(reading.words)
    if status == "pass":
        return f"{seen}, is {rule.words}"
    sense = reading.value <= rule.limit if rule.bound == "high" else reading.value >= rule.limit
    doubt = "; the value would pass, but its interval does not: more rows would narrow it"
    return (
        f"{rule.record} is {rule.words}, but it is {seen}"
        f"{doubt if sense else ''}{f'; {rule.why}' if rule.why else ''}"
    )


def _in_brackets(words: str) -> str:
    return f" ({words})" if words else ""


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
