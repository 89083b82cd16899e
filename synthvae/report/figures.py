"""Which plots a report has, by name; None where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthvae.report import words
from synthvae.report.markdown import excess
from synthvae.report.plots_columns import distances_plot, overlay_plot
from synthvae.report.plots_model import losses_plot, points_plot, rates_plot
from synthvae.report.plots_privacy import attacks_plot, excess_plot
from synthvae.report.plots_rows import gap_plot, giveaway_plot, heat_plot, roc_plot, shown_names

MOST_COLUMNS = 60
_MOST_LINES = 30
_GIVEAWAYS = 12
GIVEAWAY = 0.002  # ROC AUC

Json = Mapping[str, Any]


def column_figures(content: Json) -> list[dict[str, Any]]:
    """Columns, the furthest above its floor first, each with its record and its plot."""
    from markupsafe import Markup

    by_name = {each["name"]: each for each in content["sections"]["fidelity"]["columns"]}
    found = []
    for at, record in enumerate(sorted(words.every(content, "fidelity.column"), key=excess)):
        column = by_name[record["column"]]
        drawn = None
        if column["overlay"] and at < MOST_COLUMNS:
            drawn = Markup(overlay_plot(f"c{at}", column["name"], column["overlay"]))
        off = record["low"] is not None and record["low"] > (record["floor_high"] or 0.0)
        found.append({"record": record, "kind": column["kind"], "svg": drawn, "off": off,
                      "drawn": at < MOST_COLUMNS})  # fmt: skip
    return found


def fidelity_figures(content: Json) -> dict[str, Any]:
    """Distances, pairs, detector."""
    section = content["sections"]["fidelity"]
    if section["absent"]:
        return {}
    records = sorted(words.every(content, "fidelity.column"), key=excess)[:_MOST_LINES]
    found: dict[str, Any] = {"distances": distances_plot("d", records)}
    pairs = section["pairs"]
    if pairs:
        found |= {name: heat_plot(f"h{name[0]}", pairs, name) for name in ("real", "synthetic")}
        found["gap"], found["gap_full"] = gap_plot("hg", pairs)
        found["pairs_shown"] = len(shown_names(pairs))
    detector = section["detector"]
    found["roc"] = roc_plot("roc", detector)
    found["giveaway"] = None
    if any(each["auc_lost"] >= GIVEAWAY for each in detector["columns"]):
        found["giveaway"] = giveaway_plot("give", detector["columns"][:_GIVEAWAYS])
    return found


def privacy_figures(content: Json) -> dict[str, Any]:
    """Attacks, disclosure, copies, distances."""
    section = content["sections"]["privacy"]
    audit = section["audit"]
    found: dict[str, Any] = {"attacks": None, "excess": None}
    lines = list(section["copies"])
    if audit:
        attacks = sorted(audit["attacks"], key=lambda each: -(each["auc"] or 0.0))
        found["attacks"] = attacks_plot("att", attacks, (audit.get("policy") or {}).get("auc"))
        lines = [*audit["risks"], *lines]
    if lines:
        found["excess"] = excess_plot("exc", lines)
    for kind, name in (("closest", "the distance"), ("ratio", "the ratio of distances")):
        drawn = section.get("nearness", {}).get(kind)
        found[kind] = overlay_plot(f"n{kind}", name, drawn) if drawn else None
    return found


def model_figures(content: Json) -> dict[str, Any]:
    """Latent space and training."""
    sections = content["sections"]
    found: dict[str, Any] = {"losses": None, "rates": None, "points_real": None}
    projection = sections["latent"].get("projection")
    if projection:
        for table in ("real", "synthetic"):
            found[f"points_{table}"] = points_plot(f"z{table[0]}", projection, table)
    history = sections["training"].get("history")
    if history:
        kept = sections["training"]["kept"]
        found["losses"] = losses_plot("los", history, kept)
        if all(isinstance(entry.get("rate"), (int, float)) for entry in history):
            found["rates"] = rates_plot("rat", history, kept)
    return found
