"""A name of one unit alone comes out as rarely as its delta says; others do come out."""

import numpy as np
import opendp.domains as domains
import opendp.measurements as measurements
import opendp.metrics as metrics
import pytest
from opendp.mod import enable_features
from scipy.special import ndtr

from synthvae.privacy.budget import Budget
from synthvae.privacy.ledger import GRAIN, Ledger
from synthvae.privacy.noise import SecureNoise
from synthvae.privacy.threshold import threshold

TRIALS = 300_000


def release(rows: list[int], sigma: float, above: float) -> float:
    """How often one or more of the counts `rows` come out."""
    return float(1 - np.prod(ndtr((above - np.array(rows)) / sigma)))


@pytest.mark.parametrize("sigma", [1.0, 6.0])
@pytest.mark.parametrize(("k", "rows"), [(1, [1]), (3, [3]), (3, [1, 1, 1]), (3, [2, 1])])
def test_names_of_one_unit_come_out_as_rarely_as_delta_says(
    sigma: float, k: int, rows: list[int]
) -> None:
    above = threshold(sigma, 0.01, k, 1 / GRAIN)
    assert release(rows, sigma, above) <= 0.01


@pytest.mark.nightly
def test_so_do_names_with_the_noise_that_is_drawn() -> None:
    above = threshold(1.0, 0.01, 3, 1 / GRAIN)
    noise = SecureNoise().gaussian((TRIALS, 3), GRAIN) / GRAIN
    often = (1 + noise > above).any(axis=1).mean()
    assert often <= 0.01 + 4 * np.sqrt(0.01 / TRIALS)


@pytest.mark.parametrize(
    ("sigma", "worst"), [pytest.param(30.0, [1, 1, 1], marks=pytest.mark.nightly), (0.3, [3])]
)
def test_the_worst_case_spends_its_delta(sigma: float, worst: list[int]) -> None:
    """Which is many names for much noise, and one name with all rows for little."""
    delta = 0.01
    grains = int(sigma * GRAIN) / GRAIN
    above = threshold(grains, delta, 3, 1 / GRAIN)
    noise = SecureNoise().gaussian((TRIALS, len(worst)), int(sigma * GRAIN)) / GRAIN
    often = (worst + noise > above).any(axis=1).mean()
    assert often == pytest.approx(delta, rel=0.1)
    assert often == pytest.approx(release(worst, grains, above), rel=0.1)


def test_rows_have_the_threshold_of_a_single_gaussian_tail() -> None:
    above = threshold(5.0, 1e-6, 1, 0.0)
    assert ndtr(-(above - 1) / 5.0) == pytest.approx(1e-6)


@pytest.mark.parametrize("k", [1, 4])
def test_opendp_finds_no_greater_delta(k: int) -> None:
    """Its histogram with a threshold, of a unit that has k names of one row, or k rows of one."""
    enable_features("contrib")
    domain = domains.map_domain(domains.atom_domain(T="String"), domains.atom_domain(T="i64"))
    metric = metrics.l02inf_distance(metrics.absolute_distance(T="i64"))
    above = threshold(9.0, 1e-4, k, 0.0)
    made = measurements.make_gaussian_threshold(domain, metric, 9.0, threshold=int(above) + 1)
    for names, most in ((1, k), (k, 1)):
        _, delta = made.map((names, k, most))  # k is above the L2 norm of both
        assert 0 < delta <= 1e-4


def test_names_pass_by_their_noisy_count_in_their_own_order(silence) -> None:
    ledger = Ledger(Budget(1.0), silence)
    above = ledger.threshold(0.5, 1e-6)
    counts = {"z": 900, "none": 0, "few": int(above), "a": int(above) + 1}
    released = ledger.keys("domain", "job", counts, 0.5, 1e-6)
    assert list(released.items()) == [("a", int(above) + 1.0), ("z", 900.0)]
    (line,) = ledger.lines
    assert (line.cells, line.delta, line.mechanism) == (2, 1e-6, "threshold")
    assert line.sigma == ledger.sigma(0.5)


def test_counts_that_come_out_are_the_noisy_ones(tape) -> None:
    released = Ledger(Budget(1.0), tape).keys("domain", "job", {"z": 900, "a": 800}, 0.5, 1e-6)
    assert released.keys() == {"a", "z"}
    assert released["z"] != 900
    assert 0 < abs(released["a"] - 800) < 40


def test_a_table_without_names_has_none(tape) -> None:
    assert Ledger(Budget(1.0), tape).keys("domain", "job", {}, 0.5, 1e-6) == {}
