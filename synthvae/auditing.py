"""Files -> training rows, holdout and released rows -> scores of the model -> an audit.

With a model, the holdout are the rows that its fit left out, and released rows are drawn if none
are given. Without one, three tables of anybody's are audited, and torch is not loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from synthvae import holdout as holdouts
from synthvae import metadata as metadatas
from synthvae.audit import STEPS, Audit, Claim, EpsilonBound, RowScores, audit
from synthvae.audit.sides import COMPARED
from synthvae.detect import detect
from synthvae.errors import ArtifactError, Problems, SchemaError, UsageError
from synthvae.evaluation.frames import frame
from synthvae.reading import read_table
from synthvae.schema import ColumnSchema, Schema, resolve
from synthvae.stages import Stages, Told
from synthvae.table import Table, from_arrow

if TYPE_CHECKING:
    from synthvae.artifact import Artifact
    from synthvae.membership_scores import Suspects

MORE = 10  # times the released rows: so many may come to be released
MOST_ROWS = 1_000_000  # of them
_WEIGHTS = {"read": 1.0, "draw": 4.0, "score": 3.0, "references": 25.0}
_ATTACK = 40.0
_DEEP = 400.0


@dataclass(frozen=True)
class Sources:
    """What an audit is made of: tables by path, the model file, what describes the columns.
    `shadows`: how many shadow models a deep audit learns; None: it is not deep."""

    real: str
    holdout: str | None = None
    synthetic: str | None = None
    model: Path | None = None
    metadata: Path | None = None
    missing: Sequence[str] = ()
    shadows: int | None = None

    def check(self) -> None:
        """UsageError with every reason why they are not enough."""
        problems = Problems()
        if self.model is None:
            for name in ("holdout", "synthetic"):
                if getattr(self, name) is None:
                    problems.add(
                        f"without a model an audit takes three tables, but --{name} is missing; "
                        f"add it, or the model with -m"
                    )
            if self.shadows is not None:
                problems.add(
                    "shadow models are like the model under audit, but --deep is given without "
                    "one; add it with -m, or leave --deep out"
                )
        problems.raise_as(UsageError)


@dataclass(frozen=True)
class Sides:
    """What was learnt, and what was not."""

    real: Table
    holdout: Table
    schema: Schema


def run(sources: Sources, seed: int, threads: int | None, told: Told = lambda *_: None) -> Audit:
    """The audit of `sources`. `told` hears the share that is done and what is being done."""
    sources.check()
    deep = {"deep": _DEEP} if sources.shadows else {}
    stages = Stages(told, {**_WEIGHTS, **deep, "attack": _ATTACK})
    stages.at("read", 0.0, "reading")
    if sources.model is None:
        return _of_tables(sources, seed, stages)
    from synthvae.artifact import load

    return _of_model(load(sources.model), sources, seed, threads, stages)


def _of_tables(sources: Sources, seed: int, stages: Stages) -> Audit:
    real, holdout = read_table(sources.real), read_table(str(sources.holdout))
    described = metadatas.read(sources.metadata) if sources.metadata else detect(real)
    sides = Sides(real, holdout, resolve(described, real, sources.missing))
    return _audit(sides, read_table(str(sources.synthetic)), None, seed, stages)


def _of_model(
    artifact: Artifact, sources: Sources, seed: int, threads: int | None, stages: Stages
) -> Audit:
    from synthvae.membership_scores import Suspects, white_box

    sides = _sides_of(artifact, sources)
    stages.at("draw", 0.0, "drawing rows")
    synthetic, more = _released(artifact, sources, len(sides.real), seed, threads)
    stages.at("score", 0.0, "scoring rows by the model")
    suspects = Suspects.of(artifact, sides.real, sides.holdout, seed)
    scores = white_box(suspects, threads, partial(stages.at, "references", 0.0))
    bounds: tuple[EpsilonBound, ...] = ()
    notes: tuple[str, ...] = ()
    if sources.shadows:
        deep = _dug(artifact, suspects, sides, synthetic, sources.shadows, threads, stages)
        scores, bounds, notes = {**scores, **deep[0]}, deep[1], deep[2]
    return _audit(sides, synthetic, more, seed, stages, scores, bounds, _claim(artifact), notes)


def _dug(
    artifact: Artifact,
    suspects: Suspects,
    sides: Sides,
    synthetic: Table,
    shadows: int,
    threads: int | None,
    stages: Stages,
) -> tuple[Mapping[str, RowScores], tuple[EpsilonBound, ...], tuple[str, ...]]:
    from synthvae.deep_audit import dig

    compared = [column for column in sides.schema.columns if column.sdtype in COMPARED]
    found = dig(
        artifact,
        suspects,
        (sides.real, sides.holdout, synthetic),
        partial(_frame, columns=compared),
        shadows,
        threads,
        partial(stages.at, "deep"),
    )
    return found.scores, found.bounds, found.notes


def _audit(
    sides: Sides,
    synthetic: Table,
    more: Table | None,
    seed: int,
    stages: Stages,
    scores: Mapping[str, RowScores] | None = None,
    bounds: Sequence[EpsilonBound] = (),
    claim: Claim | None = None,
    notes: tuple[str, ...] = (),
) -> Audit:
    columns = list(sides.schema.columns)
    tables = {"holdout": sides.holdout, "synthetic": synthetic}
    _check_columns(sides.real, tables)
    steps: list[str] = []

    def step(name: str) -> None:
        stages.at("attack", len(steps) / STEPS, name)
        steps.append(name)

    found = audit(
        _frame(sides.real, columns),
        _frame(sides.holdout, columns),
        _frame(synthetic, columns),
        {column.name: column.sdtype for column in columns},
        more=None if more is None else _frame(more, columns),
        scores=scores,
        bounds=bounds,
        claim=claim,
        unit=claim.unit if claim else "one row",
        seed=seed,
        progress=step,
    )
    return replace(found, notes=(*found.notes, *notes))


def _frame(table: Table, columns: Sequence[ColumnSchema]) -> pd.DataFrame:
    return frame(table, columns)


def _check_columns(real: Table, others: Mapping[str, Table]) -> None:
    problems = Problems()
    for what, table in others.items():
        for name in real.names:
            if name not in table.names:
                problems.add(
                    f"all tables have the columns of the real one, but the {what} table has no "
                    f"column '{name}'; add it"
                )
    problems.raise_as(SchemaError)


def _sides_of(artifact: Artifact, sources: Sources) -> Sides:
    """The rows that the model learnt, and rows that it did not."""
    table, path = read_table(sources.real), holdouts.beside(Path(str(sources.model)))
    note = holdouts.load(path) if path.exists() else None
    if note is not None and note.model != holdouts.sha256(Path(str(sources.model))):
        if sources.holdout is None:
            raise ArtifactError(
                f"rows that a fit left out are noted beside its model, but '{path}' is the note "
                "of another model; restore it, or pass rows that were not learnt with --holdout"
            )
        note = None
    if note is None and sources.holdout is None:
        raise UsageError(
            "an audit compares rows that were learnt with rows that were not, but no note "
            f"'{path}' of rows that the fit left out is there; pass such rows with --holdout"
        )
    if sources.holdout is None and note is not None:
        mask = note.mask(table)
        real, holdout = table.rows(~mask), table.rows(mask)
    else:
        real = table if note is None else table.rows(~note.found(table))
        holdout = read_table(str(sources.holdout))
    _check_learnt(artifact, len(real))
    described = metadatas.parse(artifact.content["metadata"], "the model file")
    missing = [*artifact.content["settings"]["missing_values"], *sources.missing]
    return Sides(real, holdout, resolve(described, table, missing))


def _check_learnt(artifact: Artifact, rows: int) -> None:
    learnt = artifact.content["training"]["rows"]
    if not artifact.content.get("privacy") and rows > learnt:
        raise SchemaError(
            f"an audit takes rows that the model learnt, but of the real table {rows:,} rows "
            f"would count as learnt, and it learnt {learnt:,}; pass the table that was fitted"
        )


def _released(
    artifact: Artifact, sources: Sources, rows: int, seed: int, threads: int | None
) -> tuple[Table, Table]:
    """The rows that are released, and as many more as may be, ten times as many in all."""
    from synthvae import pipeline

    given = read_table(sources.synthetic) if sources.synthetic else None
    count = rows if given is None else len(given)
    most = min(MORE * count, max(MOST_ROWS, 2 * count))
    chunks = list(pipeline.sampler(artifact).chunks(most, seed, "text", threads=threads))
    drawn = from_arrow(pa.concat_tables(chunks, promote_options="permissive"), "the drawn rows")
    if given is not None:
        return given, drawn.rows(slice(count, None))
    return drawn.rows(slice(0, count)), drawn.rows(slice(count, None))


def _claim(artifact: Artifact) -> Claim | None:
    private = artifact.content.get("privacy")
    if not private:
        return None
    claim = private["claim"]
    unit = "one row" if claim["unit"] == "row" else f"all rows of one '{claim['unit']}'"
    return Claim(float(claim["epsilon"]), float(claim["delta"]), unit)
