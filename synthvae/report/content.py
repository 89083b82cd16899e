"""Everything a report says, as the plain JSON that page, Markdown and gate are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthvae.evaluation.association import Associations
from synthvae.evaluation.records import Evaluation
from synthvae.report.cells import Overlay
from synthvae.report.evidence import VERSION
from synthvae.report.projection import Projection
from synthvae.report.records import Record, number, of_evaluation, of_metric
from synthvae.report.risks import nothing_reused, of_audit, of_certificate, of_excess

NO_CHECK = (
    "no policy was checked: 'synthvae report --json report.json', 'synthvae check --report "
    "report.json -o check.json', then 'synthvae report --from report.json --check check.json'"
)
NO_AUDIT = "nothing was attacked: 'synthvae audit -o audit.json', then --audit audit.json"
NO_MODEL = "no model was given: -m model.synthvae"
NOT_PRIVATE = (
    "there is no certificate: the fit was not private, or it is not known: --certificate c.json"
)
NO_COPIES = "copies are judged against holdout rows, and no holdout was given: --holdout"

Json = dict[str, Any]


@dataclass(frozen=True)
class Findings:
    """What was measured on the three tables. `kinds`: what each compared column is; `rows`: of the
    tables by role; `stood_in`: the holdout was cut off the real table; `copies`: excesses as an
    audit writes them; `nearness`: by kind, how far rows are from training rows."""

    evaluation: Evaluation
    associations: Associations | None
    overlays: Mapping[str, Overlay | None]
    kinds: Mapping[str, str]
    rows: Mapping[str, int]
    columns: int
    unreadable: Mapping[str, str]
    copies: Sequence[Json]
    stood_in: bool
    seed: int
    nearness: Mapping[str, Overlay | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """What other commands wrote, as JSON; None where it is not there. `held`: what the model file
    holds, `history`: its losses by epoch, `kept`: the epoch that was kept, from 1."""

    check: Json | None = None
    audit: Json | None = None
    certificate: Json | None = None
    held: Json | None = None
    history: Sequence[Json] | None = None
    kept: int | None = None
    latent: Mapping[str, float] | None = None
    projection: Projection | None = None
    no_projection: str = NO_MODEL


@dataclass(frozen=True)
class Made:
    """How the report came about. `files`: role, name, sha256 and rows of each input; `version`: of
    synthvae."""

    command: str
    version: str
    files: Sequence[Json]
    packages: Mapping[str, str]
    model: Json | None = None
    notes: Sequence[str] = field(default_factory=tuple)


def content(found: Findings, evidence: Evidence, made: Made) -> Json:
    """The whole report."""
    records = [
        *_sizes(found),
        *of_evaluation(found.evaluation),
        *(of_metric(found.associations.metric) if found.associations else ()),
        *_privacy_records(found, evidence),
        *_model_records(evidence),
    ]
    return {
        "schema_version": VERSION,
        "kind": "full",
        "synthvae": made.version,
        "records": [record.to_json() for record in records],
        "sections": {
            "verdict": _verdict(evidence),
            "fidelity": _fidelity(found),
            "privacy": _privacy(found, evidence),
            "latent": _latent(evidence),
            "training": _training(evidence),
            "made": {"absent": None, "command": made.command, "files": list(made.files),
                     "packages": dict(made.packages), "model": made.model, "seed": found.seed},
        },
        "notes": [*made.notes, *found.evaluation.notes],
    }  # fmt: skip


def _sizes(found: Findings) -> list[Record]:
    rows = found.rows
    valid = 1 - len(found.unreadable) / found.columns
    return [
        Record("rows", float(rows["synthetic"]), "high", "rows"),
        Record("rows.real", float(rows["real"]), "high", "rows"),
        Record("rows.holdout", float(rows["holdout"]), "high", "rows"),
        Record("schema.valid", valid, "high", "share of columns", n=found.columns),
    ]


def _privacy_records(found: Findings, evidence: Evidence) -> list[Record]:
    records = of_certificate(evidence.certificate) if evidence.certificate else []
    if evidence.audit:
        return [*records, *of_audit(evidence.audit)]
    if found.copies and not found.evaluation.left_out:
        records.append(nothing_reused(found.seed))
    return [*records, *map(of_excess, found.copies)]


def _model_records(evidence: Evidence) -> list[Record]:
    records = []
    measured = evidence.latent or {}
    for name, better, unit in (
        ("rate", "high", "nats a row"),
        ("active", "high", "units"),
        ("units", "high", "units"),
        ("gap", "low", "nats"),
    ):
        if name in measured:
            records.append(Record(f"latent.{name}", number(measured[name]), better, unit))  # type: ignore[arg-type]
    if evidence.projection:
        records += of_metric(evidence.projection.metric)
    if evidence.history and evidence.kept:
        loss = number(evidence.history[evidence.kept - 1]["loss"])
        records.append(Record("training.loss", loss, "low", "nats a row, held-out"))
    return records


def _verdict(evidence: Evidence) -> Json:
    verdict = evidence.audit["verdict"] if evidence.audit else None
    return {
        "absent": None,
        "check": evidence.check,
        "check_absent": None if evidence.check else NO_CHECK,
        "audit": verdict,
        "audit_absent": None if verdict else NO_AUDIT,
    }


def _fidelity(found: Findings) -> Json:
    evaluation = found.evaluation
    metrics = {record.name: record for record in evaluation.records}
    return {
        "absent": None,
        "stood_in": found.stood_in,
        "columns": [
            {"name": name, "kind": kind, "overlay": overlay.to_json() if overlay else None}
            for (name, kind), overlay in zip(
                found.kinds.items(), found.overlays.values(), strict=True
            )
        ],
        "pairs": _pairs(found.associations),
        "detector": _detector(metrics["detector"]),
        "utility": _utility(metrics.get("utility_gap"), evaluation.notes),
        "unreadable": dict(found.unreadable),
        "left_out": dict(evaluation.left_out),
    }


def _pairs(found: Associations | None) -> Json | None:
    if found is None:
        return None
    matrices = {"real": found.real, "holdout": found.holdout, "synthetic": found.synthetic}
    tables = {
        name: [[None if v != v else round(float(v), 3) for v in row] for row in matrix]
        for name, matrix in matrices.items()
    }
    return {"names": list(found.names), **tables}


def _detector(metric: Any) -> Json:
    curves = {name: [round(v, 4) for v in curve] for name, curve in metric.curves.items()}
    lost = sorted(metric.detail.items(), key=lambda each: -each[1])
    return {**curves, "columns": [{"name": n, "auc_lost": round(v, 4)} for n, v in lost]}


def _utility(metric: Any, notes: Sequence[str]) -> Json:
    predicted = next((note for note in notes if note.startswith("utility")), None)
    if metric is None:
        return {"absent": predicted or "it was skipped", "task": None, "unit": None}
    return {"absent": None, "task": predicted, "unit": metric.unit}


def _privacy(found: Findings, evidence: Evidence) -> Json:
    audit = evidence.audit
    copies = None
    if audit is None and not found.copies:
        copies = NO_COPIES if found.stood_in else "no row stands once: nothing to look for"
    return {
        "absent": None,
        "certificate": evidence.certificate,
        "certificate_absent": None if evidence.certificate else NOT_PRIVATE,
        "audit": audit,
        "audit_absent": None if audit else NO_AUDIT,
        "copies": list(audit["copies"] if audit else found.copies),
        "copies_absent": copies,
        "held": evidence.held,
        "held_absent": None if evidence.held else NO_MODEL,
        "nearness": {
            kind: each.to_json() if each else None for kind, each in found.nearness.items()
        },
    }


def _latent(evidence: Evidence) -> Json:
    projection = evidence.projection
    return {
        "absent": None if evidence.latent else NO_MODEL,
        "measured": dict(evidence.latent) if evidence.latent else None,
        "projection": projection.to_json() if projection else None,
        "projection_absent": None if projection else evidence.no_projection,
    }


def _training(evidence: Evidence) -> Json:
    history = evidence.history
    why = "neither a model nor a log was given: -m model.synthvae, or --log losses.jsonl"
    return {
        "absent": None if history else why,
        "history": list(history) if history else None,
        "kept": evidence.kept,
    }
