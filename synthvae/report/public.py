"""A report without statistics of real rows: what is kept is listed, all else goes."""

from __future__ import annotations

import re
from typing import Any

KEPT = frozenset(
    {
        "rows",
        "schema.valid",
        "fidelity.shape_ratio",
        "fidelity.pair_ratio",
        "fidelity.c2st",
        "fidelity.c2st_minus_floor",
        "utility.gap",
        "sdmetrics.quality",
        "sdmetrics.diagnostic",
        "sdmetrics.column_shapes",
        "sdmetrics.column_pair_trends",
        "sdmetrics.data_validity",
        "sdmetrics.data_structure",
        "privacy.verdict",
        "privacy.attack_auc",
        "privacy.attack_advantage",
        "privacy.attack_advantage_upper",
        "privacy.attack_tpr",
        "privacy.singling_out",
        "privacy.linkability",
        "privacy.epsilon_audited",
        "privacy.epsilon",
        "privacy.delta",
        "copies.exact",
        "copies.near",
        "copies.rare_combinations",
    }
)
LEFT_OUT = "left out of a public report, since it shows statistics of real rows"
_FILES = ("synthetic", "model", "certificate")


def without_statistics(content: dict[str, Any]) -> dict[str, Any]:
    """The public form of a report's content: verdicts, ratios and differences, and the certificate.

    Where a certificate hides whether a row is there, numbers of real rows go too.
    """
    sections = content["sections"]
    private = sections["privacy"]["certificate"] is not None
    records = [
        {**record, "n": None if private else record["n"], "unit": _unit(record["unit"])}
        for record in content["records"]
        if record["name"] in KEPT and record["column"] is None
    ]
    return {
        "schema_version": content["schema_version"],
        "kind": "public",
        "synthvae": content["synthvae"],
        "records": records,
        "sections": {
            "verdict": _verdict(sections["verdict"]),
            "fidelity": {"absent": LEFT_OUT, "stood_in": sections["fidelity"].get("stood_in")},
            "privacy": _privacy(sections["privacy"]),
            "latent": {"absent": LEFT_OUT},
            "training": {"absent": LEFT_OUT},
            "made": _made(sections["made"]),
        },
        "judged": content.get("judged", {}),
        "notes": _notes(sections),
    }


def _unit(words: str) -> str:
    """Without the name of an attack, which is whoever's who brought its scores."""
    return re.split(r" (?:of|by) '", words)[0]


def _verdict(section: dict[str, Any]) -> dict[str, Any]:
    """Outcomes. Criteria and reasons name columns, and say how many rows they go by."""
    audit = section["audit"]
    told = {key: audit[key] for key in ("outcome", "sentence")} if audit else None
    return {**section, "check": _check(section["check"]), "audit": told}


def _check(check: dict[str, Any] | None) -> dict[str, Any] | None:
    """Without the lines on single columns; the outcome is that of all."""
    if check is None:
        return None
    lines = [
        {**line, "rule": f"{line['record']} {line['limit']}", "reason": ""}
        for line in check["lines"]
        if line["record"] in KEPT
    ]
    return {**check, "lines": lines}


def _privacy(section: dict[str, Any]) -> dict[str, Any]:
    return {
        "absent": None,
        "certificate": section["certificate"],
        "certificate_absent": section["certificate_absent"],
        "audit": None,
        "audit_absent": LEFT_OUT if section["audit"] else section["audit_absent"],
        "copies": [],
        "copies_absent": LEFT_OUT,
        "held": None,
        "held_absent": LEFT_OUT if section["held"] else section["held_absent"],
        "nearness": {},
    }


def _made(section: dict[str, Any]) -> dict[str, Any]:
    files = [file for file in section["files"] if file["role"] in _FILES]
    model = section["model"]
    return {
        **section,
        "command": "synthvae report --public",  # the whole names files, and may name a column
        "files": files,
        "model": {**model, "rows": None, "target": None} if model else None,
    }


def _notes(sections: dict[str, Any]) -> list[str]:
    if not sections["fidelity"].get("stood_in"):
        return []
    return ["no holdout was given: some of the real rows, drawn at random, stand in for it"]
