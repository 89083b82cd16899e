"""Policies to start from, as commented YAML. Limits are proposals, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import wrap

from synthvae.gate.policy import VERSION, Level

_WIDTH = 98


@dataclass(frozen=True)
class Limit:
    """One rule of a profile; `remark`: why this number, here."""

    text: str
    remark: str = ""
    level: Level = "fail"


@dataclass(frozen=True)
class Profile:
    """A purpose, and what it asks of which record."""

    purpose: str
    limits: Mapping[str, Limit]


REASONS: Mapping[str, str] = {
    "schema.valid": ("All columns are there and hold what the metadata declares; nothing else is."),
    "rows": "An empty or cut file is no table. Set it to the rows that are needed.",
    "fidelity.shape_ratio": (
        "Distance of single columns, over that of fresh real rows: 1 is ideal."
    ),
    "fidelity.worst_column_minus_floor": (
        "The column that came out worst, in percentage points above its floor. A mean over many "
        "columns hides one that is constant."
    ),
    "fidelity.pair_ratio": (
        "Distance of pairs of columns, over that of fresh real rows. Columns that were shuffled "
        "have perfect shapes and no pairs."
    ),
    "fidelity.coverage": (
        "Share of values that fresh rows would hold 15 times or more and that come back. A "
        "vanished category is a branch of code that is never tested."
    ),
    "fidelity.c2st_minus_floor": (
        "How much better than chance trees tell synthetic from real rows (ROC AUC, 0.5 at most): "
        "all that the other distances overlook."
    ),
    "utility.gap": (
        "What a model loses that is trained on synthetic rows, in ROC AUC or relative RMSE. "
        "Depends on the target: set it for yours."
    ),
    "sdmetrics.diagnostic": "SDMetrics' validity and structure, which many people ask for.",
    "copies.exact": (
        "Training rows that are released as they are, beyond what happens to rows never seen. A "
        "copy is a disclosed row, whatever averages say. 0.002 is one in 500; to show it takes "
        "2,000 training rows."
    ),
    "copies.near": (
        "Rows that agree with a training row in all columns but one. More happen by chance."
    ),
    "copies.rare_combinations": (
        "Pairs of values that one real row holds, and that come back. Few rows hold one, so "
        "intervals are wide."
    ),
    "copies.reused": (
        "Values of keys and personal data, which are made up and never copied. Made-up names meet "
        "real ones by chance, so intervals are wide."
    ),
    "privacy.attack_auc": (
        "ROC AUC of the best attack on membership: 0.5 is guessing. At 0.6 the better guess "
        "between a member and a stranger is right six times in ten."
    ),
    "privacy.attack_tpr": (
        "Members found at 1 % false alarms: an average hides people, this counts those whom an "
        "attacker may name. 0.01 is chance."
    ),
    "privacy.singling_out": "Training rows that can be singled out, beyond rows never seen.",
    "privacy.linkability": (
        "Training rows of which two parts can be linked, beyond rows never seen."
    ),
    "privacy.inference": (
        "Training rows of which a value can be inferred, beyond rows never seen; the worst column."
    ),
    "privacy.verdict": (
        "The audit's own: FAIL, INCONCLUSIVE or PASS. It also counts attacks on exposed rows, for "
        "all criteria together."
    ),
    "privacy.controls_failed": (
        "Checks of the audit itself, such as leaks planted on purpose. An audit that finds none "
        "of those proves nothing."
    ),
    "privacy.epsilon": (
        "Attacks bound leakage from below; only differential privacy bounds it from above, for "
        "attacks that nobody has thought of yet."
    ),
    "privacy.delta": "The chance that the promise of epsilon fails.",
}

_SCHEMA = {
    "schema.valid": Limit("min: 1"),
    "rows": Limit("min: 1"),
}

PROFILES: Mapping[str, Profile] = {
    "internal-test": Profile(
        "test data for people and machines that may see the real table: rows have to be of use, "
        "and copies would be an accident",
        {
            **_SCHEMA,
            "fidelity.shape_ratio": Limit("max: 3"),
            "fidelity.worst_column_minus_floor": Limit("max: 20"),
            "fidelity.pair_ratio": Limit("max: 3"),
            "fidelity.coverage": Limit("min: 1", "Tests are what rare categories are for."),
            "fidelity.c2st_minus_floor": Limit("max: 0.3", "Tests seldom mind.", "warn"),
            "utility.gap": Limit("max: 0.1", "", "warn"),
            "copies.exact": Limit("max: 0.002"),
            "copies.reused": Limit("max: 0.02"),
            "privacy.attack_auc": Limit("max: 0.65", "It stays inside.", "warn"),
        },
    ),
    "share-with-partner": Profile(
        "rows for a known partner under a contract: of use for analysis, and nothing that attacks "
        "find about single rows",
        {
            **_SCHEMA,
            "fidelity.shape_ratio": Limit("max: 2"),
            "fidelity.worst_column_minus_floor": Limit("max: 10"),
            "fidelity.pair_ratio": Limit("max: 1.5"),
            "fidelity.coverage": Limit("min: 1"),
            "fidelity.c2st_minus_floor": Limit("max: 0.2"),
            "utility.gap": Limit("max: 0.05", "", "warn"),
            "sdmetrics.diagnostic": Limit("min: 0.95", "", "warn"),
            "copies.exact": Limit("max: 0.002"),
            "copies.near": Limit("max: 0.02"),
            "copies.rare_combinations": Limit("max: 0.1", "", "warn"),
            "copies.reused": Limit("max: 0.02"),
            "privacy.attack_auc": Limit("max: 0.6"),
            "privacy.attack_tpr": Limit("max: 0.05", "Five times chance.", "warn"),
            "privacy.singling_out": Limit("max: 0.05", "One row in twenty."),
            "privacy.linkability": Limit("max: 0.05", "One row in twenty."),
            "privacy.inference": Limit("max: 0.05", "One row in twenty."),
            "privacy.verdict": Limit(
                "min: INCONCLUSIVE", "Not FAIL: few rows are no reason against a table."
            ),
            "privacy.controls_failed": Limit("max: 0"),
        },
    ),
    "publish": Profile(
        "rows for everybody, for ever: nothing can be taken back, so a promise is asked for, and "
        "evidence that it holds",
        {
            **_SCHEMA,
            "fidelity.shape_ratio": Limit("max: 3", "Noise costs fidelity."),
            "fidelity.worst_column_minus_floor": Limit("max: 15"),
            "fidelity.pair_ratio": Limit("max: 3", "Noise costs fidelity."),
            "fidelity.coverage": Limit(
                "min: 0.9", "What few people have in common is lost on purpose.", "warn"
            ),
            "fidelity.c2st_minus_floor": Limit("max: 0.35", "", "warn"),
            "utility.gap": Limit("max: 0.1", "", "warn"),
            "sdmetrics.diagnostic": Limit("min: 0.95", "", "warn"),
            "copies.exact": Limit("max: 0.002"),
            "copies.near": Limit("max: 0.02"),
            "copies.reused": Limit("max: 0.02"),
            "privacy.attack_auc": Limit("max: 0.57", "Little more than guessing."),
            "privacy.attack_tpr": Limit("max: 0.05", "Five times chance."),
            "privacy.verdict": Limit("min: PASS", "Enough rows to show it."),
            "privacy.controls_failed": Limit("max: 0"),
            "privacy.epsilon": Limit(
                "max: 3",
                "A Gaussian mechanism of epsilon 3 lets 5.4 % of members be found at 1 % false "
                "alarms.",
            ),
            "privacy.delta": Limit("max: 1.0e-05"),
        },
    ),
}


def text_of(name: str) -> str:
    """The policy file of profile `name`."""
    profile = PROFILES[name]
    lines = [
        *_comment(f"{name}: {profile.purpose}."),
        "#",
        *_comment(
            "A limit is held against the end of the 95 % interval that speaks against the table: "
            "few rows make it hard to pass. Without a record a rule is not passed."
        ),
        *_comment("level: fail (the default) closes the gate, warn is only said."),
        f"version: {VERSION}",
        f"name: {name}",
        f"profile: {name}",
        "rules:",
    ]
    for record, limit in profile.limits.items():
        why = f"{REASONS[record]} {limit.remark}".strip()
        level = "" if limit.level == "fail" else f", level: {limit.level}"
        lines += ["", *_comment(why, "  "), f"  {record}: {{{limit.text}{level}}}"]
    return "\n".join(lines) + "\n"


def _comment(text: str, indent: str = "") -> list[str]:
    return [f"{indent}# {line}" for line in wrap(text, _WIDTH - 2 - len(indent))]
