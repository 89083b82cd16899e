"""Every attack that the given tables and scores allow, as scores of the rows of the pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from synthvae.audit.combine import combined
from synthvae.audit.membership import Ground, exposed_rows, released_scores
from synthvae.audit.neighbours import Neighbours
from synthvae.audit.records import Access, RowScores
from synthvae.audit.sides import Effort, Pool, Tables
from synthvae.audit.trial import Candidate
from synthvae.evaluation.stats import Floats, pick
from synthvae.seeds import stream

TOGETHER = "all attacks on the table together"


def candidates_of(
    tables: Tables,
    ground: Ground,
    pool: Pool,
    given: Mapping[str, RowScores],
    effort: Effort,
    seed: int,
) -> tuple[list[Candidate], Neighbours]:
    """Every attack, on all and on exposed rows, and the neighbours in the released table."""
    found: list[Candidate] = []
    scores, neighbours = released_scores(ground, ground.released, effort, seed)
    everything = dict(scores)
    found += [Candidate(name, "released table", "all rows", each) for name, each in scores.items()]
    if tables.more is not None:
        columns = list(tables.compared)
        rng = stream(seed, "audit", "more")
        larger = pick(tables.more[columns], effort.more, rng)
        scores, _ = released_scores(ground, larger, effort, seed)
        found += [Candidate(name, "larger table", "all rows", e) for name, e in scores.items()]
        everything |= {f"{name}, larger": each for name, each in scores.items()}
    access: Access = "released table" if tables.more is None else "larger table"
    terms = np.column_stack(list(everything.values()))
    together = combined(terms, pool.member, pool.second)
    found.append(Candidate(TOGETHER, access, "all rows", together))
    for name, rows in given.items():
        found.append(Candidate(name, rows.access, "all rows", _of_pool(rows, pool)))
    exposed = exposed_rows(ground, pool, seed)
    found += [
        replace(each, who="exposed rows", scores=np.where(exposed, each.scores, np.nan))
        for each in found
    ]
    return found, neighbours


def _of_pool(rows: RowScores, pool: Pool) -> Floats:
    """One score for each row of the pool [n]."""
    ours = np.asarray(rows.real, float)[pool.place[pool.member]]
    theirs = np.asarray(rows.holdout, float)[pool.place[~pool.member]]
    joined = np.concatenate([ours, theirs])
    if joined.ndim == 1:
        return np.where(np.isfinite(joined), joined, np.nan)
    return combined(joined, pool.member, pool.second)
