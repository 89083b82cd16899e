"""The audit audited: does it stay silent where nothing is, and speak where something is?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from synthvae.audit.copies import exact_copies
from synthvae.audit.membership import Ground, distance_scores
from synthvae.audit.neighbours import Neighbours, nearest
from synthvae.audit.records import Control
from synthvae.audit.roc import auc, auc_interval
from synthvae.audit.shares import excess_interval
from synthvae.audit.sides import Effort, Pool, Tables
from synthvae.audit.trial import LEAST, Candidate, strongest, tried
from synthvae.evaluation.records import Interval
from synthvae.evaluation.stats import Bools, tree_codes
from synthvae.evaluation.trees import grown
from synthvae.seeds import derive, stream

NULL = "null control"
DRIFT = "drift control"
POSITIVE = "positive control, attacks"
POSITIVE_COPIES = "positive control, copies"
LEAKED = 0.01
SURE = 0.99
NOTICED = 0.52
"""A difference of the tables that is smaller than this AUC can't carry an attack to a limit."""
_NOTHING = Interval(0.0, 1.0)


def null_control(candidates: list[Candidate], pool: Pool, seed: int) -> Control:
    """Holdout rows against holdout rows: the strongest attack must find nothing."""
    rng = stream(seed, "audit", "null")
    rows = np.flatnonzero(~pool.member)
    played = np.zeros(len(pool.member), bool)
    played[rng.permutation(rows)[: len(rows) // 2]] = True
    silent = [
        Candidate(c.name, c.access, c.who, np.where(pool.member, np.nan, c.scores))
        for c in candidates
    ]
    attacks, _ = tried(silent, played, pool.second, seed=seed)
    best = strongest(attacks, "auc")
    if best is None:
        return _unable(NULL, "too few holdout rows", seed)
    interval = auc_interval(best.auc, best.error, min(best.members, best.others), SURE)
    note = f"half of the holdout played the members; '{best.name}' was the strongest"
    passed = interval.low <= 0.5
    return Control(NULL, passed, best.auc, interval, best.members, best.others, note, seed)


def drift_control(ground: Ground, pool: Pool, effort: Effort, seed: int) -> Control:
    """Trees that look at the rows alone must not tell training from holdout rows.

    If they do, the tables were drawn differently (by time, by place), and attacks tell them apart
    for that reason.
    """
    first, second = ~pool.second, pool.second
    sides = [int((half & side).sum()) for half in (first, second) for side in _sides(pool)]
    if min(sides) < LEAST:
        return _unable(DRIFT, "too few rows", seed)
    reference = ground.rows[first]
    (known, tested), categorical = tree_codes(reference, [reference, ground.rows[second]])
    model = HistGradientBoostingClassifier(
        max_iter=effort.trees,
        categorical_features=categorical,
        early_stopping=False,
        random_state=derive(seed, "audit", "drift") % 2**32,
    )
    grown(model, known, pool.member[first])
    scores, member = model.decision_function(tested), pool.member[second]
    value, error = auc(scores[member], scores[~member])
    interval = auc_interval(value, error, min(sides[2:]), SURE)
    note = "trees told real from holdout rows by their values"
    return Control(DRIFT, interval.low <= NOTICED, value, interval, sides[2], sides[3], note, seed)


def _sides(pool: Pool) -> tuple[Bools, Bools]:
    return pool.member, ~pool.member


def positive_control(
    ground: Ground, pool: Pool, found: Neighbours, limit: float, seed: int
) -> Control:
    """Rows of which copies are released: the attacks must put them above the limit."""
    rng = stream(seed, "audit", "positive")
    leaked: list[int] = []
    for half in (False, True):
        members = np.flatnonzero(pool.member & (pool.second == half))
        leaked += list(rng.permutation(members)[: max(LEAST, round(LEAKED * len(members)))])
    added = nearest(ground.points, ground.points[leaked], found.distances.shape[1], ground.radius)
    scores = distance_scores(ground, found.joined(added))
    attacked = ~pool.member
    attacked[leaked] = True
    candidates = [
        Candidate(name, "released table", "all rows", np.where(attacked, each, np.nan))
        for name, each in scores.items()
    ]
    best = strongest(tried(candidates, pool.member, pool.second, seed=seed)[0], "auc")
    if best is None:
        return _unable(POSITIVE, "too few rows", seed)
    note = f"{len(leaked)} training rows were copied in; '{best.name}' was the strongest"
    passed = best.interval.low > limit
    return Control(POSITIVE, passed, best.auc, best.interval, best.members, best.others, note, seed)


def positive_copies(tables: Tables, pool: Pool, seed: int) -> Control:
    """1 % of the training rows are copied in: the count of copies must rise above chance."""
    columns = list(tables.compared)
    once = pool.once["real"], pool.once["holdout"]
    rng = stream(seed, "audit", "positive", "copies")
    places = rng.permutation(np.flatnonzero(once[0]))
    leaked = tables.real[columns].iloc[places[: max(LEAST, round(LEAKED * len(places)))]]
    released = pd.concat([tables.synthetic[columns], leaked], ignore_index=True)
    found = exact_copies((tables.real[columns], tables.holdout[columns]), released, once)
    training, control = found.rates()
    if not training.n or not control.n:
        return _unable(POSITIVE_COPIES, "no row stands once", seed)
    interval = excess_interval(training, control)
    value = training.value - control.value
    note = f"{len(leaked)} training rows were copied in; value: exact copies beyond chance"
    return Control(
        POSITIVE_COPIES, interval.low > 0, value, interval, training.n, control.n, note, seed
    )


def _unable(name: str, why: str, seed: int) -> Control:
    return Control(name, None, float("nan"), _NOTHING, 0, 0, f"not made: {why}", seed)
