"""The names of what a gate can ask for, who makes each, and how one is read.

The names are those of a report's JSON (docs/report.md), with some that only a gate asks for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

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

    @property
    def is_known(self) -> bool:
        return not math.isnan(self.high)


Readings = Mapping[str, Reading]
REUSED = "copies.reused"


def keep_worse(found: dict[str, Reading], name: str, new: Reading, better: str = "low") -> None:
    """Of records for each column, the worst is read. One that could not be measured is worse than
    whatever was; but values that are made up, such as first names, may all stand on both sides,
    where no copy can be told from chance: those that can be checked decide, and words name the
    others."""
    old = found.get(name)
    if old is None:
        found[name] = new
    elif name == REUSED and old.is_known != new.is_known:
        known, other = (old, new) if old.is_known else (new, old)
        found[name] = replace(known, words=f"{known.words}; can't be checked: {other.words}")
    elif new.is_worse(old, better):
        found[name] = new


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
    REUSED: AUDIT,
}
"""Every record that a policy may name, and what brings it."""
