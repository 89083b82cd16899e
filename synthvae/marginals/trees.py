"""Bins of a number, found by counting: wide ones first, then, where rows are many, narrow ones.

A histogram over the whole declared range has too few rows in a bin where the range is wide, and too
little detail where rows are dense. So a few wide nodes are counted with noise, those that hold many
rows are cut into narrow ones and counted again, down to single values (as PrivTree does, Zhang et
al. 2016, but with a fixed number of levels, so that the noise is Gaussian and known beforehand).
Which nodes are cut follows from noisy counts, so it costs nothing. A node that was cut is counted
twice, itself and as the sum of its children: all counts are brought to agree, as least squares has
it (Hay et al. 2010), so that a range is no noisier than the widest nodes it is made of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes
from synthvae.privacy.ledger import Ledger

WIDEST = 256  # nodes of the first level, at most
CHILDREN = 16
SURE = 5.0  # standard deviations of noise
ATOM_SHARE = 0.003  # of the rows: a single value that holds as many is a bin of its own
BIN_SHARE = 1 / 64  # bins are joined until they hold as many
_LIKE = 8.0  # densities that differ by less may share a bin

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """Bin i begins at grid point `starts`[i]; `counts` of the bins and then of missing, if it was
    counted, noisy, with standard deviations `sigmas` at most."""

    starts: Classes
    counts: Counts
    sigmas: Counts


def levels(cells: int) -> int:
    """How many times `cells` grid points are counted."""
    return max(math.ceil(math.log(max(cells / WIDEST, 1), CHILDREN) - 1e-9), 0) + 1


@dataclass
class _Level:
    """Nodes [n] of one width, from grid points `starts` on: noisy counts, which of them are `cut`,
    and the place of each one's parent in the level above."""

    starts: Classes
    counts: Counts
    width: int
    parents: Classes
    cut: NDArray[np.bool_]


def count_bins(
    ledger: Ledger,
    stage: str,
    name: str,
    index: Classes,
    cells: int,
    share: float,
    nullable: bool = True,
) -> Bins:
    """Bins of `index` [N], grid points below `cells` or, if it is `nullable`, -1 for missing, for
    `share` of the budget."""
    each, width = share / levels(cells), CHILDREN ** (levels(cells) - 1)
    nodes = np.arange(0, cells, width)
    own = np.where(index < 0, len(nodes), index // width)
    noisy = ledger.counts(stage, name, np.bincount(own, minlength=len(nodes) + nullable), each)
    counts, missing, sigma = noisy.values[: len(nodes)], noisy.values[len(nodes) :], noisy.sigma
    enough = max(SURE * sigma, ATOM_SHARE * noisy.values.sum())
    tree = [_Level(nodes, counts, width, np.zeros(len(nodes), np.int64), counts > enough)]
    while width > 1:
        above, width = tree[-1], width // CHILDREN
        parents = above.starts[above.cut]
        nodes = (parents[:, None] + width * np.arange(CHILDREN)).ravel()
        noisy = ledger.counts(stage, name, _below(index, parents, width), each)
        inside = nodes < cells
        of = np.repeat(np.flatnonzero(above.cut), CHILDREN)[inside]
        counts = noisy.values[inside]
        tree.append(_Level(nodes[inside], counts, width, of, counts > enough))
    tree[-1].cut[:] = False
    _agree(tree, sigma)
    starts, held, widths = _in_order(tree)
    at, sums = _joined(starts, held, widths, sigma, enough, held.sum() + missing.sum())
    times = np.append(_times(tree, at), np.ones(len(missing)))
    return Bins(at, np.append(sums, missing), sigma * np.sqrt(times))


def _below(index: Classes, parents: Classes, width: int) -> NDArray[np.int64]:
    """Rows in each child [parents * CHILDREN] of `parents`, which begin at these grid points."""
    if not len(parents):
        return np.zeros(0, np.int64)
    parent = np.searchsorted(parents, index, side="right") - 1
    child = (index - parents[np.maximum(parent, 0)]) // width
    inside = (parent >= 0) & (child < CHILDREN)
    return np.bincount(parent[inside] * CHILDREN + child[inside], minlength=len(parents) * CHILDREN)


def _agree(tree: list[_Level], sigma: float) -> None:
    """Make the count of each node that was cut the sum of its children's, with as little change as
    can be: first up, each weighed by its variance, then what is left over down."""
    own = sigma**2
    variances = [np.full(len(level.counts), own) for level in tree]
    sums = []
    for at in range(len(tree) - 1, 0, -1):
        above, level, cut = tree[at - 1], tree[at], tree[at - 1].cut
        sizes = len(above.counts)
        total = np.bincount(level.parents, level.counts, sizes)
        spread = np.bincount(level.parents, variances[at], sizes)
        sums.append((total, spread))
        closer = above.counts + (total - above.counts) * own / (own + spread)
        above.counts = np.where(cut, closer, above.counts)
        variances[at - 1] = np.where(cut, own * spread / (own + spread), own)
    for at, (total, spread) in zip(range(1, len(tree)), reversed(sums), strict=True):
        level, parents = tree[at], tree[at].parents
        off = (tree[at - 1].counts - total)[parents]
        level.counts = level.counts + off * variances[at] / spread[parents]


def _times(tree: list[_Level], starts: Classes) -> Counts:
    """How many nodes each bin is made of, the widest that do."""
    times = np.zeros(len(starts))
    inside = np.ones(0, bool)  # which nodes of the level above are within one bin
    for at, level in enumerate(tree):
        first = np.searchsorted(starts, level.starts, side="right")
        last = np.searchsorted(starts, level.starts + level.width - 1, side="right")
        whole = first == last
        new = whole if at == 0 else whole & ~inside[level.parents]
        times += np.bincount(first[new] - 1, minlength=len(starts))
        inside = whole
    return times


def _in_order(tree: list[_Level]) -> tuple[Classes, Counts, Counts]:
    """Where the nodes begin that were not cut, their counts and widths."""
    starts = np.concatenate([level.starts[~level.cut] for level in tree])
    counts = np.concatenate([level.counts[~level.cut] for level in tree])
    widths = np.concatenate([np.full((~level.cut).sum(), float(level.width)) for level in tree])
    order = np.argsort(starts)
    return starts[order], counts[order], widths[order]


def _joined(
    starts: Classes,
    counts: Counts,
    widths: Counts,
    sigma: float,
    enough: float,
    rows: float,
) -> tuple[Classes, Counts]:
    """Neighbours joined until they hold enough rows to be told from noise, ranges until they hold
    BIN_SHARE too; single values that hold many apart: where bins begin, and their counts."""
    wanted = max(SURE * sigma, BIN_SHARE * rows)
    groups: list[list[float]] = []  # start, count, width, joined, closed
    for start, count, width in zip(starts.tolist(), counts.tolist(), widths.tolist(), strict=True):
        atom = width == 1 and count > enough
        last = groups[-1] if groups else None
        if last is None or atom or last[4] or _unlike(last, count, width, sigma):
            groups.append([start, count, width, 1, atom or count >= wanted])
            continue
        last[1], last[2], last[3] = last[1] + count, last[2] + width, last[3] + 1
        single = last[2] == last[3]
        last[4] = last[1] >= (SURE * sigma if single else wanted)
    at, sums, *_ = (np.array(part, np.float64) for part in zip(*groups, strict=True))
    return at.astype(np.int64), sums


def _unlike(group: list[float], count: float, width: float, sigma: float) -> bool:
    """Whether rows are so much denser on one side that a common bin would smear them."""
    own = sigma * math.sqrt(group[3])
    if group[1] < SURE * own and count < SURE * sigma:
        return False
    one, other = max(group[1], own) / group[2], max(count, sigma) / width
    return max(one, other) > _LIKE * min(one, other)
