"""An audit as Markdown, under headings that a privacy officer knows.

The clauses are those of ISO/IEC 27559:2022 (privacy-enhancing data de-identification framework);
the statement of the unit is what NIST SP 800-226 asks of every claim. Naming a clause says where a
finding belongs, not that the standard is met.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synthvae.audit.figures import figure, measured
from synthvae.audit.records import Attack, Audit, Criterion
from synthvae.marks import safe

CLAUSES = {
    "context": "Context of the release (ISO/IEC 27559, clause 6)",
    "data": "Data looked at (ISO/IEC 27559, clause 7)",
    "identifiability": "Identifiability: adversarial testing (ISO/IEC 27559, clause 8)",
    "governance": "Governance (ISO/IEC 27559, clause 9)",
    "unit": "Unit of privacy (NIST SP 800-226)",
}
NOT_SAID = (
    "An audit finds leakage, it can't exclude it: a verdict holds for this file, this policy and "
    "these attacks. Numbers here are measured on real rows, and no epsilon covers them. Whether "
    "the release meets a law is for people to judge, with this as evidence."
)


def markdown(audit: Audit) -> str:
    """The public result as a text of sections; no real value stands in it."""
    verdict = audit.verdict
    parts = [
        "# Privacy audit",
        f"**{verdict.outcome}.** {verdict.sentence}",
        *_listed(verdict.reasons),
        *(["What can be done about what is open:"] if verdict.advice else []),
        *_listed(verdict.advice),
        f"## {CLAUSES['context']}",
        "An attacker has " + _access(audit) + ", knows the values of a row, and asks whether it "
        "was in the training table, or for the rest of it.",
        f"## {CLAUSES['unit']}",
        _unit(audit),
        f"## {CLAUSES['data']}",
        _sizes(audit),
        *_listed(audit.notes),
        *_listed(f"{name}: {reason}" for name, reason in audit.left_out.items()),
        f"## {CLAUSES['identifiability']}",
        "### Criteria",
        _criteria(verdict.criteria),
        "### Attacks on membership",
        _attacks(audit.attacks),
        "### Disclosure and copies, training rows beyond holdout rows",
        _excesses(audit),
        *_bounds(audit),
        "### Controls",
        _controls(audit),
        f"## {CLAUSES['governance']}",
        NOT_SAID,
        f"Seed {audit.seed}. Limits: "
        + ", ".join(f"{name} {limit:g}" for name, limit in audit.policy.items())
        + ".",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _listed(lines: Iterable[str]) -> list[str]:
    joined = "\n".join(f"- {safe(line)}" for line in lines)
    return [joined] if joined else []


def _access(audit: Audit) -> str:
    seen = dict.fromkeys(attack.access for attack in audit.attacks)
    return ", ".join(f"the {access}" for access in seen) or "the released table"


def _unit(audit: Audit) -> str:
    claim = audit.claim
    text = f"What is tested is whether the presence of {audit.unit} shows."
    if claim is not None:
        text += f" Promised is epsilon {claim.epsilon:g} at delta {claim.delta:g} for {claim.unit}."
    return text


def _sizes(audit: Audit) -> str:
    sizes = audit.sizes
    return (
        f"{sizes.members:,} of {sizes.real:,} real and {sizes.others:,} of {sizes.holdout:,} "
        f"holdout rows; {sizes.synthetic:,} synthetic rows"
        + (f" and {sizes.more:,} in the larger table." if sizes.more else ".")
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([safe(cell) for cell in cells] for cells in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _criteria(criteria: Sequence[Criterion]) -> str:
    return _table(
        ["criterion", "value (95 %)", "limit", "outcome", "rows that would decide"],
        (
            [
                each.name,
                measured(each.value, each.interval, each.unit),
                figure(each.limit, each.unit),
                each.outcome,
                f"{each.rows:,}" if each.rows else "",
            ]
            for each in criteria
        ),
    )


def _attacks(attacks: Sequence[Attack]) -> str:
    def tpr(attack: Attack, name: str) -> str:
        seen = attack.tpr.get(name)
        if seen is None:
            return ""
        false = figure(attack.fpr[name].value, "share")
        return f"{measured(seen.value, seen.interval, 'share')}, false alarms {false}"

    ordered = sorted(attacks, key=lambda each: -each.auc)
    return _table(
        [
            "attack",
            "on",
            "rows",
            "AUC (95 %)",
            "TPR, threshold for 1 %",
            "for 0.1 %",
            "epsilon >=",
            "p",
        ],
        (
            [
                each.name,
                each.access,
                f"{each.who}, {each.members:,} / {each.others:,}",
                measured(each.auc, each.interval, "AUC"),
                tpr(each, "1%"),
                tpr(each, "0.1%"),
                f"{each.epsilon_one_run:.2f}",
                f"{each.p_holm:.3f}",
            ]
            for each in ordered
        ),
    )


def _excesses(audit: Audit) -> str:
    return _table(
        ["what", "training rows", "holdout rows", "excess (95 %)"],
        (
            [
                each.name + (f" of {each.subject[0]}" if len(each.subject) == 1 else ""),
                *(
                    f"{figure(rate.value, 'share')} of {rate.n:,}" if rate.n else "none to look at"
                    for rate in (each.training, each.control)
                ),
                measured(each.value, each.interval, "share"),
            ]
            for each in (*audit.risks, *audit.copies)
        ),
    )


def _bounds(audit: Audit) -> list[str]:
    if not audit.bounds:
        return []
    rows = (
        [
            each.name,
            each.theorem,
            f"{each.epsilon:.2f} at delta {each.delta:g}",
            f"{each.correct:,} of {each.guesses:,} right, {each.canaries:,} canaries",
        ]
        for each in audit.bounds
    )
    return [
        "### Lower bounds on epsilon",
        _table(["scores", "theorem", "epsilon >=", "guesses"], rows),
    ]


def _controls(audit: Audit) -> str:
    words = {True: "as it should", False: "failed", None: "not made"}
    return _table(
        ["control", "outcome", "value", "what was done"],
        (
            [
                each.name,
                words[each.passed],
                measured(each.value, each.interval, "AUC"),
                each.note,
            ]
            for each in audit.controls
        ),
    )
