"""Rows put into a training table by the fall of a coin, to see whether what is learnt tells heads
from tails (Steinke, Nasr & Jagielski 2023): a lower bound on the epsilon of how models are fitted.

Half are rows of the holdout that the model finds strangest, half are made up: every cell is one of
the column's values, rare or common with the same chance, so that no such row is like another. The
model under audit learnt none of them; what it says of one is what there was to say beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthvae import metadata as metadatas
from synthvae import opening, private
from synthvae.artifact import Artifact
from synthvae.audit.f_dp import f_dp_bound_of
from synthvae.audit.one_run import bound_of
from synthvae.audit.records import EpsilonBound
from synthvae.membership_scores import Floats, Suspects, Terms, read, readings
from synthvae.model.compute import side_by_side
from synthvae.pooled import as_learnt, joined
from synthvae.relearning import relearn
from synthvae.seeds import derive, stream
from synthvae.table import Column, Table
from synthvae.unfinished import NOTHING_KEPT, Unfinished

MOST = 1000


@dataclass(frozen=True)
class Canaries:
    """Rows [m], and which of them the coin put in."""

    table: Table
    included: np.ndarray[tuple[int], np.dtype[np.bool_]]


def bounds_by_canaries(
    artifact: Artifact,
    suspects: Suspects,
    real: Table,
    holdout: Table,
    threads: int | None = None,
    kept: Unfinished = NOTHING_KEPT,
) -> tuple[EpsilonBound, ...]:
    """Fit once more, to `real` and the canaries that the coins put in, and bound epsilon by how
    well the nats of canaries tell which those were; by two theorems. A private fit is made as
    privately as that of `artifact` was."""
    chosen = canaries(suspects, real, holdout)
    included, delta = chosen.included, suspects.settings.privacy.delta
    scores = kept.once(
        "canaries", lambda: {"scores": _scores(artifact, suspects, chosen, real, threads)}
    )
    name = "canaries in one more fit"
    return (
        bound_of(name, scores["scores"], included, delta=delta),
        f_dp_bound_of(name, scores["scores"], included, delta=delta),
    )


def _scores(
    artifact: Artifact, suspects: Suspects, chosen: Canaries, real: Table, threads: int | None
) -> Floats:
    """By how many nats less strange canaries [m] are to a fit that met half of them."""
    seed = suspects.seed
    ours, asked = as_learnt(artifact, [real, chosen.table])
    before = _nats(artifact, asked, seed)
    table = joined([ours, asked.rows(chosen.included)])
    if artifact.content.get("privacy"):
        again = _fit_privately(artifact, table, seed, threads)
    else:
        again = _fit(artifact, suspects, table, threads)
    return before - _nats(again, asked, seed)


def canaries(suspects: Suspects, real: Table, holdout: Table) -> Canaries:
    """At most 1,000, and no more than half as many as rows are learnt."""
    most = min(MOST, len(real) // 2)
    found = suspects.rows[1]
    terms = Terms(suspects.model, suspects.codec)(found, 1).sum(axis=1)
    strangest = np.argsort(-terms, kind="stable")[: most // 2]
    natural = holdout.rows(suspects.places[1][strangest])
    rng = stream(suspects.seed, "canaries")
    made = made_up(real, most - len(natural), rng)
    table = joined([natural, made])
    return Canaries(table, rng.random(len(table)) < 0.5)


def made_up(table: Table, rows: int, rng: np.random.Generator) -> Table:
    """`rows` rows whose cells are values of `table`, all values of a column equally likely."""
    columns = []
    for column in table.columns:
        used = np.flatnonzero(column.counts).astype(np.int32)
        codes = rng.choice(used, rows) if len(used) else np.full(rows, -1, np.int32)
        columns.append(Column(column.name, codes, column.levels, column.storage))
    return Table(tuple(columns), table.frame_dtypes)


def _fit(artifact: Artifact, suspects: Suspects, table: Table, threads: int | None) -> Artifact:
    seed = suspects.seed
    rows = read(suspects.model, suspects.codec, table, derive(seed, "spread", "canaries"))
    with side_by_side(threads) as team:
        model = relearn(
            suspects.settings, suspects.codec, rows.tensors, derive(seed, "canaries"), team
        )
    return Artifact(artifact.content, model.state_dict())


def _fit_privately(artifact: Artifact, table: Table, seed: int, threads: int | None) -> Artifact:
    described = metadatas.parse(artifact.content["metadata"], "the model file")
    settings = opening.settings_of(artifact)
    return private.fit(table, described, settings, threads=threads)


def _nats(artifact: Artifact, table: Table, seed: int) -> Floats:
    """[m] in all."""
    model, codec = opening.fitted(artifact)
    rows = readings(model, codec, table, derive(seed, "spread", "asked"))
    found: Floats = Terms(model, codec)(rows, 1).sum(axis=1).astype(np.float64)
    return found
