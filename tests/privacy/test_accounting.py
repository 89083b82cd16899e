"""Two accountants, closed forms and published numbers agree; noise that is asked for fits."""

import numpy as np
import pytest
from opacus.accountants import PRVAccountant
from scipy import stats

from synthvae.errors import PrivacyError
from synthvae.privacy import accounting
from synthvae.privacy.accounting import (
    FALSE_POSITIVES,
    Event,
    attack_limits,
    composed,
    gaussian_noise,
    merged,
    most_found,
    sampled_noise,
)
from synthvae.privacy.gaussian import attack_limit

DELTA = 1e-5


def test_dp_sgd_costs_what_others_compute() -> None:
    """Opacus' own test values: 7.329 by RDP, 6.777 by its PRV accountant (an upper bound too)."""
    cost = composed([Event(1.5, 0.04, 2250)], DELTA)
    assert cost.rdp == pytest.approx(7.329, abs=0.001)
    assert cost.pld == pytest.approx(6.777, rel=0.002)


@pytest.mark.filterwarnings("ignore:Optimal order")
@pytest.mark.parametrize(
    "events",
    [
        [Event(0.7, 0.05, 200)],
        [Event(1.0, 0.01, 1000)],
        [Event(6.0, 0.25, 400)],
        [Event(20.0, 0.05, 400)],
        [Event(8.0), Event(5.0), Event(1.7, 0.0525, 400)],
        [Event(2.0), Event(1.1, 0.08, 150), Event(3.0, 0.02, 900)],
    ],
    ids=lambda events: ", ".join(f"{e.noise:g} at {e.rate:g} x {e.steps}" for e in events),
)
def test_a_third_accountant_finds_the_same(events: list[Event]) -> None:
    """Numerical composition (Gopi et al. 2021), whose upper bound lies its error above the cost."""
    error, others = 0.01, PRVAccountant()
    others.history = [(event.noise, event.rate, event.steps) for event in events]
    bound = others.get_epsilon(DELTA, eps_error=error)
    cost = composed(events, DELTA)
    assert cost.pld == pytest.approx(bound - error, abs=0.002)
    assert cost.pld < cost.rdp


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 1.0, 3.0, 10.0])
def test_one_gaussian_costs_what_its_closed_form_says(epsilon: float) -> None:
    cost = composed([Event(gaussian_noise(epsilon, DELTA))], DELTA)
    assert cost.pld == pytest.approx(epsilon, rel=1e-5)
    assert epsilon < cost.rdp < 1.3 * epsilon


def test_gaussians_add_up_in_precision() -> None:
    noise = gaussian_noise(2.0, DELTA)
    parts = [Event(noise / share**0.5) for share in (0.5, 0.3, 0.15)]
    steps = Event(noise / 0.01**0.5, steps=5)
    (one,) = merged([*parts, steps])
    assert one.noise == pytest.approx(noise)
    assert composed([*parts, steps], DELTA).pld == pytest.approx(2.0, rel=1e-5)


def test_sampled_events_merge_by_noise_and_rate_alone() -> None:
    events = [Event(1.0, 0.1, 10), Event(1.0, 0.1, 5), Event(1.0, 0.2, 5), Event(2.0, 0.1, 5)]
    assert merged(events) == [Event(1.0, 0.1, 15), Event(1.0, 0.2, 5), Event(2.0, 0.1, 5)]


def test_nothing_costs_nothing() -> None:
    assert composed([], DELTA) == accounting.Composed(0.0, 0.0)
    assert attack_limits([]) == {"0.01": 0.01, "0.001": 0.001}


@pytest.mark.parametrize(
    ("epsilon", "rate", "steps", "before"),
    [
        (0.3, 0.1, 300, []),
        (1.0, 0.08, 400, [Event(8.0)]),
        (3.0, 0.08, 400, [Event(5.0), Event(6.0), Event(4.0, 0.1, 50)]),
        (10.0, 0.05, 200, [Event(1.0)]),
        (2.0, 1.0, 1, [Event(3.0)]),
    ],
)
def test_sampled_noise_fills_epsilon_from_the_safe_side(
    epsilon: float, rate: float, steps: int, before: list[Event]
) -> None:
    noise = sampled_noise(epsilon, DELTA, before, rate, steps)
    cost = composed([*before, Event(noise, rate, steps)], DELTA)
    assert 0.99 * epsilon < cost.pld <= epsilon
    assert cost.pld <= cost.rdp


def test_training_without_epsilon_left_is_refused() -> None:
    spent = [Event(gaussian_noise(1.0, DELTA) * 0.999)]
    with pytest.raises(PrivacyError, match=r"needs epsilon left over, but of 1 all is spent"):
        sampled_noise(1.0, DELTA, spent, 0.1, 100)


def test_accountants_that_disagree_claim_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounting, "_rdp", lambda events, delta: 0.9)
    with pytest.raises(PrivacyError, match=r"1\.0000 by PLD and 0\.9000 by RDP"):
        composed([Event(gaussian_noise(1.0, DELTA))], DELTA)


RATES = np.array([0.001, 0.01, 0.1, 0.5])


def test_limits_of_gaussians_are_their_closed_form() -> None:
    noise = 2.0 / 4**0.5
    closed = {f"{r:g}": stats.norm.cdf(stats.norm.ppf(r) + 1 / noise) for r in FALSE_POSITIVES}
    assert attack_limits([Event(2.0, steps=4)]) == pytest.approx(closed)


@pytest.mark.parametrize("noise", [4.0, 1.4, 0.6])
def test_limits_by_losses_are_those_in_closed_form(noise: float) -> None:
    """One step more that tells next to nothing."""
    found = most_found([Event(noise), Event(1e3, 0.5)], RATES)
    closed = attack_limit(noise, RATES)
    assert found == pytest.approx(closed, rel=1e-3)
    assert (found >= closed * (1 - 1e-9)).all()


def test_sampled_steps_are_told_apart_by_no_more_than_whole_ones() -> None:
    whole, sampled = (most_found([Event(1.0, rate, 5)], RATES) for rate in (1.0, 0.2))
    assert (sampled < whole).all()
    assert (sampled > RATES).all()


def test_delta_of_thresholds_adds_to_the_limits() -> None:
    plain, beside = attack_limits([Event(2.0)]), attack_limits([Event(2.0)], 1e-3)
    assert all(beside[fpr] == pytest.approx(plain[fpr] + 1e-3) for fpr in plain)


@pytest.mark.parametrize("wrong", [(0.0,), (1.0, 0.0), (1.0, 1.1), (1.0, 0.5, 0)])
def test_an_event_without_noise_rate_or_steps_is_none(wrong: tuple[float, ...]) -> None:
    with pytest.raises(PrivacyError, match="an event has noise above 0"):
        Event(*wrong)
