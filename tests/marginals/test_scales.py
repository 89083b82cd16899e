"""Coarse scales are sums of fine ones, where neighbours are alike."""

import numpy as np
import pytest

from synthvae.marginals.scales import scales


@pytest.mark.parametrize(
    ("shape", "ordered", "found"),
    [
        ((8, 8), (True, True), [(8, 8), (4, 4), (2, 2)]),
        ((5, 3), (True, False), [(5, 3), (3, 3), (2, 3)]),
        ((3, 12), (True, True), [(3, 12), (2, 6), (2, 3), (2, 2)]),
        ((9, 7), (False, False), [(9, 7)]),
        ((4, 1, 3), (True, True, True), [(4, 1, 3), (2, 1, 2)]),
    ],
)
def test_ordered_sides_are_halved_until_two_are_left(
    shape: tuple[int, ...], ordered: tuple[bool, ...], found: list[tuple[int, ...]]
) -> None:
    assert [scale.shape for scale in scales(shape, ordered)] == found


def test_neighbours_are_summed_with_their_noise() -> None:
    shares = np.arange(30.0).reshape(5, 3, 2)
    fine, coarse, last = scales(shares.shape, (True, False, False))
    assert (fine.merged(shares) == shares).all()
    assert (coarse.merged(shares) == [shares[:2].sum(0), shares[2:4].sum(0), shares[4]]).all()
    assert (last.merged(shares) == [shares[:4].sum(0), shares[4]]).all()
    assert coarse.sigmas(0.5)[:, 0, 0].tolist() == [0.5 * 2**0.5, 0.5 * 2**0.5, 0.5]


def test_what_is_laid_out_again_is_the_same_for_neighbours() -> None:
    coarse = scales((5, 4), (True, True))[1]
    found = np.arange(6.0).reshape(3, 2)[coarse.grid]
    assert found.shape == (5, 4)
    assert (found[0] == [0, 0, 1, 1]).all()
    assert (found[0] == found[1]).all()
    assert (found[4] == [4, 4, 5, 5]).all()
