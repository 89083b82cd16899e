"""Files -> training rows, holdout and released rows -> scores of the model -> an audit.

With a model, the holdout are the rows that its fit left out, and released rows are drawn if none
are given. Without one, three tables of anybody's are audited, and torch is not loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthvae import __version__
from synthvae import metadata as metadatas
from synthvae.audit import STEPS, Audit, Claim, EpsilonBound, Restricted, RowScores, audit
from synthvae.audit.sides import COMPARED
from synthvae.detect import detect
from synthvae.evaluation.frames import frame
from synthvae.holdout import sha256
from synthvae.privacy.budget import ROW
from synthvae.reading import read_table
from synthvae.schema import ColumnSchema, resolve
from synthvae.sources import (
    MORE,
    MOST_ROWS,
    Places,
    Sides,
    Sources,
    check_columns,
    given_rows,
    one_of_each,
    released,
    sides_of,
)
from synthvae.stages import Stages, Told
from synthvae.table import Table
from synthvae.unfinished import Unfinished

if TYPE_CHECKING:
    from synthvae.artifact import Artifact
    from synthvae.membership_scores import Suspects

_WEIGHTS = {"read": 1.0, "draw": 4.0, "score": 3.0, "references": 25.0}
_ATTACK = 40.0
_DEEP = 400.0


def run(
    sources: Sources,
    seed: int,
    threads: int | None,
    told: Told = lambda *_: None,
    keep: Path | None = None,
) -> Audit:
    """The audit of `sources`. `told` hears the share that is done and what is being done. `keep`: a
    folder for what a deep audit has finished, until it is done: if it is stopped, the next one of
    the same files and seed goes on from there."""
    sources.check()
    deep = {"deep": _DEEP} if sources.shadows else {}
    stages = Stages(told, {**_WEIGHTS, **deep, "attack": _ATTACK})
    stages.at("read", 0.0, "reading")
    if sources.model is None:
        return _of_tables(sources, seed, stages)
    from synthvae.artifact import load

    return _of_model(load(sources.model), sources, seed, threads, stages, keep)


def _of_tables(sources: Sources, seed: int, stages: Stages) -> Audit:
    real, holdout = read_table(sources.real), read_table(str(sources.holdout))
    described = metadatas.read(sources.metadata) if sources.metadata else detect(real)
    sides = Sides(real, holdout, resolve(described, real), np.arange(len(real)))
    synthetic = read_table(str(sources.synthetic))
    found = _audit(sides, synthetic, None, seed, stages)
    return replace(found, judged={"synthetic": synthetic.fingerprint()})


def _of_model(
    artifact: Artifact,
    sources: Sources,
    seed: int,
    threads: int | None,
    stages: Stages,
    keep: Path | None,
) -> Audit:
    from synthvae.membership_scores import Suspects, together, white_box

    sides = sides_of(artifact, sources)
    given = given_rows(sources, sides.real)
    stages.at("draw", 0.0, "drawing rows")
    synthetic, more = released(artifact, given, len(sides.real), seed, threads)
    sides, claim, on_claim = held(artifact, sides, seed)
    kept = _kept(keep if sources.shadows else None, sources, sides, synthetic, seed)
    stages.at("score", 0.0, "scoring rows by the model")
    suspects = Suspects.of(artifact, sides.real, sides.holdout, seed)
    scores = white_box(suspects, threads, partial(stages.at, "references", 0.0))
    bounds: tuple[EpsilonBound, ...] = ()
    notes = (*of_rows(sources, len(synthetic), 0 if more is None else len(more), seed), *on_claim)
    if sources.shadows:
        deep = _dug(artifact, suspects, sides, synthetic, sources.shadows, threads, stages, kept)
        scores, bounds, notes = {**scores, **deep[0]}, deep[1], (*notes, *deep[2])
    scores["all attacks on the model together"] = together(scores)
    found = _audit(sides, synthetic, more, seed, stages, scores, bounds, claim, notes)
    kept.done()
    return replace(found, judged=_judged(sources, synthetic))


def _judged(sources: Sources, synthetic: Table) -> dict[str, str]:
    """The table that was given, if one was, and the model, as its certificate names it."""
    table = {"synthetic": synthetic.fingerprint()} if sources.synthetic else {}
    return {**table, "model": f"sha256:{sha256(Path(str(sources.model)))}"}


def _kept(
    keep: Path | None, sources: Sources, sides: Sides, synthetic: Table, seed: int
) -> Unfinished:
    """What was finished of the very same audit."""
    tables = [table.fingerprint() for table in (sides.real, sides.holdout, synthetic)]
    parts = [__version__, sha256(Path(str(sources.model))), *tables, seed, sources.shadows]
    return Unfinished(keep, hashlib.sha256(json.dumps(parts).encode()).hexdigest())


def of_rows(sources: Sources, rows: int, more: int, seed: int) -> tuple[str, ...]:
    """Where the rows under audit come from."""
    notes = [
        "rows that were not learnt are those of --holdout"
        if sources.holdout
        else "rows that were not learnt are those that the fit left out"
    ]
    if sources.synthetic is None:
        notes.append(
            f"the released rows are the first {rows:,} that the model draws at seed {seed}"
        )
    if rows + more < MORE * rows:
        notes.append(
            f"{rows + more:,} rows were looked at in all, and not {MORE} times as many as were "
            f"learnt or given: at most {MOST_ROWS:,} are drawn"
        )
    return tuple(notes)


def _dug(
    artifact: Artifact,
    suspects: Suspects,
    sides: Sides,
    synthetic: Table,
    shadows: int,
    threads: int | None,
    stages: Stages,
    kept: Unfinished,
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
        kept,
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
    check_columns(sides.real, {"holdout": sides.holdout, "synthetic": synthetic})
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
    shown = _placed(found.restricted, sides.places)
    return replace(found, notes=(*found.notes, *notes), restricted=shown)


def _placed(found: Restricted, places: Places) -> Restricted:
    """With the places of rows in the table that the user gave."""
    rows = {
        kind: [{**row, "row": int(places[row["row"]])} for row in some]
        for kind, some in found.rows.items()
    }
    return replace(found, rows=rows)


def _frame(table: Table, columns: Sequence[ColumnSchema]) -> pd.DataFrame:
    return frame(table, columns)


def held(
    artifact: Artifact, sides: Sides, seed: int
) -> tuple[Sides, Claim | None, tuple[str, ...]]:
    """The rows to attack, the promise that attacks are held against, and a note if there is none.

    Where a promise is for all rows of somebody, attacks on single rows can't test it; and rows of
    one person would be no independent evidence, so one of each is taken.
    """
    private = artifact.content.get("privacy")
    if not private:
        return sides, None, ()
    promised = private["claim"]
    epsilon, unit = float(promised["epsilon"]), promised["unit"]
    if unit == ROW:
        return sides, Claim(epsilon, float(promised["delta"])), ()
    note = (
        f"the promise, epsilon {epsilon:.3g} for all rows of one '{unit}', is not held against "
        f"these attacks, which look at rows: one of each '{unit}', drawn at random"
    )
    return one_of_each(sides, unit, seed), None, (note,)
