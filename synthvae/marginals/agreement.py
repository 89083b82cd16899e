"""Single columns, as their own counts and those of all their pairs have them together.

Every count of a pair counts its columns again, more coarsely. All of these are noisy shares of the
same rows, so the best guess is their least squares fit, each weighed by its variance (Hay et al.
2010; Qardaji et al. 2014): free, since all of it has been paid for. Bins of numbers say of their
own variance what it is at most, so there pairs weigh a little more than they should.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synthvae.marginals.axes import Classes
from synthvae.marginals.shares import OneWay, Shares, TwoWay

MOST_GROUPS = 512  # of a margin: more say of each hardly more than its own count does


def agreed(ones: Sequence[OneWay], pairs: Sequence[TwoWay]) -> list[OneWay]:
    """`ones` with what `pairs` say of them."""
    margins: list[list[tuple[Classes, Shares, float]]] = [[] for _ in ones]
    for pair in pairs:
        for side, (column, groups) in enumerate(zip(pair.columns, pair.groups, strict=True)):
            shares = pair.shares.sum(axis=1 - side)
            variance = pair.sigma**2 * pair.shares.shape[1 - side]
            if len(shares) <= MOST_GROUPS:
                margins[column].append((groups, shares, variance))
    return [_with(one, of_one) for one, of_one in zip(ones, margins, strict=True)]


def _with(one: OneWay, margins: Sequence[tuple[Classes, Shares, float]]) -> OneWay:
    """`one` and margins: of groups [C], shares [G] and their variance. Takes time in proportion to
    the cube of the number of cells, classes that no groups tell apart."""
    if not margins:
        return one
    cell, first = _cells([groups for groups, _, _ in margins])
    own = one.sigmas**2
    variances, shares = np.bincount(cell, own), np.bincount(cell, one.shares)
    known = np.diag(1 / variances)
    told = shares / variances
    for groups, found, variance in margins:
        of_cell = groups[first]
        known += (of_cell[:, None] == of_cell) / variance
        told += found[of_cell] / variance
    spread = np.linalg.inv(known)
    part = own / variances[cell]
    moved = one.shares + part * (spread @ told - shares)[cell]
    left = own - part * own + part**2 * np.diag(spread)[cell]
    return replace(one, shares=moved, sigmas=np.sqrt(left))


def _cells(groups: Sequence[Classes]) -> tuple[Classes, NDArray[np.int64]]:
    """The cell [C] of each class, where classes that all `groups` have together are one, and the
    first class of each cell."""
    distinct = {group.tobytes(): group for group in groups}.values()
    _, first, cell = np.unique(
        np.stack([*distinct]), axis=1, return_index=True, return_inverse=True
    )
    return cell.reshape(-1), first
