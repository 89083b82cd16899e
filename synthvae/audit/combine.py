"""One score out of several: a logistic regression on ranks, trained on other rows."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from synthvae.evaluation.stats import Bools, Floats


def combined(terms: Floats, member: Bools, second: Bools) -> Floats:
    """Scores [n] of rows with `terms` [n, K], NaN where a term is missing.

    Rows of the second half are scored by a model of the first. Rows of the first are scored by
    models of one quarter for the other, so that the first half tells how good the combination is.
    """
    scores = np.full(len(terms), np.nan)
    known = np.flatnonzero(np.isfinite(terms).all(axis=1))
    first = known[~second[known]]
    for train, test in (
        (first[::2], first[1::2]),
        (first[1::2], first[::2]),
        (first, known[second[known]]),
    ):
        if len(np.unique(member[train])) < 2 or not len(test):
            continue
        model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=200)
        model.fit(_features(terms[train], terms[train]), member[train])
        scores[test] = model.decision_function(_features(terms[test], terms[train]))
    return scores


def _features(terms: Floats, among: Floats) -> Floats:
    """Ranks [n, 2 K] in -1 to 1, and how far from the middle: odd scores tell in both tails."""
    ordered = np.sort(among, axis=0)
    ranks = np.column_stack(
        [
            np.searchsorted(ordered[:, k], terms[:, k], "left")
            + np.searchsorted(ordered[:, k], terms[:, k], "right")
            for k in range(terms.shape[1])
        ]
    )
    centred = ranks / len(among) - 1
    return np.hstack([centred, centred**2])
