"""The likelihood-ratio attack: how unusual is a row's score among models that did not see it?

Carlini et al. (2022), Membership inference attacks from first principles, arXiv 2112.03570.
`target` [rows] is the audited model's score of each row, `scores` [models, rows] those of shadow
models, `member` [models, rows] who was trained on what. Higher results speak for membership if
members' scores are higher; the audit finds the direction.
"""

from __future__ import annotations

import warnings

import numpy as np

from synthvae.evaluation.stats import Bools, Floats

FEW = 32
"""Below as many models a row's own deviation is too rough, and all rows share one."""

LIMIT = 3.0
"""Nats by which a column may speak for or against membership."""
_ROUNDS = 2


def online(target: Floats, scores: Floats, member: Bools) -> Floats:
    """log N(score; models with the row) - log N(score; models without it) [rows].

    NaN for a row that all models, or none, were trained on.
    """
    mean_in, spread_in = _moments(scores, member)
    mean_out, spread_out = _moments(scores, ~member)
    inside = -np.log(spread_in) - ((target - mean_in) / spread_in) ** 2 / 2
    outside = -np.log(spread_out) - ((target - mean_out) / spread_out) ** 2 / 2
    return np.asarray(inside - outside)


def midway(target: Floats, scores: Floats) -> Floats:
    """How far a row's score lies above the middle between models with and without it [rows].

    Of several terms: `target` [rows, K], `scores` [models, rows, K], of models of which half were
    trained on each row, so that their mean is the middle. Where all rows have one deviation and
    one distance between the two, the likelihood ratio rises with it; few models can't tell more.
    Terms have heavy tails, so the mean is Huber's, from the median on, and none counts for more
    than LIMIT.
    """
    middle = np.median(scores, axis=0)
    for _ in range(_ROUNDS):
        middle = middle + np.clip(scores - middle, -LIMIT, LIMIT).mean(axis=0)
    return np.asarray(np.clip(target - middle, -LIMIT, LIMIT).sum(axis=1))


def offline(target: Floats, scores: Floats, member: Bools) -> Floats:
    """(score - mean) / deviation over models that never saw the row [rows], NaN if all did.

    It needs no model that was trained on the row, so shadows can be trained once for all.
    """
    mean, spread = _moments(scores, ~member)
    return np.asarray((target - mean) / spread)


def _moments(scores: Floats, chosen: Bools) -> tuple[Floats, Floats]:
    """Mean and deviation of each row's chosen scores."""
    kept = np.where(chosen & np.isfinite(scores), scores, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without scores: NaN is meant
        mean = np.nanmean(kept, axis=0)
        variance = np.nanvar(kept, axis=0, ddof=1)
        pooled = np.nanmean(variance)
    if len(scores) < FEW:
        variance = np.full(len(mean), pooled)
    return mean, np.sqrt(np.maximum(variance, 1e-12))
