"""Gaussian mixtures: a known one is recovered, and many columns at once are like one at a time."""

import numpy as np
import pytest

from synthvae.codecs.mixture import COMPONENTS, MIN_WEIGHT, POINTS, Mixture, fit_mixtures, squeeze


def density(mixture: Mixture, at: np.ndarray) -> np.ndarray:
    offset = (at[:, None] - mixture.means) / mixture.stds
    heights = np.exp(-0.5 * offset**2) / (mixture.stds * np.sqrt(2 * np.pi))
    summed: np.ndarray = (heights * mixture.weights).sum(axis=1)
    return summed


def two(rows: int = 40_000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(rows) < 0.3, rng.normal(-4, 0.5, rows), rng.normal(3, 1.0, rows))


TRUE = Mixture(np.array([0.3, 0.7]), np.array([-4.0, 3.0]), np.array([0.5, 1.0]))


def test_a_mixture_of_two_is_recovered() -> None:
    (found,) = fit_mixtures([two()])
    left = found.means < -1
    assert abs(found.weights[left].sum() - 0.3) < 0.01
    for side, mean, std in ((left, -4.0, 0.5), (~left, 3.0, 1.0)):
        share = found.weights[side] / found.weights[side].sum()
        center = (share * found.means[side]).sum()
        spread = np.sqrt(
            (share * (found.stds[side] ** 2 + found.means[side] ** 2)).sum() - center**2
        )
        assert abs(center - mean) < 0.03
        assert abs(spread - std) < 0.03
    grid = np.linspace(-8, 8, 400)
    gap = np.abs(density(found, grid) - density(TRUE, grid)).sum() * (grid[1] - grid[0]) / 2
    assert gap < 0.03  # total variation; the sample itself is some 0.01 away


def test_scale_and_shift_carry_through() -> None:
    (one,), (two_,) = fit_mixtures([two()]), fit_mixtures([two() * 1e6 - 3e8])
    np.testing.assert_allclose(two_.means, one.means * 1e6 - 3e8, rtol=1e-6)
    np.testing.assert_allclose(two_.stds, one.stds * 1e6, rtol=1e-5)
    np.testing.assert_allclose(two_.weights, one.weights, rtol=1e-5)


def test_many_columns_at_once_are_as_one_at_a_time() -> None:
    rng = np.random.default_rng(1)
    columns = [
        two(),
        rng.lognormal(3, 1, 5000),
        rng.integers(0, 7, 900).astype(float),
        np.array([5.0]),
        np.array([1.0, 2.0]),
        np.full(50, -3.0),
        rng.normal(1e9, 1e-2, 2000),
    ]
    together = fit_mixtures(columns)
    for column, fitted in zip(columns, together, strict=True):
        (alone,) = fit_mixtures([column])
        for name in ("weights", "means", "stds"):
            np.testing.assert_allclose(getattr(fitted, name), getattr(alone, name), rtol=1e-9)


@pytest.mark.parametrize(
    "values", [np.array([5.0]), np.full(50, -3.0), np.array([1.0, 2.0]), np.arange(5.0), two(3000)]
)
def test_weights_are_shares_and_no_component_is_flat(values: np.ndarray) -> None:
    (found,) = fit_mixtures([values])
    assert 1 <= len(found.weights) <= COMPONENTS
    assert abs(found.weights.sum() - 1) < 1e-9
    assert (found.weights > MIN_WEIGHT).all()
    assert (found.stds > 0).all()
    assert values.min() - 1e-9 <= found.means.min() <= found.means.max() <= values.max() + 1e-9


def test_responsibilities_are_those_of_bayes() -> None:
    at = np.array([-4.0, -1.5, 3.0, 100.0, -100.0])
    heights = (
        TRUE.weights / TRUE.stds * np.exp(-0.5 * ((at[:, None] - TRUE.means) / TRUE.stds) ** 2)
    )
    found = TRUE.responsibilities(at)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[:3], heights[:3] / heights[:3].sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found[3:], [[0, 1], [0, 1]], atol=1e-9)


def test_few_values_are_squeezed_exactly_and_many_keep_their_mean() -> None:
    points, weights = squeeze(np.array([1.0, 5.0, 1.0, 2.0]))
    assert points.tolist() == [1.0, 2.0, 5.0]
    assert weights.tolist() == [0.5, 0.25, 0.25]
    values = two(5001)
    points, weights = squeeze(values)
    assert len(points) == len(weights) == POINTS
    assert (np.diff(points) >= 0).all()
    np.testing.assert_allclose([weights.sum(), (points * weights).sum()], [1.0, values.mean()])


def test_no_columns_are_no_mixtures() -> None:
    assert fit_mixtures([]) == []
