"""A row is in one node of each level; what is dense is cut, what is sparse is joined."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.marginals import trees
from synthvae.marginals.trees import (
    ATOM_SHARE,
    CHILDREN,
    SURE,
    WIDEST,
    Bins,
    count_bins,
    levels,
)

MakeLedger = Callable[..., Any]
RNG = np.random.default_rng(1)
CELLS = [1, 2, 255, 256, 257, 4096, 5000, 70_000, 1 << 24]


def bins_of(ledger: Any, index: Any, cells: int, share: float = 0.5) -> Bins:
    return count_bins(ledger, "one-way", "a", np.asarray(index, np.int64), cells, share)


def spread(cells: int, rows: int = 3000) -> np.ndarray[Any, Any]:
    """Grid points, dense around one, at both ends, and missing."""
    dense = np.rint(RNG.normal(cells / 3, cells / 50, rows)).clip(0, cells - 1)
    return np.concatenate([dense, [0, cells - 1], np.full(40, -1)]).astype(np.int64)


@pytest.mark.parametrize("cells", CELLS)
def test_every_row_is_in_one_bin(cells: int, make_ledger: MakeLedger) -> None:
    """Without noise, counts of bins are those of the rows that fall between their starts."""
    index = spread(cells)
    ledger = make_ledger()
    bins = bins_of(ledger, index, cells)
    assert bins.starts[0] == 0
    assert (np.diff(bins.starts) > 0).all()
    assert bins.starts[-1] < cells
    place = np.searchsorted(bins.starts, index[index >= 0], side="right") - 1
    exact = np.append(np.bincount(place, minlength=len(bins.starts)), 40)
    assert bins.counts.tolist() == exact.tolist()
    assert bins.counts.sum() == len(index)
    assert len(ledger.asked) == levels(cells)
    assert ledger.left == pytest.approx(0.5)


@pytest.mark.parametrize("cells", CELLS)
def test_one_row_more_moves_each_release_by_one_at_most(
    cells: int, make_ledger: MakeLedger, make_door: Callable[..., Any]
) -> None:
    index = spread(cells)
    first = make_ledger()
    bins_of(first, index, cells)
    moved = 0.0
    for new in sorted({-1, 0, cells // 3, cells // 2, cells - 1}):
        second = make_door(first.budget, 0.1, first)
        bins_of(second, np.append(index, new), cells)
        for before, after in zip(first.asked, second.asked, strict=True):
            assert before.public == after.public
            assert np.linalg.norm(after.counts - before.counts) <= before.sensitivity == 1.0
            moved += np.abs(after.counts - before.counts).sum()
    assert moved >= 2


def test_levels_go_down_to_single_values() -> None:
    assert [levels(cells) for cells in (1, WIDEST, WIDEST + 1, WIDEST * CHILDREN)] == [1, 1, 2, 2]
    assert levels(1 << 24) == 5


def test_a_value_that_many_rows_have_is_a_bin_of_its_own(make_ledger: MakeLedger) -> None:
    cells, spike = 100_000, 31_415
    index = np.concatenate([np.full(900, spike), RNG.integers(0, cells, 9000)])
    bins = bins_of(make_ledger(3.0, scale=1.0), index, cells)
    at = int(np.searchsorted(bins.starts, spike))
    assert bins.starts[at] == spike
    assert bins.starts[at + 1] == spike + 1
    assert bins.counts[at] == pytest.approx(900, abs=60)


def test_bins_follow_a_heavy_tail(make_ledger: MakeLedger) -> None:
    """Half of the rows stand in the lowest 2 % of the range; no bin holds more than a sixth of the
    rows."""
    cells = 1_000_000
    index = np.rint(RNG.lognormal(9, 1.2, 20_000)).clip(0, cells - 1)
    assert np.median(index) < 0.02 * cells
    bins = bins_of(make_ledger(1.0, scale=1.0), index, cells)
    assert bins.counts[:-1].max() < len(index) / 6
    assert np.searchsorted(bins.starts, np.median(index)) > 10


def test_noise_alone_makes_few_bins(make_ledger: MakeLedger) -> None:
    bins = bins_of(make_ledger(1.0, scale=1.0), [], 1 << 24)
    assert len(bins.starts) < 100
    assert np.abs(bins.counts).max() < 6 * bins.sigmas.max()


def test_deviations_are_those_of_what_was_joined(make_ledger: MakeLedger) -> None:
    """Sums of k noisy counts err by sqrt(k) deviations; over many seeds that is what they do."""
    ledger = make_ledger(1.0, scale=1.0)
    index = RNG.integers(0, 256, 5000)
    off = []
    for _ in range(60):
        bins = bins_of(ledger, index, 256, 0.01)
        place = np.searchsorted(bins.starts, index, side="right") - 1
        exact = np.append(np.bincount(place, minlength=len(bins.starts)), 0)
        off.append((bins.counts - exact) / bins.sigmas)
    assert np.concatenate(off).std() == pytest.approx(1, abs=0.15)
    assert bins.sigmas.max() > 2 * bins.sigmas.min()


def test_counts_of_nodes_and_of_their_children_agree_as_least_squares_has_it(
    make_ledger: MakeLedger,
) -> None:
    cells = WIDEST * CHILDREN
    ledger = make_ledger(1.0, scale=1.0)
    index = np.rint(RNG.normal(cells / 2, cells / 200, 4000)).clip(0, cells - 1).astype(np.int64)
    bins = bins_of(ledger, index, cells, 0.05)
    wide, narrow = (noisy.values for noisy in ledger.released)
    cut = np.flatnonzero(wide[:-1] > bins_enough(ledger, wide))
    leaf_of = np.repeat(np.arange(WIDEST), CHILDREN)
    equations = [(leaf_of == node).astype(float) for node in range(WIDEST)]
    told = wide[:-1].tolist()
    for node, counts in zip(cut, narrow.reshape(-1, CHILDREN), strict=True):
        equations += list(np.eye(cells)[node * CHILDREN : (node + 1) * CHILDREN])
        told += counts.tolist()
    leaves = np.linalg.lstsq(np.array(equations), np.array(told), rcond=None)[0]
    own = np.add.reduceat(leaves, bins.starts)
    assert bins.counts[:-1] == pytest.approx(own, abs=1e-6)


def bins_enough(ledger: Any, wide: Any) -> float:
    return max(SURE * ledger.released[0].sigma, ATOM_SHARE * wide.sum())


def test_a_range_is_no_noisier_than_the_nodes_it_is_made_of(make_ledger: MakeLedger) -> None:
    """Half of a range of five levels is 128 nodes, many of them cut down to single values."""
    cells, off = WIDEST * CHILDREN**4, []
    ledger = make_ledger(1.0, scale=1.0)
    index = np.rint(RNG.normal(cells / 4, cells / 100, 20_000)).clip(0, cells - 1).astype(np.int64)
    for _ in range(30):
        bins = bins_of(ledger, index, cells, 0.01)
        place = np.searchsorted(bins.starts, index, side="right") - 1
        exact = np.append(np.bincount(place, minlength=len(bins.starts)), 0)
        off.append((bins.counts - exact) / bins.sigmas)
    assert np.concatenate(off).std() < 1.1
    assert bins.sigmas.max() / bins.sigmas.min() < np.sqrt(WIDEST)


def test_a_bin_is_made_of_the_widest_nodes_that_it_holds_whole() -> None:
    """Three nodes of 16 values, of which the outer ones were cut into single values."""
    wide = trees._Level(
        np.array([0, 16, 32]), np.zeros(3), 16, np.zeros(3, int), np.array([True, False, True])
    )
    below = np.array([*range(16), *range(32, 48)])
    single = trees._Level(below, np.zeros(32), 1, below // 16, np.zeros(32, bool))
    # A whole node that was cut; one that was not, and half of the next; the other half.
    assert trees._times([wide, single], np.array([0, 16, 40])).tolist() == [1, 1 + 8, 8]
