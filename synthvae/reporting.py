"""Files -> tables -> what was measured of them -> the content of a report.

With a model, the holdout are the rows that its fit left out, rows are drawn if none are given, and
its latent space is looked at. Without one, nothing that needs torch is loaded but SDMetrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from synthvae.audit.copies import copies as copies_of
from synthvae.audit.records import Excess
from synthvae.audit.sides import Effort, pool_of, tables_of
from synthvae.comparison import COMPARED, compare_tables, compared_frame
from synthvae.errors import SchemaError, TableError
from synthvae.evaluation.association import association
from synthvae.evaluation.frames import frame
from synthvae.report.cells import overlay
from synthvae.report.content import Evidence, Findings, Json, content
from synthvae.report.nearness import nearness
from synthvae.report.projection import Projection, project
from synthvae.report.validity import unreadable
from synthvae.reporting_evidence import check_evidence, judged_of
from synthvae.reporting_inputs import Asked, Trio, artifact_of, evidence_of, trio_of
from synthvae.reporting_record import made_of
from synthvae.seeds import stream
from synthvae.stages import Stages, Told

if TYPE_CHECKING:
    from synthvae.artifact import Artifact

ENCODED_ROWS = 20_000
_WEIGHTS = {"read": 2.0, "draw": 3.0, "compare": 60.0, "look": 8.0, "encode": 4.0}
_COMPARE_STEPS = 5


def run(asked: Asked, told: Told = lambda *_: None) -> Json:
    """The content of the report. `told` hears the share that is done and what is being done."""
    stages = Stages(told, _WEIGHTS)
    stages.at("read", 0.0, "reading")
    asked.validate()
    evidence = evidence_of(asked)  # a wrong file is told of at once, not after a minute
    artifact = artifact_of(asked)
    trio = trio_of(asked, artifact, partial(stages.at, "draw", 0.0))
    judged = judged_of(asked, trio)
    check_evidence(asked, evidence, judged)
    found = _findings(asked, trio, artifact, evidence, stages)
    stages.at("encode", 0.0, "encoding rows")
    evidence = _with_model(asked, evidence, artifact, trio)
    return content(found, evidence, made_of(asked, trio, artifact)) | {"judged": judged}


def _findings(
    asked: Asked, trio: Trio, artifact: Artifact | None, evidence: Evidence, stages: Stages
) -> Findings:
    frames = {role: compared_frame(table, trio.schema) for role, table in trio.tables.items()}
    steps: list[str] = []

    def step(name: str) -> None:
        stages.at("compare", len(steps) / _COMPARE_STEPS, name)
        steps.append(name)

    target = asked.target
    if target is None and artifact is not None:
        target = artifact.content["settings"]["target"]
    evaluation = compare_tables(trio.tables, trio.schema, frames, target, asked.seed, step)
    stages.at("look", 0.0, "looking at columns and pairs")
    kinds = {
        column.name: column.sdtype
        for column in trio.schema.columns
        if column.sdtype in COMPARED and column.name not in evaluation.left_out
    }
    frames = {role: table[list(kinds)] for role, table in frames.items()}
    real, holdout, synthetic = frames["real"], frames["holdout"], frames["synthetic"]
    pairs = association(real, holdout, synthetic, asked.seed) if len(kinds) > 1 else None
    overlays = {
        name: overlay(real[name], holdout[name], synthetic[name], kind == "datetime")
        for name, kind in kinds.items()
    }
    stages.at("look", 0.6, "looking for copies")
    wanted = evidence.audit is None and not trio.stood_in
    return Findings(
        evaluation, pairs, overlays, kinds,
        {role: len(table) for role, table in trio.tables.items()},
        len(trio.schema.columns), unreadable(trio.real, trio.synthetic, trio.schema),
        _copies(trio, asked.seed) if wanted else (), trio.stood_in, asked.seed,
        nearness(frames, asked.seed),
    )  # fmt: skip


def _copies(trio: Trio, seed: int) -> list[Json]:
    """Rows and made-up values that come back, beyond those of the holdout, as an audit has them."""
    columns = list(trio.schema.columns)
    frames = [frame(table, columns) for table in trio.tables.values()]
    kinds = {column.name: column.sdtype for column in columns}
    try:
        tables = tables_of(frames[0], frames[1], frames[2], None, kinds)
        pool = pool_of(tables, {}, Effort(), seed)
    except TableError:
        return []  # hardly any row stands once, so that a copy tells nothing
    found = copies_of(tables, pool, seed)
    return [_excess(each) for each in (*found.compared, *found.reused)]


def _excess(found: Excess) -> Json:
    def known(value: float) -> float | None:
        return None if np.isnan(value) else value

    def share(rate: Any) -> Json:
        return {"hits": rate.hits, "n": rate.n, "value": known(rate.value),
                "interval": rate.interval.to_json()}  # fmt: skip

    return {"name": found.name, "training": share(found.training), "control": share(found.control),
            "value": known(found.value), "interval": found.interval.to_json(),
            "subject": list(found.subject), "seed": found.seed}  # fmt: skip


def _with_model(
    asked: Asked, evidence: Evidence, artifact: Artifact | None, trio: Trio
) -> Evidence:
    if artifact is None:
        return evidence
    from synthvae.holdings import describe

    training = artifact.content["training"]
    claim = evidence.certificate or artifact.content.get("privacy")
    if evidence.history is None:
        evidence = replace(evidence, history=training["history"], kept=training["best_epoch"])
    projection, why = _projection(asked, artifact, trio)
    return replace(
        evidence,
        certificate=claim,
        held=_held(describe(artifact)),
        latent=training["latent"],
        projection=projection,
        no_projection=why,
    )


def _held(found: Mapping[str, Any]) -> Json:
    """What is held, without a value: how many numbers or categories of each sort."""
    columns = []
    for name, column in found["columns"].items():
        sorts = {key: len(value) if isinstance(value, (list, dict)) else 1
                 for key, value in column.items()
                 if key != "kind" and value not in (None, [], {}, "")}  # fmt: skip
        columns.append({"name": name, "kind": column["kind"], "sorts": sorts})
    also = [line.split(", the most dependent first:")[0] for line in found["also"]]
    return {"columns": columns, "also": also, "warnings": list(found["warnings"])}


def _projection(asked: Asked, artifact: Artifact, trio: Trio) -> tuple[Projection | None, str]:
    """Where real and synthetic rows lie in the latent space; or why that can't be said."""
    from synthvae import opening

    space = opening.latent_space(artifact)
    points = []
    for role, table in trio.tables.items():
        rng = stream(asked.seed, "report", "encode", role)
        index = np.sort(rng.permutation(len(table))[:ENCODED_ROWS])
        try:
            points.append(space.vectors(table.rows(index), asked.seed, asked.threads))
        except SchemaError as error:
            return None, f"the {role} rows can't be encoded: {error.reasons[0]}"
    return project(points[0], points[1], points[2], asked.seed), ""
