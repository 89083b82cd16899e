"""The policy's limits as questions, each with a value and intervals, and their answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from synthvae.audit.figures import Unit, figure, measured
from synthvae.audit.policy import Policy
from synthvae.audit.records import Access, Attack, Criterion, Excess, Outcome, Rate
from synthvae.audit.roc import auc_interval, tpr_interval, tpr_value
from synthvae.audit.shares import excess_interval, rate
from synthvae.audit.trial import CHOOSING, FPRS, strongest
from synthvae.evaluation.records import Interval

MEMBERSHIP = "membership"
DISCLOSURE = "disclosure"
EXACT = "exact copies"
COPIES = "copies"
MADE_UP = "made-up values"
FROM_MODEL = "from the model"
"""How a criterion's name ends that asks for the model file; others ask for rows."""
FOUND_AT = "1 % false alarms"
_MOST_ROWS = 10_000_000
_SIDES = {
    "from released tables": ("released table", "larger table"),
    FROM_MODEL: ("model", "shadow models"),
}


@dataclass(frozen=True)
class Question:
    """A limit, a value, and its interval at any confidence; `n` rows on the smaller side."""

    name: str
    section: str
    value: float
    limit: float
    n: int
    interval: Callable[[float], Interval]
    power: int = 2  # intervals shrink with the root of the rows; with the rows if nothing was hit
    unit: Unit = "share"
    planned: Callable[[float], Interval] | None = (
        None  # if there were as many false alarms as aimed
    )


def questions_of(
    attacks: Sequence[Attack],
    accesses: Collection[Access],
    risks: Sequence[Excess],
    copies: Sequence[Excess],
    policy: Policy,
) -> list[Question]:
    """Every question that there are records for, or should be: `accesses` are those that attacks
    were made with, whether or not enough rows were scored."""
    return [*_membership(attacks, accesses, policy), *_excesses(risks, copies, policy)]


def _membership(
    attacks: Sequence[Attack], accesses: Collection[Access], policy: Policy
) -> list[Question]:
    """Of each kind of access, and of all and of exposed rows: the strongest of the first half.
    Questions without an answer where so few rows are there that none was attacked."""
    found = []
    for side, access in _SIDES.items():
        asked = [each for each in attacks if each.access in access]
        if not asked and not set(access) & set(accesses):
            continue
        for who in ("all rows", "exposed rows"):
            there = [each for each in asked if each.who == who]
            best, title = strongest(there, "auc"), f"{{}}, {who}, {side}"
            found.append(_auc_question(title, best, policy.auc))
            found.append(_tpr_question(title, strongest(there, "tpr"), best, policy.tpr))
    return found


def _unanswered(name: str, limit: float, n: int, unit: Unit) -> Question:
    return Question(name, MEMBERSHIP, math.nan, limit, n, lambda _: Interval(0.0, 1.0), unit=unit)


def _auc_question(title: str, attack: Attack | None, limit: float) -> Question:
    if attack is None:
        return _unanswered(title.format("AUC of attacks"), limit, 0, "AUC")
    least = min(attack.members, attack.others)
    return Question(
        title.format(f"AUC of '{attack.name}'"),
        MEMBERSHIP,
        attack.auc,
        limit,
        2 * least,
        lambda confidence: auc_interval(attack.auc, attack.error, least, confidence),
        unit="AUC",
    )


def _tpr_question(
    title: str, attack: Attack | None, other: Attack | None, limit: float
) -> Question:
    """Rows found at 1 % false alarms; a question without an answer if rows are too few."""
    if attack is None:
        name = title.format(f"members found at {FOUND_AT}")
        n = 0 if other is None else 2 * min(other.members, other.others)
        return _unanswered(name, limit, n, "share")
    seen, false, aim = attack.tpr[CHOOSING], attack.fpr[CHOOSING], FPRS[CHOOSING]
    return Question(
        title.format(f"members that '{attack.name}' finds at {FOUND_AT}"),
        MEMBERSHIP,
        tpr_value(seen, false, aim),
        limit,
        2 * min(attack.members, attack.others),
        lambda confidence: tpr_interval(seen, false, aim, confidence),
        2 if seen.hits else 1,
        planned=partial(tpr_interval, *_as_aimed(seen, false, aim), aim),
    )


def _as_aimed(tpr: Rate, fpr: Rate, aim: float) -> tuple[Rate, Rate]:
    """Rates at a threshold with as many false alarms as are aimed at: how far off it is depends on
    how many rows it was chosen by."""
    found = tpr_value(tpr, fpr, aim)
    return rate(round(found * tpr.n), tpr.n), rate(max(round(aim * fpr.n), 1), fpr.n)


def _excesses(risks: Sequence[Excess], copies: Sequence[Excess], policy: Policy) -> list[Question]:
    limits = {
        "singling out": policy.singling_out,
        "linkability": policy.linkability,
        "inference": policy.inference,
        "exact copies": policy.exact_copies,
        "near copies": policy.near_copies,
        "rare combinations": policy.rare_combinations,
        "reused values": policy.reused,
    }
    return [
        _excess_question(each, limits[each.name], section)
        for section, group in ((DISCLOSURE, risks), (COPIES, copies))
        for each in group
    ]


def _excess_question(found: Excess, limit: float, section: str) -> Question:
    ours, theirs = found.training, found.control
    name = f"{found.name}, training rows beyond holdout rows"
    if found.name in ("inference", "reused values"):
        name = f"{found.name} of '{found.subject[0]}', training rows beyond holdout rows"
    sections = {"exact copies": EXACT, "reused values": MADE_UP}
    return Question(
        name,
        sections.get(found.name, section),
        found.value,
        limit,
        min(ours.n, theirs.n) if theirs.hits or found.value > limit else ours.n,
        lambda confidence: excess_interval(ours, theirs, confidence),
        2 if ours.hits else 1,
    )


def judged(question: Question, strict_confidence: float) -> Criterion:
    """The answer; FAIL goes by the interval at `strict_confidence`."""
    interval, strict = question.interval(0.95), question.interval(strict_confidence)
    outcome: Outcome = "INCONCLUSIVE"
    if strict.low > question.limit:
        outcome = "FAIL"
    elif interval.high < question.limit:
        outcome = "PASS"
    rows = None
    if outcome == "INCONCLUSIVE":
        plan = question.planned or question.interval
        rows = _rows_that_decide(question, plan(0.95), plan(strict_confidence))
    seen = measured(question.value, interval, question.unit)
    reason = f"{question.name}: {seen}, limit {figure(question.limit, question.unit)}"
    if math.isnan(question.value):
        reason = f"{question.name}: too few rows to measure it"
    if rows:
        reason += f"; about {rows:,} rows a side would decide"
    elif outcome == "INCONCLUSIVE" and not math.isnan(question.value):
        reason += "; too close to the limit for any number of rows that could be had"
    return Criterion(
        question.name,
        question.section,
        question.value,
        interval,
        strict,
        question.limit,
        outcome,
        rows,
        reason,
        question.unit,
    )


def _rows_that_decide(question: Question, interval: Interval, strict: Interval) -> int | None:
    """Rows a side at which the interval would no longer hold the limit, the value staying. Twice
    as many as there are where it is for want of false alarms alone that it holds the limit."""
    below = question.value < question.limit
    width = interval.high - question.value if below else question.value - strict.low
    gap = abs(question.limit - question.value)
    if not gap or math.isnan(gap):
        return None
    times = (width / gap) ** question.power
    rows = question.n * (times if times > 1 else 2)
    if rows > _MOST_ROWS:
        return None
    unit: int = 10 ** max(math.floor(math.log10(max(rows, 1))) - 1, 0)  # two digits, rounded up
    return math.ceil(rows / unit) * unit
