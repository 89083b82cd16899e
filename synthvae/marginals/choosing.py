"""Which pairs of columns are counted.

A score says how far a pair is from independence: by how many rows its counts differ from what
single columns make expected (McKenna et al. 2022 choose by it). One row stands in one cell, so it
moves a score by one at most.

The more pairs share a release of scores, the noisier it is. Where columns are many, half of it goes
to exponential mechanisms that choose the likeliest PARTNERS of each column, and half to a closer
look at these. Noisy scores, of them or of all pairs, say how many pairs are worth a count. Which
ones: the best partners of every column before the second best of any, since a column that depends
on others a little, as a target of two classes does, depends on nothing at all without a count.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes
from synthvae.marginals.shares import MEAN_ABS, Columns, OneWay, Shares, alone, table_of
from synthvae.privacy.ledger import Ledger

SCORED = 12  # classes of a column in scores, at most
PARTNERS = 12  # of a column, that are looked at more closely
FEWEST = 9.0  # cells of a count
WORTH = 2.0  # a pair is counted if it is farther than the noise of so many counts of FEWEST cells
MOST_CHOSEN = 600


@dataclass(frozen=True)
class Candidates:
    """Pairs of columns [m] that may be worth a count, and their noisy distances [m] from
    independence, in total variation."""

    pairs: Sequence[Columns]
    far: Shares


def candidates(
    ledger: Ledger, classes: Classes, ones: Sequence[OneWay], rows: float, share: float
) -> Candidates:
    """Of the columns of `classes` [N, d], two or more, for `share` of the budget; `rows`: a noisy
    number of rows. Takes time in proportion to rows and pairs.

    What chance and the noise of single columns make of a distance is left in: less of both, 5,000
    rows came out worse (docs/log.md). So of many rows nearly all pairs are counted."""
    pairs = list(itertools.combinations(range(len(ones)), 2))
    scores = _scores(classes, ones, pairs, rows)
    if PARTNERS * len(ones) < len(pairs):
        share /= 2
        likely = _likely(ledger, scores, len(ones), share)
        pairs, scores = [pairs[at] for at in likely], scores[likely]
    noisy = ledger.counts("pairs", "scores of pairs", scores, share, math.sqrt(len(pairs)))
    return Candidates(pairs, noisy.values / rows / 2)


def choose(found: Candidates, sigma: float) -> Classes:
    """The places of the pairs [k] to count, the farthest first: as many as are farther than what
    noise makes of WORTH small counts, where k of them share a budget that buys one of noise `sigma`
    a cell; MOST_CHOSEN at most. Of the k places each column's best pair has one before any column's
    second best, even where it is no farther than noise. One at least: a share that is spent or not
    as the scores have it would be an unplanned cost."""
    order = np.argsort(-found.far, kind="stable")
    noise = 0.5 * MEAN_ABS * sigma * np.sqrt(np.arange(1, len(order) + 1))
    worth = np.count_nonzero(found.far[order] > WORTH * FEWEST * noise)
    most = min(max(worth, 1), MOST_CHOSEN)
    first = np.argsort(_ranks(found.pairs, order)[order], kind="stable")
    return np.asarray(order[np.sort(first[:most])])


def _ranks(pairs: Sequence[Columns], order: Classes) -> Classes:
    """How many pairs [m] of a column are farther than each pair, of the one of its two columns that
    has fewer such pairs."""
    farther: dict[int, int] = {}
    ranks = np.empty(len(pairs), np.int64)
    for at in order:
        ranks[at] = min(farther.get(column, 0) for column in pairs[at])
        for column in pairs[at]:
            farther[column] = farther.get(column, 0) + 1
    return ranks


def _scores(
    classes: Classes, ones: Sequence[OneWay], pairs: Sequence[Columns], rows: float
) -> Classes:
    """Of all pairs [M], not noised. In whole rows, so that one row moves a score by one exactly,
    whatever floats round."""
    groups = [one.groups(SCORED) for one in ones]
    scores = np.empty(len(pairs), np.int64)
    for at, (i, j) in enumerate(pairs):
        own = groups[i], groups[j]
        expected = np.rint(rows * alone((i, j), own, ones)).astype(np.int64)
        scores[at] = np.abs(table_of(classes, (i, j), own) - expected).sum()
    return scores


def _likely(ledger: Ledger, scores: Classes, columns: int, share: float) -> NDArray[np.int64]:
    """Places of the pairs [m] that are among the likeliest of one of their columns."""
    first, second = np.triu_indices(columns, 1)
    place = np.zeros((columns, columns), np.int64)
    place[first, second] = place[second, first] = np.arange(len(scores))
    others = place[~np.eye(columns, dtype=bool)].reshape(columns, columns - 1)
    chosen = ledger.best("pairs", "partners of each column", scores[others], PARTNERS, share)
    return np.unique(np.take_along_axis(others, chosen, axis=1))
