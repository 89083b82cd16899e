"""Attacks that see released rows alone: how much denser are they around a row than fresh ones are?

- density ratio: distance to the k-th nearest reference row over that to the k-th nearest released
  one (van Breugel et al. 2023, DOMIAS, with nearest neighbours for densities);
- distance difference: the same with k = 1 and a difference (Chen et al. 2020, GAN-Leaks);
- Monte-Carlo ball: released rows within a radius (Hilprecht et al. 2019);
- classifier: trees that tell released from reference rows (Houssiau et al. 2022).

A row's reference are holdout rows: for the second half those of the first, for each quarter of the
first half those of the other quarter. So no row meets itself, and nothing that is chosen on the
first half depends on rows of the second (two rows that are each other's nearest would tie them).
All references have as many rows: distances shrink where there are more, and a threshold that one
half chose would not mean the same on the other.
Exposed rows are the ones furthest from all other real rows,
members or not: whom an attacker would pick (Meeus et al. 2023, Achilles' heels).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from synthvae.audit.neighbours import Neighbours, nearest
from synthvae.audit.points import Points, Space, space_of
from synthvae.audit.sides import Effort, Pool, Tables
from synthvae.evaluation.stats import Bools, Floats, Ints, pick, tree_codes
from synthvae.evaluation.trees import grown
from synthvae.seeds import derive, stream

KS = (1, 5, 20)
_TINY = 1e-6
_EXPOSED_ROWS = 500
_LEAST_EXPOSED, _MOST_EXPOSED = 0.01, 0.25
_BALL_ROWS = 500
_LOPSIDED = 3
_REFERENCE = ((1,), (0,), (0, 1))  # which folds are the reference of each


@dataclass(frozen=True)
class Ground:
    """What the attacks on all released tables share.

    `rows` and `points` [n, D] are those of the pool, `fold` [n] says which of the `references` is a
    row's, `to_reference` [n, k] distances, `released` the synthetic rows that set the scales.
    """

    space: Space
    rows: pd.DataFrame
    points: Points
    fold: Ints
    references: tuple[pd.DataFrame, ...]
    to_reference: Floats
    released: pd.DataFrame
    radius: float


def ground_of(tables: Tables, pool: Pool, effort: Effort, seed: int) -> Ground:
    """Points, references, distances to these, and the radius of the ball.

    The radius is the median distance from a reference row to the nearest released one.
    """
    columns = list(tables.compared)
    released = pick(tables.synthetic[columns], effort.released, stream(seed, "audit", "released"))
    space = space_of(released, seed)
    rows = pool.frame(tables)
    points = space.points(rows)
    fold = _folds(pool)
    references = _references(tables, pool, fold, effort, seed)
    to_reference = np.empty((len(points), min(max(KS), *map(len, references))))
    for number, reference in enumerate(references):
        inside = fold == number
        among = space.points(reference)
        to_reference[inside] = nearest(points[inside], among, to_reference.shape[1]).distances
    probes = space.points(references[-1].head(_BALL_ROWS))
    usual = nearest(probes, space.points(released), 1).distances
    radius = max(float(np.median(usual)), _TINY)
    return Ground(space, rows, points, fold, references, to_reference, released, radius)


def _folds(pool: Pool) -> Ints:
    """0 and 1 for the quarters of the first half, 2 for the second [n]."""
    fold = np.where(pool.second, 2, 0)
    for side in (pool.member, ~pool.member):
        fold[np.flatnonzero(side & ~pool.second)[1::2]] = 1
    return fold


def _references(
    tables: Tables, pool: Pool, fold: Ints, effort: Effort, seed: int
) -> tuple[pd.DataFrame, ...]:
    found = [_reference(tables, pool, fold, each, effort, seed) for each in _REFERENCE]
    least = min(map(len, found))
    rng = stream(seed, "audit", "references")
    return tuple(pick(reference, least, rng) for reference in found)


def _reference(
    tables: Tables, pool: Pool, fold: Ints, taken: tuple[int, ...], effort: Effort, seed: int
) -> pd.DataFrame:
    """Holdout rows of the folds `taken`, and those that are not attacked at all."""
    free = np.ones(len(tables.holdout), bool)
    free[pool.place[~pool.member & ~np.isin(fold, taken)]] = False
    rest = tables.holdout.loc[free, list(tables.compared)]
    return pick(rest, 2 * effort.rows, stream(seed, "audit", "reference", *taken))


def neighbours_in(ground: Ground, released: pd.DataFrame) -> Neighbours:
    """Of each row of the pool among `released` rows."""
    return nearest(ground.points, ground.space.points(released), max(KS), ground.radius)


def distance_scores(ground: Ground, found: Neighbours) -> dict[str, Floats]:
    """Scores [n] by attack, high for rows that released ones gather around."""
    near, fresh = found.distances, ground.to_reference
    scores = {}
    for k in KS:
        ours, theirs = (each[:, min(k, each.shape[1]) - 1] for each in (near, fresh))
        scores[f"density ratio, k = {k}"] = np.log(theirs + _TINY) - np.log(ours + _TINY)
    scores["distance difference"] = fresh[:, 0] - near[:, 0]
    scores["Monte-Carlo ball"] = found.within.astype(np.float64)
    return scores


def classifier_score(ground: Ground, released: pd.DataFrame, effort: Effort, seed: int) -> Floats:
    """Log odds [n] of being a released row, from trees that never saw the row."""
    scores = np.empty(len(ground.rows))
    for number, reference in enumerate(ground.references):
        rng = stream(seed, "audit", "classifier", number)
        taken = pick(released, _LOPSIDED * len(reference), rng)
        inside = ground.fold == number
        (fake, fresh, tested), categorical = tree_codes(
            taken, [taken, reference, ground.rows[inside]]
        )
        model = HistGradientBoostingClassifier(
            max_iter=effort.trees,
            categorical_features=categorical,
            early_stopping=False,
            random_state=derive(seed, "audit", "trees", number) % 2**32,
        )
        grown(model, np.vstack([fake, fresh]), np.repeat([1, 0], [len(fake), len(fresh)]))
        scores[inside] = model.decision_function(tested)
    return scores


def released_scores(
    ground: Ground, released: pd.DataFrame, effort: Effort, seed: int
) -> tuple[Mapping[str, Floats], Neighbours]:
    """All attacks on one table, and the neighbours that they rest on."""
    found = neighbours_in(ground, released)
    scores = distance_scores(ground, found)
    scores["classifier"] = classifier_score(ground, released, effort, seed)
    return scores, found


def exposed_rows(ground: Ground, pool: Pool, seed: int) -> Bools:
    """The rows [n] furthest from the other real ones, chosen without a look at who is a member.

    One in a hundred, or as many as bring 500 of the smaller side, at most a quarter. Which of
    equally far ones (a coarse table has many), `seed` says.
    """
    alone = nearest(ground.points, ground.points, 6).distances[:, -1]  # the nearest is itself
    smaller = max(min(int(pool.member.sum()), int((~pool.member).sum())), 1)
    share = min(max(_EXPOSED_ROWS / smaller, _LEAST_EXPOSED), _MOST_EXPOSED)
    lots = stream(seed, "audit", "exposed").random(len(alone))
    chosen = np.lexsort((lots, alone))[-math.ceil(share * len(alone)) :]
    exposed = np.zeros(len(alone), bool)
    exposed[chosen] = True
    return exposed
