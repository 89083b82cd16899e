"""Whether what was seen contradicts a promised epsilon.

Only bounds by fair coins and a theorem about (epsilon, delta) can: those of `one_run`. A bound that
goes by mu-GDP refutes that curve, and another curve with the same promise may be true; it is shown
and not judged. Attacks on rows that somebody divided, not coins, give indications.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from synthvae.audit import f_dp, one_run
from synthvae.audit.records import Attack, Claim, Criterion, EpsilonBound, Outcome
from synthvae.audit.trial import strongest
from synthvae.evaluation.records import Interval

PROMISE = "promise"
INDICATION = "promise, by rows"
_THEOREMS = {one_run.THEOREM: one_run.epsilon, f_dp.THEOREM: f_dp.epsilon}


def refuting(bounds: Sequence[EpsilonBound], claim: Claim | None) -> list[EpsilonBound]:
    """The bounds that can contradict `claim`: by coins, and by enough of them."""
    return [
        each
        for each in bounds
        if claim and each.theorem == one_run.THEOREM and _most(each) > claim.epsilon
    ]


def _most(bound: EpsilonBound) -> float:
    """The largest bound that so many canaries can show, every one of them guessed right."""
    ways = one_run.ways_of(bound.canaries)
    sure = 1 - 0.05 / len(ways)
    return max(
        one_run.epsilon(bound.canaries, sum(way), sum(way), bound.delta, sure) for way in ways
    )


def untested(bounds: Sequence[EpsilonBound], claim: Claim | None) -> list[str]:
    """What the canaries could not have contradicted, in words."""
    known = [each for each in bounds if each.theorem == one_run.THEOREM]
    if claim is None or not known or refuting(known, claim):
        return []
    most, canaries = max((_most(each), each.canaries) for each in known)
    return [
        f"{canaries:,} canaries show an epsilon of {most:.2f} at most: they are no test of the "
        f"promise of {claim.epsilon:g}"
    ]


def promises_of(
    attacks: Sequence[Attack],
    bounds: Sequence[EpsilonBound],
    claim: Claim | None,
    strict: float,
) -> list[Criterion]:
    """An answer for each bound that can contradict `claim`, FAIL at the confidence `strict`; and
    one for the strongest attack, which is never FAIL."""
    if claim is None:
        return []
    found = [_kept(each, claim, strict) for each in refuting(bounds, claim)]
    best = strongest(attacks, "auc")
    return found if best is None else [*found, _indicated(best, claim)]


def epsilon_audited(attacks: Sequence[Attack], bounds: Sequence[EpsilonBound]) -> float | None:
    """The largest lower bound on epsilon, at 95 % for all together; None if there are none.

    Half of what 95 % leaves is the attacks', whose bounds are at that already (`trial.tried`).
    """
    found = [each.epsilon for each in attacks]
    found += [_surer(each, 1 - 0.025 / len(bounds)) for each in bounds]
    return max(found, default=None)


def _surer(bound: EpsilonBound, confidence: float) -> float:
    """`bound` at `confidence`, corrected for the ways of guessing like itself."""
    again = _THEOREMS.get(bound.theorem)
    if again is None:
        return bound.epsilon  # of somebody else's making
    ways = len(one_run.ways_of(bound.canaries))
    surer = again(
        bound.canaries, bound.guesses, bound.correct, bound.delta, 1 - (1 - confidence) / ways
    )
    return min(surer, bound.epsilon)


def _kept(bound: EpsilonBound, claim: Claim, strict: float) -> Criterion:
    """Open where the bound is above the promise at 95 %, but not for all criteria together."""
    surer = _surer(bound, strict)
    outcome: Outcome = "PASS" if bound.epsilon <= claim.epsilon else "INCONCLUSIVE"
    if surer > claim.epsilon:
        outcome = "FAIL"
    name = f"{bound.name} ({bound.theorem})"
    return _criterion(name, PROMISE, bound.epsilon, surer, claim, outcome)


def _indicated(attack: Attack, claim: Claim) -> Criterion:
    value = attack.epsilon_one_run
    outcome: Outcome = "PASS" if value <= claim.epsilon else "INCONCLUSIVE"
    name = f"'{attack.name}' ({attack.access}, {attack.who})"
    return _criterion(name, INDICATION, value, value, claim, outcome)


def _criterion(
    name: str, section: str, value: float, surer: float, claim: Claim, outcome: Outcome
) -> Criterion:
    reason = f"lower bound on epsilon by {name}: {value:.2f}, promised {claim.epsilon:g}"
    if section == INDICATION and outcome == "INCONCLUSIVE":
        reason += "; an indication only, since no coins divided the rows"
    return Criterion(
        name=f"epsilon by {name}",
        section=section,
        value=value,
        interval=Interval(value, math.inf),
        strict=Interval(surer, math.inf),
        limit=claim.epsilon,
        outcome=outcome,
        rows=None,
        reason=reason,
        unit="epsilon",
    )
