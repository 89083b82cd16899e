"""What a private fit promises, in a file that may go wherever the model goes.

Nothing in it depends on a row but through noised values: no exact counts, no losses, no times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthvae.errors import PrivacyError
from synthvae.privacy.ledger import Ledger

FORMAT = 1
DECLARED, PAID = "declared", "paid"
DEFAULT = "default"  # the same for every table

NOT_COVERED = (
    "the metadata: names, kinds, bounds and categories of columns that were declared",
    "the settings, and how they were chosen: try settings on public data",
    "other fits on the same rows: their costs add up (see the history that a fit keeps, which "
    "stays with the table: who holds all rows but one can try that one against it)",
    "the time that the fit took, and that it was made",
    "the note of rows left out of the fit, beside the model: it stays with the table",
    "reports that compare real with synthetic rows, and audits: they hold statistics of the rows",
)
LIMITATIONS = (
    "The promise bounds what anybody learns from the model about one unit, beyond what would be "
    "learnt without it. What is true of many units can still be learnt, and applies to each.",
    "Units are independent in the promise. Who stands in the table as two units is protected less.",
    "Synthetic rows may equal real ones by chance. They say nothing about those.",
    "Noise of counts is exact. Training adds floating-point noise to floating-point sums: the "
    "promise holds for real numbers, and attacks on the last bits are not excluded.",
)


def certificate(
    ledger: Ledger,
    columns: Mapping[str, Mapping[str, str]],
    hashes: Mapping[str, str],
    made_by: Mapping[str, str],
    training: str | None = None,
) -> dict[str, Any]:
    """The certificate of all that `ledger` paid for.

    `columns` says of each column how its kind, its bounds or categories, and whether it may be
    missing are known: `declared`, `paid`, or a `default` of every table. `hashes` are of the
    artifacts, `made_by` are versions, `training` is where the noise of private steps comes from, if
    there were any.
    """
    _check(columns)
    budget, claim = ledger.budget, ledger.claim()
    return {
        "format": FORMAT,
        "claim": {
            "dp": True,
            "epsilon": claim.epsilon,
            "delta": claim.delta,
            "unit": budget.unit,
            "contributions": budget.contributions,
            "relation": "add/remove one unit",
        },
        "budget": budget.to_json(),
        "accountant": {
            "claim": {"method": "privacy loss distribution", "epsilon": claim.epsilon},
            "check": {"method": "Renyi", "epsilon": claim.rdp_epsilon},
            "delta_of_thresholds": ledger.key_delta,
        },
        "attacker": {
            "meaning": "greatest true positive rate of any attacker who asks whether a unit is in "
            "the table, by false positive rate",
            "limits": dict(claim.limits),
        },
        "events": [line.to_json() for line in ledger.lines],
        "domain": {name: dict(sorted(known.items())) for name, known in columns.items()},
        "randomness": {
            "counts": ledger.noise_source,
            **({"training": training} if training else {}),
            "seeded": ledger.seeded,
        },
        "not_covered": list(NOT_COVERED),
        "limitations": list(LIMITATIONS),
        "hashes": dict(sorted(hashes.items())),
        "made_by": dict(sorted(made_by.items())),
    }


def _check(columns: Mapping[str, Mapping[str, str]]) -> None:
    for name, known in columns.items():
        for what, how in known.items():
            if how not in (DECLARED, PAID, DEFAULT):
                raise PrivacyError(
                    f"column '{name}': whatever is known is declared, paid or a default, but "
                    f"{what} is '{how}'; declare it"
                )
