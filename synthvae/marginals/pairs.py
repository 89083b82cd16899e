"""Counts of pairs of columns: as many cells as the dependence that they show is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from synthvae.marginals.axes import Classes
from synthvae.marginals.choosing import FEWEST, candidates, choose
from synthvae.marginals.measure import count, view
from synthvae.marginals.shares import Joint, OneWay, noise_of
from synthvae.privacy.ledger import Ledger

FINE_NOISE = 0.5  # of a count, as a share of the dependence that is being measured


def count_pairs(
    ledger: Ledger,
    classes: Classes,
    ones: Sequence[OneWay],
    rows: float,
    scores: float,
    counts: float,
) -> list[Joint]:
    """Noisy counts of pairs of columns of `classes` [N, d], most dependent first, for the shares
    `scores` and `counts` of the budget; `rows`: a noisy number of rows."""
    if len(ones) < 2:
        return []
    found = candidates(ledger, classes, ones, rows, scores)
    chosen = choose(found, ledger.sigma(counts) / rows)
    noise = noise_of(1, ledger.sigma(counts, math.sqrt(len(chosen))) / rows)
    views = []
    for at in chosen:
        cells = max(found.far[at] * FINE_NOISE / noise, FEWEST)
        views.append(view(ones, found.pairs[at], cells))
    return count(ledger, "pairs", "dependent pairs", views, classes, rows, counts)
