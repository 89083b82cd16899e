"""From findings to a verdict that one can defend: FAIL, PASS, or not enough to tell.

FAIL needs an interval whose lower end is beyond the limit, at 95 % for all criteria together, so
that a harmless table fails in at most one audit of twenty. PASS needs the upper end of every 95 %
interval below its limit: absence of evidence in few rows is no pass.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from synthvae.audit import controls as checks
from synthvae.audit.advice import advice_of
from synthvae.audit.criteria import DISCLOSURE, EXACT, MEMBERSHIP, judged, questions_of
from synthvae.audit.figures import measured
from synthvae.audit.policy import Policy
from synthvae.audit.promises import INDICATION, PROMISE, promises_of, refuting, untested
from synthvae.audit.records import (
    Access,
    Attack,
    Claim,
    Control,
    Criterion,
    EpsilonBound,
    Excess,
    Outcome,
    Sizes,
    Verdict,
)

CAVEAT = (
    "An audit bounds leakage from below: it says what these attacks found, not what no attack "
    "could find."
)


def verdict_of(
    attacks: Sequence[Attack],
    risks: Sequence[Excess],
    copies: Sequence[Excess],
    controls: Sequence[Control],
    bounds: Sequence[EpsilonBound],
    claim: Claim | None,
    policy: Policy,
    sizes: Sizes,
    accesses: Collection[Access] = (),
) -> Verdict:
    """The verdict over every criterion that there are records for. `accesses`: of attacks that were
    made, so that one with too few rows is not taken for one that nobody asked for."""
    questions = questions_of(attacks, accesses, risks, copies, policy)
    strict = 1 - 0.05 / max(len(questions) + len(refuting(bounds, claim)), 1)
    criteria = [judged(question, strict) for question in questions]
    criteria += promises_of(attacks, bounds, claim, strict)
    criteria = [_checked(each, controls, policy, sizes) for each in criteria]
    outcomes = {each.outcome for each in criteria}
    outcome: Outcome = "INCONCLUSIVE"
    if "FAIL" in outcomes:
        outcome = "FAIL"
    elif outcomes == {"PASS"}:
        outcome = "PASS"
    reasons = tuple(each.reason for each in criteria if each.outcome == outcome != "PASS")
    advice = (*advice_of(criteria, controls, policy, sizes), *untested(bounds, claim))
    return Verdict(outcome, _sentence(outcome, criteria), reasons, tuple(criteria), advice)


def _checked(
    criterion: Criterion, controls: Sequence[Control], policy: Policy, sizes: Sizes
) -> Criterion:
    """What controls and sizes leave of a criterion's outcome."""
    passed = {each.name: each.passed for each in controls}
    told = criterion.section in (MEMBERSHIP, DISCLOSURE, INDICATION)
    doubts = [passed.get(name) for name in (checks.NULL, checks.DRIFT)]
    copied = criterion.section == EXACT and criterion.strict.low > _met_by_chance(sizes)
    if False in doubts and not copied and criterion.section != PROMISE:
        return _open(criterion, "a control found that real and holdout rows differ by themselves")
    if told and None in doubts:
        return _open(criterion, "too few rows for the controls that would vouch for it")
    if criterion.outcome != "PASS":
        return criterion
    least = min(sizes.members, sizes.others)
    if least < policy.rows:
        why = f"{least:,} rows a side are fewer than the {policy.rows:,.0f} that a pass needs"
        return replace(_open(criterion, why), rows=int(policy.rows))
    positive = checks.POSITIVE if told else checks.POSITIVE_COPIES
    if passed.get(positive) is not True and criterion.section != PROMISE:
        return _open(criterion, "the audit has no power: rows copied in on purpose were not found")
    return criterion


def _met_by_chance(sizes: Sizes) -> float:
    """How many real rows in one are released by chance, at most: as many as stand in the real table
    more than once, in a release of its size. Whole rows beyond these come back by no difference of
    the tables; parts of rows and single values may."""
    released = sizes.synthetic + sizes.more
    return sizes.repeated_real / max(sizes.real, 1) * max(released / max(sizes.real, 1), 1.0)


def _open(criterion: Criterion, why: str) -> Criterion:
    seen = measured(criterion.value, criterion.interval, criterion.unit)
    reason = f"{criterion.name}: {seen}; {why}"
    return replace(criterion, outcome="INCONCLUSIVE", reason=reason)


def _sentence(outcome: Outcome, criteria: Sequence[Criterion]) -> str:
    count = sum(each.outcome == outcome for each in criteria)
    words = {
        "FAIL": f"Evidence for disclosure of training rows: {count} of {len(criteria)} criteria "
        "are beyond the policy's limit.",
        "PASS": f"Evidence for low disclosure: all {len(criteria)} criteria stay below the "
        "policy's limits, intervals included.",
        "INCONCLUSIVE": f"Not enough evidence either way: {count} of {len(criteria)} criteria can "
        "not be decided.",
    }
    return f"{words[outcome]} {CAVEAT}"
