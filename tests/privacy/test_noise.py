"""Noise has exactly the law that is accounted for, and nobody can draw it again."""

import itertools
import os
import random
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, ks_1samp, norm

from synthvae.errors import PrivacyError
from synthvae.privacy.noise import MOST_SIGMA, SecureNoise, fresh_seed, fresh_stream

ALPHA = 1e-6  # of each test of a law: one false alarm in a million runs


def law(sigma: float, reach: int) -> np.ndarray:
    """P(x) of x in [-reach, reach], of what is in reach."""
    x = np.arange(-reach, reach + 1)
    weights = np.exp(-(x**2) / (2 * sigma**2))
    return weights / weights.sum()


def compare(samples: np.ndarray, sigma: float) -> float:
    """The p-value of chi-square against the discrete Gaussian, beyond 3 sigma taken together."""
    reach = int(3 * sigma)
    wide = 8 * reach
    expected = law(sigma, wide)
    middle = expected[wide - reach : wide + reach + 1]
    inside = samples[np.abs(samples) <= reach]
    observed = np.bincount(inside + reach, minlength=2 * reach + 1)
    beyond = len(samples) - len(inside)
    return float(
        chisquare([*observed, beyond], np.append(middle, 1 - middle.sum()) * len(samples)).pvalue
    )


@pytest.mark.parametrize("sigma", [1, 2, 7])
def test_samples_of_small_sigma_have_the_probabilities_of_the_formula(sigma: int) -> None:
    assert compare(SecureNoise().gaussian((50_000,), sigma), sigma) > ALPHA


def test_the_comparison_sees_noise_that_is_10_percent_off() -> None:
    samples = SecureNoise().gaussian((50_000,), 50)
    assert compare(samples, 50) > ALPHA
    assert compare(samples, 45) < ALPHA


def test_names_pass_with_the_noise_of_the_formula() -> None:
    """All of them pass a threshold far below, those above one in the middle are its upper half."""
    counts = dict.fromkeys(map(str, range(50_000)), 1_000)
    passed = SecureNoise().above(counts, 7, 500)
    assert passed.keys() == counts.keys()
    assert compare(np.array(list(passed.values())) - 1_000, 7) > ALPHA
    upper = SecureNoise().above(counts, 7, 1_000)
    assert min(upper.values()) >= 1_000
    zero = law(7, 56)[56]
    expected = len(counts) * (1 + zero) / 2
    assert abs(len(upper) - expected) < 5 * np.sqrt(len(counts)) / 2


def test_no_name_passes_a_threshold_out_of_reach() -> None:
    assert SecureNoise().above({"a": 0, "": 5, "\n\u00e9": 9}, 1, 100) == {}
    assert SecureNoise().above({}, 1, 0) == {}


def test_a_name_does_not_end_at_a_nul() -> None:
    """One row of `a\\0b` must not take the place of 100,000 of `a`."""
    passed = SecureNoise().above({"a": 100_000, "a\0b": 1, "a\0c": 100_000}, 10, 500)
    assert passed.keys() == {"a", "a\0c"}
    assert all(abs(count - 100_000) < 200 for count in passed.values())


def test_the_best_are_chosen_one_after_the_other_by_exponential_mechanisms() -> None:
    scores, scale, runs = np.array([0, 3, 1, 2]), 2.0, 20_000
    noise = SecureNoise()
    drawn = Counter(tuple(noise.best(scores, scale, 2).tolist()) for _ in range(runs))
    weights = np.exp(scores / scale)
    places = list(itertools.permutations(range(4), 2))
    expected = [
        weights[a] / weights.sum() * weights[b] / (weights.sum() - weights[a]) for a, b in places
    ]
    observed = [drawn[place] for place in places]
    assert sum(observed) == runs
    assert chisquare(observed, np.array(expected) * runs).pvalue > ALPHA
    other = np.roll(expected, 1)  # another law is found
    assert chisquare(observed, other * runs).pvalue < ALPHA


@pytest.mark.parametrize(("scale", "most"), [(2.0, 1), (0.5, 3), (40.0, 12)])
def test_choices_cost_what_opendp_says_of_as_many_exponential_mechanisms(
    scale: float, most: int
) -> None:
    """most * epsilon^2 / 8 in concentrated privacy, where epsilon is 2 / scale (bounded range)."""
    mechanism = SecureNoise()._chosen(scale, most)
    assert mechanism.map(1) == pytest.approx(most * (2 / scale) ** 2 / 8)


@pytest.mark.parametrize("sigma", [40, 5_000, 3_000_000, MOST_SIGMA])
def test_samples_of_large_sigma_are_gaussian(sigma: int) -> None:
    """The grid is so fine that the continuous distribution is within a millionth."""
    total = 50_000
    samples = SecureNoise().gaussian((total,), sigma)
    middle = (samples + np.random.default_rng(0).random(total) - 0.5) / sigma
    assert ks_1samp(middle, norm.cdf).pvalue > ALPHA
    assert samples.std() / sigma == pytest.approx(1, abs=0.016)  # 5 standard errors
    assert abs(np.corrcoef(samples[1:], samples[:-1])[0, 1]) < 0.023


def test_shapes_are_what_was_asked_for() -> None:
    samples = SecureNoise().gaussian((3, 0, 4), 5)
    assert samples.shape == (3, 0, 4)
    assert SecureNoise().gaussian((2, 5), 5).shape == (2, 5)
    assert SecureNoise().gaussian((), 5).shape == ()


@pytest.mark.parametrize("sigma", [0, 0.5, 3.7, -2, MOST_SIGMA + 1])
def test_noise_of_part_of_a_grain_or_of_too_many_is_refused(sigma: float) -> None:
    with pytest.raises(PrivacyError, match="a whole number of grains"):
        SecureNoise().gaussian((1,), sigma)


def seeded() -> tuple[bytes, int, bytes]:
    np.random.seed(1)
    torch.manual_seed(1)
    random.seed(1)
    samples = SecureNoise().gaussian((50,), 1000).tobytes()
    return samples, fresh_seed(), fresh_stream().bytes(32)


def test_no_seed_brings_noise_back() -> None:
    for one, two in zip(seeded(), seeded(), strict=True):
        assert one != two


def test_processes_and_their_children_share_no_noise() -> None:
    script = (
        "from synthvae.privacy.noise import *; print(SecureNoise().gaussian((9,), 1000), "
        "fresh_seed(), fresh_stream().bytes(9))"
    )
    runs = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_fork_takes_no_noise_along() -> None:
    SecureNoise().gaussian((9,), 1000)
    into, out = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(out, SecureNoise().gaussian((9,), 1000).tobytes())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(into, 72) != SecureNoise().gaussian((9,), 1000).tobytes()
    os.close(into)
    os.close(out)


def test_a_seed_fits_63_bits_and_uses_them() -> None:
    seeds = [fresh_seed() for _ in range(200)]
    assert max(seeds) < 2**63
    assert max(seeds) > 2**62
    assert len(set(seeds)) == 200


def test_an_opendp_that_can_not_choose_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("opendp.measurements.make_noisy_top_k")
    with pytest.raises(PrivacyError, match=r"OpenDP 0\.14\.1 or later"):
        SecureNoise()
