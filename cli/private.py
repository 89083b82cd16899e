"""What a private fit adds to `synthvae fit`: its budget and its words."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from synthvae.errors import UsageError

from .console import Reporter

if TYPE_CHECKING:
    from synthvae.settings import PrivacySpec


def chosen_epsilon(epsilon: float | None, most: str | None, delta: float | None) -> float | None:
    """Epsilon as given, or the greatest one that keeps attackers below `most`, 'TPR@FPR'."""
    if most is None:
        return epsilon
    if epsilon is not None:
        raise UsageError(
            "a budget is an epsilon or a limit on attackers, but both are given; leave one out"
        )
    from synthvae.privacy.accounting import epsilon_for_attack
    from synthvae.settings import PrivacySpec

    tpr, _, fpr = most.partition("@")
    try:
        return epsilon_for_attack(float(tpr), float(fpr), delta or PrivacySpec.delta)
    except ValueError as error:
        raise UsageError(
            f"--max-attack-tpr takes TPR@FPR, two shares of which the first is larger, such as "
            f"0.05@0.01, but it is '{most}'; correct it"
        ) from error


def refuse_resume(resume: bool) -> None:
    """UsageError: a private fit that was stopped has been paid for, and its noise is gone."""
    if resume:
        raise UsageError(
            "a private fit is not resumed, since the noise that was paid for is not kept, but "
            "--resume is given; fit anew, at the same cost again"
        )


def tell_of_privacy(spec: PrivacySpec, names: Collection[str], reporter: Reporter) -> None:
    """Say so where `spec` allows what nobody would call private, or leaves most of a table of
    columns `names` out for the sake of its units."""
    from synthvae.private import budget_of

    budget_of(spec)  # what is no budget is not warned of
    if spec.delta * spec.rows > 1:
        reporter.say(
            f"warning: who publishes one of {spec.rows:,} units (privacy.rows) at random keeps a "
            f"delta of {1 / spec.rows:.1g}, but delta is {spec.delta:g}; lower it"
        )
    if spec.unit in names and spec.contributions == 1:
        reporter.say(
            f"of each value of '{spec.unit}' one row is learnt, taken at random; --contributions 5 "
            "would learn up to five, under more noise"
        )


def promise(claim: dict[str, Any]) -> str:
    """The claim of a certificate, in one line."""
    from synthvae.privacy.budget import in_words

    cost, limits = claim["claim"], claim["attacker"]["limits"]
    found, unit = f"{100 * limits['0.01']:.1f} %", in_words(cost["unit"])
    return (
        f"epsilon {cost['epsilon']:.3g}, delta {cost['delta']:.2g} for each {unit}: "
        f"who wrongly suspects 1 % of those who are absent finds at most {found} of those who are "
        "not"
    )
