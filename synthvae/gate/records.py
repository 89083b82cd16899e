"""The names of what a gate can ask for, who makes each, and how one is read.

The names are those of a report's JSON (docs/report.md), with some that only a gate asks for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

EVALUATION = "pass --evaluation, a file that `synthvae evaluate -o` wrote"
AUDIT = "pass --audit, a file that `synthvae audit -o` wrote"
CERTIFICATE = "pass --certificate, which `synthvae fit --epsilon` writes beside the model"
SYNTHETIC = "pass --synthetic, the table itself"
DESCRIBED = "pass --synthetic and --metadata"
REPORT = "pass --report, a file that `synthvae report --json` wrote"


@dataclass(frozen=True)
class Reading:
    """A record as a gate meets it: `low` and `high` are the ends of its 95 % interval, both equal
    to `value` for a count or a promise. NaN: could not be measured. `words` explain the value."""

    value: float
    low: float
    high: float
    words: str = ""

    @staticmethod
    def exact(value: float, words: str = "") -> Reading:
        """A count, or a promise: nothing that would come out otherwise on other rows."""
        return Reading(value, value, value, words)

    def is_worse(self, other: Reading, better: str = "low") -> bool:
        """By the end of the interval that speaks against it, where `better` is "high" or "low".
        What could not be measured is worse than whatever was."""
        mine, theirs = (-each.low if better == "high" else each.high for each in (self, other))
        return not math.isnan(theirs) and not mine <= theirs

    def less(self, floor: Reading) -> Reading:
        """Above `floor`; errors of both are added as squares."""
        value = self.value - floor.value
        down = math.hypot(self.value - self.low, floor.high - floor.value)
        up = math.hypot(self.high - self.value, floor.value - floor.low)
        return Reading(value, value - down, value + up, self.words)

    def over(self, floor: Reading) -> Reading:
        """As a multiple of `floor`; relative errors of both are added as squares. NaN over 0."""
        if not (self.value > 0 and floor.value > 0):
            return Reading(math.nan, math.nan, math.nan, self.words)
        value = self.value / floor.value
        down = math.hypot(1 - self.low / self.value, floor.high / floor.value - 1)
        up = math.hypot(self.high / self.value - 1, 1 - floor.low / floor.value)
        return Reading(value, value * math.exp(-down), value * math.exp(up), self.words)


Readings = Mapping[str, Reading]

MAKERS: Mapping[str, str] = {
    "rows": SYNTHETIC,
    "schema.valid": DESCRIBED,
    "fidelity.shape": EVALUATION,
    "fidelity.shape_ratio": EVALUATION,
    "fidelity.pair": EVALUATION,
    "fidelity.pair_ratio": EVALUATION,
    "fidelity.worst_column_minus_floor": EVALUATION,
    "fidelity.coverage": EVALUATION,
    "fidelity.c2st": EVALUATION,
    "fidelity.c2st_minus_floor": EVALUATION,
    "fidelity.association": REPORT,
    "utility.gap": EVALUATION,
    "sdmetrics.quality": EVALUATION,
    "sdmetrics.diagnostic": EVALUATION,
    "sdmetrics.column_shapes": EVALUATION,
    "sdmetrics.column_pair_trends": EVALUATION,
    "sdmetrics.data_validity": EVALUATION,
    "sdmetrics.data_structure": EVALUATION,
    "privacy.verdict": AUDIT,
    "privacy.attack_auc": AUDIT,
    "privacy.attack_tpr": AUDIT,
    "privacy.controls_failed": AUDIT,
    "privacy.singling_out": AUDIT,
    "privacy.linkability": AUDIT,
    "privacy.inference": AUDIT,
    "privacy.epsilon_audited": AUDIT,
    "privacy.epsilon": CERTIFICATE,
    "privacy.delta": CERTIFICATE,
    "copies.exact": AUDIT,
    "copies.near": AUDIT,
    "copies.rare_combinations": AUDIT,
    "copies.reused": AUDIT,
}
"""Every record that a policy may name, and what brings it."""
