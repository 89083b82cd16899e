"""Closed forms of one Gaussian release, held to numbers known elsewhere and to each other."""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtri
from scipy.stats import norm

from synthvae.privacy.gaussian import (
    attack_limit,
    choosing_epsilon,
    delta_of,
    epsilon_for_attack,
    epsilon_of,
    gaussian_noise,
)

BUDGETS = [(0.05, 1e-6), (0.5, 1e-5), (1.0, 1e-5), (3.0, 1e-6), (10.0, 1e-5), (25.0, 1e-9)]


@pytest.mark.parametrize(("noise", "epsilon"), [(4.0, 0.5), (1.5, 2.0), (0.7, 6.0)])
def test_delta_is_the_integral_that_defines_it(noise: float, epsilon: float) -> None:
    mean = 1 / noise
    crossing = epsilon / mean + mean / 2  # beyond, one density is e^epsilon above the other
    beyond, _ = quad(
        lambda x: norm.pdf(x - mean) - norm.pdf(x) * 2.718281828459045**epsilon,
        crossing,
        crossing + 30,
        epsabs=0,
        epsrel=1e-11,
    )
    assert delta_of(noise, epsilon) == pytest.approx(beyond, rel=1e-8)


def test_the_noise_of_epsilon_1_is_the_published_one() -> None:
    """3.730632 at (1, 1e-5): analytic Gaussian mechanism, Balle & Wang 2018."""
    assert gaussian_noise(1.0, 1e-5) == pytest.approx(3.730632, abs=1e-6)


@pytest.mark.parametrize(("epsilon", "delta"), BUDGETS)
def test_noise_and_epsilon_are_inverse(epsilon: float, delta: float) -> None:
    noise = gaussian_noise(epsilon, delta)
    assert delta_of(noise, epsilon) == pytest.approx(delta, rel=1e-6)
    assert epsilon_of(noise, delta) == pytest.approx(epsilon, rel=1e-9)
    assert epsilon_of(noise * 0.99, delta) > epsilon


def test_noise_that_hides_all_costs_nothing() -> None:
    assert epsilon_of(1e6, 1e-5) == 0.0


@pytest.mark.parametrize(("tpr", "fpr"), [(0.05, 0.01), (0.02, 0.001), (0.6, 0.1)])
def test_epsilon_for_an_attack_allows_just_that_attack(tpr: float, fpr: float) -> None:
    noise = gaussian_noise(epsilon_for_attack(tpr, fpr, 1e-5), 1e-5)
    assert attack_limit(noise, fpr) == pytest.approx(tpr, rel=1e-6)


@pytest.mark.parametrize(("tpr", "fpr"), [(0.01, 0.01), (0.005, 0.01), (1.0, 0.01), (0.5, 0.0)])
def test_an_attack_below_chance_is_no_limit(tpr: float, fpr: float) -> None:
    with pytest.raises(ValueError, match="false positive rate < true positive rate"):
        epsilon_for_attack(tpr, fpr, 1e-5)


@pytest.mark.parametrize("noise", [0.2, 0.7, 1.0, 3.0, 40.0])
def test_the_worst_choice_is_as_telling_as_the_gaussian_and_no_more(noise: float) -> None:
    """Of all mechanisms whose losses lie in an interval of that width, from t - epsilon to t."""
    epsilon = choosing_epsilon(noise)
    t = np.linspace(0, epsilon, 2001)[1:-1]
    false = -np.expm1(t - epsilon) / (np.exp(t) - np.exp(t - epsilon))
    apart = ndtri(false * np.exp(t)) - ndtri(false)
    assert apart.max() == pytest.approx(1 / noise, rel=1e-6)


def chosen_first(scores: np.ndarray, epsilon: float) -> dict[tuple[int, int], float]:
    """The chance of each pair to come first and second, by two exponential mechanisms."""
    weights = np.exp(epsilon / 2 * (scores - scores.max()))
    places = itertools.permutations(range(len(scores)), 2)
    total = weights.sum()
    return {(a, b): weights[a] / total * weights[b] / (total - weights[a]) for a, b in places}


def most_told(
    one: dict[tuple[int, int], float], other: dict[tuple[int, int], float]
) -> list[float]:
    """The least delta at each of some epsilons."""
    p, q = np.array(list(one.values())), np.array(list(other.values()))
    return [float(np.maximum(p - np.exp(e) * q, 0).sum()) for e in np.linspace(0, 3, 31)]


@pytest.mark.parametrize("noise", [0.5, 1.0, 4.0])
def test_two_choices_tell_no_more_than_a_gaussian_release(noise: float) -> None:
    """Exactly, on scores of which a unit moves each by up to 1; half the noise would not do."""
    rng = np.random.default_rng(0)
    limits = [delta_of(noise, e) for e in np.linspace(0, 3, 31)]
    broken = 0
    for _ in range(300):
        scores = rng.integers(0, 4, 5)
        moved = scores + rng.integers(-1, 2, 5)
        for epsilon, count in (
            (choosing_epsilon(noise * np.sqrt(2)), 0),
            (2 * choosing_epsilon(noise * np.sqrt(2)), 1),
        ):
            told = most_told(chosen_first(scores, epsilon), chosen_first(moved, epsilon))
            above = np.array(told) > np.array(limits) + 1e-12
            assert count or not above.any()
            broken += count * above.any()
    assert broken > 0
