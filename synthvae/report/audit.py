"""An audit as Markdown, under the headings of ISO/IEC 27559 (clauses in brackets), with the privacy
unit said as NIST SP 800-226 asks. Holds what the public result holds, and no more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from synthvae.audit import Attack, Audit, Criterion, Excess, Rate
from synthvae.evaluation.records import Interval

SHOWN = 12  # attacks, the strongest first


def markdown(found: Audit) -> str:
    """The whole report."""
    parts = (
        _verdict(found),
        _context(found),
        _data(found),
        _attacks(found),
        _risks(found),
        _copies(found),
        _controls(found),
        _bounds(found),
        _limits(found),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(found: Audit) -> str:
    verdict = found.verdict
    lines = [f"# Privacy audit: {verdict.outcome}", "", verdict.sentence]
    if verdict.reasons:
        lines += ["", *(f"- {reason}" for reason in verdict.reasons)]
    rows = [_criterion(each) for each in verdict.criteria]
    header = ("criterion", "value", "95 % interval", "limit", "outcome", "rows that would decide")
    return "\n".join([*lines, "", _table(header, rows)])


def _criterion(each: Criterion) -> tuple[str, ...]:
    rows = f"{each.rows:,}" if each.rows and each.outcome == "INCONCLUSIVE" else ""
    limit = number(each.limit)
    return (each.name, number(each.value), interval(each.interval), limit, each.outcome, rows)


def _context(found: Audit) -> str:
    lines = [
        "## Context (ISO/IEC 27559, clause 6)",
        "",
        f"Privacy unit: {found.unit}. What is asked is whether somebody can tell that a unit was "
        "in the training table, or learn of it what is not learnt of others.",
    ]
    if found.claim is None:
        lines.append("No differential privacy is claimed.")
    else:
        lines.append(
            f"Claimed: differential privacy with epsilon {found.claim.epsilon:.3g}, delta "
            f"{found.claim.delta:.2g}, for {found.claim.unit}."
        )
    return "\n".join(lines)


def _data(found: Audit) -> str:
    sizes = found.sizes
    lines = [
        "## Data (clause 7)",
        "",
        f"{sizes.real:,} training rows, {sizes.holdout:,} rows never seen, {sizes.synthetic:,} "
        f"released rows, {sizes.more:,} more that may be; attacked were {sizes.members:,} training "
        f"rows and {sizes.others:,} others.",
        *(f"- {name}: {why}" for name, why in found.left_out.items()),
        *(f"- {note}" for note in found.notes),
    ]
    return "\n".join(lines)


def strongest(attacks: Iterable[Attack]) -> list[Attack]:
    """By the lower end of the AUC, the strongest first."""
    return sorted(attacks, key=lambda each: -_finite(each.interval.low))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _attacks(found: Audit) -> str:
    rows = [
        (
            each.name,
            each.access,
            each.who,
            number(each.auc),
            interval(each.interval),
            _rate(each.tpr.get("1%")),
            number(each.epsilon),
            number(each.p_holm),
        )
        for each in strongest(found.attacks)[:SHOWN]
    ]
    header = ("attack", "has", "on", "AUC", "95 % interval", "found at 1 % false alarms",
              "epsilon at least", "p (Holm)")  # fmt: skip
    words = (
        f"The strongest {len(rows)} of {len(found.attacks)}. Chosen on one half of the rows, "
        "tested on the other."
    )
    return "\n".join(
        ["## Identifiability: attacks (clause 8)", "", words, "", _table(header, rows)]
    )


def _risks(found: Audit) -> str:
    return _excesses(
        "## Identifiability: singling out, linkability, inference (clause 8; WP216)", found.risks
    )


def _copies(found: Audit) -> str:
    return _excesses("## Copies beyond chance (clause 8)", found.copies)


def _excesses(title: str, records: Sequence[Excess]) -> str:
    if not records:
        return ""
    rows = [
        (
            each.name if len(each.subject) != 1 else f"{each.name}: {each.subject[0]}",
            _rate(each.training),
            _rate(each.control),
            number(each.value),
            interval(each.interval),
        )
        for each in records
    ]
    header = ("", "training rows", "rows never seen", "excess", "95 % interval")
    return "\n".join([title, "", _table(header, rows)])


def _controls(found: Audit) -> str:
    rows = [
        (
            each.name,
            {True: "as it should", False: "NOT as it should", None: "not made"}[each.passed],
            number(each.value),
            interval(each.interval),
            each.note,
        )
        for each in found.controls
    ]
    header = ("control", "came out", "value", "interval", "what was done")
    return "\n".join(["## The audit audited", "", _table(header, rows)])


def _bounds(found: Audit) -> str:
    if not found.bounds:
        return ""
    claimed = number(found.claim.epsilon) if found.claim else "none"
    rows = [
        (each.name, each.theorem, number(each.epsilon), claimed, f"{each.correct:,} of "
         f"{each.guesses:,} guesses about {each.canaries:,} canaries were right")
        for each in found.bounds
    ]  # fmt: skip
    header = ("epsilon is at least", "by", "bound", "claimed", "since")
    return "\n".join(["## Lower bounds on epsilon", "", _table(header, rows)])


def _limits(found: Audit) -> str:
    limits = ", ".join(f"{name} {number(value)}" for name, value in found.policy.items())
    return "\n".join(
        [
            "## Governance (clause 9)",
            "",
            f"Policy: {limits}. Seed {found.seed}. The result holds for these files: audit each "
            "release anew. This is evidence for those who decide about a release, and takes no "
            "decision for them.",
        ]
    )


def number(value: float) -> str:
    """Three digits; nothing for what is not known."""
    return f"{value:.3g}" if math.isfinite(value) else ""


def interval(value: Interval) -> str:
    """'0.5..0.6'"""
    known = math.isfinite(value.low) and math.isfinite(value.high)
    return f"{value.low:.3g}..{value.high:.3g}" if known else ""


def _rate(rate: Rate | None) -> str:
    return "" if rate is None else f"{rate.hits:,} of {rate.n:,}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
