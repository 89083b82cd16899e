"""Numbers that lie evenly over the rows: each by itself uniform, any two independent."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import stats

from synthvae.layout import Block, Layout
from synthvae.model.evenly import RUN, _shuffled, even
from synthvae.model.heads import Heads
from synthvae.model.scalars import MixtureSpec
from synthvae.model.values import Noise, Space
from synthvae.seeds import stream

ALPHA = 1e-6


@pytest.mark.parametrize("rows", [RUN, 4096, 8192])
def test_every_part_of_a_block_gets_one_number(rows: int) -> None:
    numbers = even(stream(1, "t"), rows, 20)
    for parts in (rows, RUN):
        counted = np.sort((numbers[:parts] * parts).astype(int), axis=0)
        assert (counted == np.arange(parts)[:, None]).all()


def test_runs_are_even_wherever_a_table_ends() -> None:
    numbers = even(stream(2, "t"), 1000, 5)
    assert numbers.shape == (1000, 5)
    for start in range(0, 960, RUN):
        run = np.sort((numbers[start : start + RUN] * RUN).astype(int), axis=0)
        assert (run == np.arange(RUN)[:, None]).all()


@pytest.mark.parametrize(("rows", "dims"), [(0, 3), (3, 0), (0, 0), (1, 1), (65, 2)])
def test_any_shape(rows: int, dims: int) -> None:
    numbers = even(stream(3, "t"), rows, dims)
    assert numbers.shape == (rows, dims)
    assert ((numbers >= 0) & (numbers < 1)).all()


def test_what_is_drawn_twice_keeps_its_order() -> None:
    """Sorting that left it open would give other rows on another processor."""

    class Same:
        def random(self, shape: tuple[int, ...], dtype: type) -> np.ndarray:
            return np.full(shape, 0.25, dtype)

    found = _shuffled(Same(), (3, 500))  # type: ignore[arg-type]
    assert (found == np.arange(500)).all()


def test_a_single_number_is_uniform() -> None:
    drawn = [even(stream(seed, "t"), 200, 1)[[0, 77, 199], 0] for seed in range(2000)]
    for place in np.array(drawn).T:
        assert stats.kstest(place, "uniform").pvalue > ALPHA


def test_two_dimensions_are_independent() -> None:
    """Counts of 8 x 8 squares scatter as those of independent numbers do, no more and no less."""
    found = []
    for seed in range(10):
        cells = (even(stream(seed, "t"), 4096, 12) * 8).astype(int)
        for i, j in combinations(range(12), 2):
            counted = np.bincount(cells[:, i] * 8 + cells[:, j], minlength=64)
            found.append(((counted - 64) ** 2 / 64).sum())
    free = 7 * 7
    assert np.mean(found) == pytest.approx(free, abs=6 * np.sqrt(2 * free / len(found)) + 1)
    assert max(found) < stats.chi2.isf(ALPHA, free)


def test_normal_noise_is_normal_and_lies_evenly() -> None:
    noise = Noise.evenly(stream(4, "t"), 4096, Space(3), 2, 2)
    for part in (noise.latent, noise.normal):
        assert part.dtype == torch.float32
        assert float(part.mean(dim=0).abs().max()) < 0.001  # independent ones: 0.016 off
        assert stats.kstest(part[:, 0].numpy(), "norm").pvalue > 0.999
    assert float(noise.uniform.max()) < 1
    assert torch.isfinite(noise.latent).all()


def test_few_rows_hold_classes_as_often_as_they_should() -> None:
    layout = Layout((Block("a", "a", "categorical", 4),)).part(given=False).layout
    heads = Heads(layout, MixtureSpec().build(0))
    shares = np.array([0.5, 0.25, 0.125, 0.125])
    raw = torch.from_numpy(np.log(shares)).float().expand(2 * RUN, -1)
    rows = heads.sample(raw, Noise.evenly(stream(5, "t"), 2 * RUN, Space(0), 1, 0))
    for run in rows.codes[:, 0].split(RUN):
        counted = np.bincount(run.numpy(), minlength=4)
        assert np.abs(counted - RUN * shares).max() <= 1
