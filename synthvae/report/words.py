"""Numbers and names as the page and the Markdown write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthvae.findings import NAMES, VERDICT, outcome

Json = Mapping[str, Any]

NOTHING = "\N{EN DASH}"
TITLES = {
    "rows": "synthetic rows",
    "rows.real": "real rows",
    "rows.holdout": "holdout rows",
    "schema.valid": "valid columns",
    "fidelity.shape": "column distance",
    "fidelity.shape_ratio": "columns, ratio",
    "fidelity.column": "column distance",
    "fidelity.pair": "pair distance",
    "fidelity.pair_ratio": "pairs, ratio",
    "fidelity.pairs": "pair distance",
    "fidelity.association": "association, mean difference",
    "fidelity.worst_column": "worst column",
    "fidelity.worst_column_minus_floor": "worst column above floor",
    "fidelity.coverage": "values that come back",
    "fidelity.c2st": "detector",
    "fidelity.c2st_minus_floor": "detector above floor",
    "utility.gap": "utility gap",
    "utility.tstr": "trained on synthetic rows",
    "utility.trtr": "trained on real rows",
    "sdmetrics.quality": "SDMetrics quality",
    "sdmetrics.diagnostic": "SDMetrics diagnostic",
    "sdmetrics.column_shapes": "Column Shapes",
    "sdmetrics.column_pair_trends": "Column Pair Trends",
    "sdmetrics.data_validity": "Data Validity",
    "sdmetrics.data_structure": "Data Structure",
    VERDICT: "audit",
    "privacy.controls_failed": "audit's controls that failed",
    "privacy.attack_auc": "strongest attack",
    "privacy.attack_advantage": "attacker's advantage",
    "privacy.attack_advantage_upper": "attacker's advantage, at most",
    "privacy.attack_tpr": "members found at 1 % false alarms",
    "privacy.epsilon_audited": "epsilon, shown by attacks",
    "privacy.epsilon": "epsilon, promised",
    "privacy.delta": "delta, promised",
    **{record: name for name, record in NAMES.items()},
    "latent.rate": "rate",
    "latent.active": "active units",
    "latent.units": "units",
    "latent.gap": "prior off the posterior",
    "latent.projection": "latent projection",
    "training.loss": "held-out loss",
}
KEY_NUMBERS = (
    ("fidelity.shape_ratio", "1 is as close as fresh real rows"),
    ("fidelity.pair_ratio", "1 is as close as fresh real rows"),
    ("fidelity.c2st_minus_floor", "0: trees can't tell rows apart"),
    ("utility.gap", "0: as good to train on"),
    ("sdmetrics.quality", "1 is best"),
    ("privacy.attack_auc", "0.5 is guessing"),
    ("copies.exact", "0: no more than by chance"),
    ("privacy.epsilon", "what the fit promises"),
)
_SHARES = ("copies.", "privacy.singling_out", "privacy.linkability", "privacy.inference",
           "privacy.attack_tpr", "schema.valid")  # fmt: skip
_COUNTS = ("rows", "rows.real", "rows.holdout", "latent.active", "latent.units")
_THREE = ("fidelity.c2st", "utility.", "sdmetrics.", "privacy.attack_a", "latent.gap")
BETTER = {"low": "low", "high": "high", "target": "near"}


def title(record: Json) -> str:
    """What a record is called, with its column."""
    name = TITLES.get(record["name"], str(record["name"]))
    return f"{name}: {record['column']}" if record["column"] else name


def value(record: Json, key: str = "value") -> str:
    """One of a record's numbers, in its own form."""
    return form(record["name"], record[key])


def form(name: str, number: float | None) -> str:
    """A number of the records called `name`; a dash where there is none."""
    if number is None:
        return NOTHING
    if name == VERDICT:
        return outcome(number)
    if name in _COUNTS:
        return f"{number:,.0f}"
    if name.startswith(_SHARES):
        return f"{_signed_zero(100 * number, 2):.2f} %"
    if name.startswith(_THREE):
        return f"{_signed_zero(number, 3):.3f}"
    if name == "privacy.delta":
        return f"{number:.2g}"
    if name in ("utility.tstr", "utility.trtr", "training.loss"):
        return f"{number:.4g}"
    return f"{_signed_zero(number, 2):.2f}"


def span(record: Json, low: str = "low", high: str = "high") -> str:
    """'0.91 to 1.02', or nothing where there is no interval."""
    if record[low] is None or record[high] is None:
        return ""
    return f"{value(record, low)} to {value(record, high)}"


def with_span(record: Json) -> str:
    """'0.97 (0.91 to 1.02)'."""
    between = span(record)
    return f"{value(record)} ({between})" if between else value(record)


def found(content: Json, name: str, column: str | None = None) -> Json | None:
    """The record of that name and column, if it was measured."""
    for record in content["records"]:
        if record["name"] == name and record["column"] == column:
            return None if record["value"] is None else record
    return None


def every(content: Json, name: str) -> list[Json]:
    """All records of that name."""
    return [record for record in content["records"] if record["name"] == name]


def broken(check: Json | None, level: str = "fail") -> list[Json]:
    """Lines that failed, or warned; without its record a rule is not kept."""
    return [
        line
        for line in (check["lines"] if check else ())
        if (line["level"] if line["status"] == "missing" else line["status"]) == level
    ]


def _signed_zero(number: float, digits: int) -> float:
    """Without '-0.00'."""
    return 0.0 if round(number, digits) == 0 else number
