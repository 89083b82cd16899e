"""Rows weighed until they meet what was counted.

A model that was trained on rows knows more than counts of pairs do, and blurs what those had right.
Iterative proportional fitting (Deming & Stephan 1940) gives its rows weights by which counts of all
pairs become those of the mixture, and leaves what they say of three columns and more nearly as it
was. Both model and mixture are released, so it is free of cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes
from synthvae.marginals.measure import TwoWay, TwoWays
from synthvae.marginals.mixture import Mixture

PASSES = 15
_GENTLY = 0.7  # exponent of a correction, since every pass makes one for each pair
_MOST = 3.0  # factor of a single correction
_RANGE = (0.02, 50.0)  # of weights, beside their mean
_EMPTY = 1e-7  # share of rows

Weights = NDArray[np.float64]


def weighed(classes: Classes, mixture: Mixture, pairs: TwoWays) -> Weights:
    """Weights [N] of rows of `classes` [N, d], by which their counts of `pairs` are those of
    `mixture`."""
    cells = [(_cells(classes, pair), _shares(mixture, pair)) for pair in _finest(pairs)]
    weights = np.ones(len(classes))
    for _ in range(PASSES):
        for cell, wanted in cells:
            found = np.bincount(cell, weights, len(wanted)) / weights.sum()
            ratio = ((wanted + _EMPTY) / (found + _EMPTY)).clip(1 / _MOST, _MOST)
            weights *= ratio[cell] ** _GENTLY
        low, high = (weights.mean() * end for end in _RANGE)
        weights = weights.clip(low, high)
    return weights


def taken(weights: Weights, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`rows` indices, each as often as its weight says, up to one; in no order."""
    ends = np.cumsum(weights)
    places = (np.arange(rows) + rng.random()) / max(rows, 1) * ends[-1]
    return rng.permutation(np.searchsorted(ends, places).clip(max=len(weights) - 1))


def _finest(pairs: TwoWays) -> Iterator[TwoWay]:
    """Each pair once, in the finest groups it was counted in."""
    chosen = {pair.columns for pair in pairs.chosen}
    yield from pairs.chosen
    yield from (pair for pair in pairs.every if pair.columns not in chosen)


def _cells(classes: Classes, pair: TwoWay) -> NDArray[np.unsignedinteger[Any]]:
    (i, j), (a, b) = pair.columns, pair.groups
    cells = a[classes[:, i]] * (b.max() + 1) + b[classes[:, j]]
    return np.asarray(cells, np.min_scalar_type(cells.max(initial=0)))  # all pairs stay in memory


@torch.no_grad()
def _shares(mixture: Mixture, pair: TwoWay) -> Weights:
    """What the mixture says of the cells of a pair, row by row."""
    shares, weights = mixture()
    columns = torch.split(shares.double(), mixture.sizes, 1)
    one, other = (
        columns[column] @ torch.from_numpy(group[:, None] == np.arange(group.max() + 1)).double()
        for column, group in zip(pair.columns, pair.groups, strict=True)
    )
    return np.asarray(((one * weights.double()[:, None]).T @ other).flatten())
