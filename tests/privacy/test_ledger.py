"""Whatever passes the ledger adds up to the budget; what would not is refused."""

import json
import sys
from collections.abc import Callable

import numpy as np
import pytest

from synthvae.errors import PrivacyError
from synthvae.privacy.accounting import composed, gaussian_noise
from synthvae.privacy.budget import Budget
from synthvae.privacy.gaussian import choosing_epsilon
from synthvae.privacy.ledger import GRAIN, Ledger

COUNTS = np.arange(12).reshape(3, 4)


def test_shares_that_sum_to_1_cost_epsilon(tape) -> None:
    ledger = Ledger(Budget(2.0), tape, key_delta_share=0)
    for share in [0.1] * 7 + [0.3]:
        ledger.counts("marginals", "a", COUNTS, share, sensitivity=np.sqrt(3))
    assert ledger.left == pytest.approx(0, abs=1e-12)
    claim = ledger.claim()
    assert 1.998 < claim.epsilon <= 2.0
    assert claim.epsilon < claim.rdp_epsilon
    assert claim.delta == 1e-5


def test_sigma_grows_with_sensitivity_and_contributions_and_falls_with_the_share(tape) -> None:
    ledger = Ledger(Budget(1.0, unit="person", contributions=3), tape, key_delta_share=0)
    noisy = ledger.counts("marginals", "a", COUNTS, 0.25, sensitivity=2.0)
    base = gaussian_noise(1.0, 1e-5)
    assert noisy.sigma == pytest.approx(base * 2 * 3 / 0.25**0.5, rel=1e-3)
    (line,) = ledger.lines
    assert (line.sigma, line.sensitivity, line.cells) == (noisy.sigma, 6.0, 12)
    assert line.event.noise == pytest.approx(base * 2, rel=1e-3)


def test_counts_come_out_with_the_noise_that_was_drawn(silence, tape) -> None:
    exact = Ledger(Budget(1.0), silence).counts("marginals", "a", COUNTS, 0.5)
    assert (exact.values == COUNTS).all()
    noisy = Ledger(Budget(1.0), tape).counts("marginals", "a", COUNTS, 0.5)
    off = noisy.values - COUNTS
    assert noisy.values.shape == (3, 4)
    assert 0.3 < off.std() / noisy.sigma < 2
    assert (off * GRAIN == np.rint(off * GRAIN)).all()
    assert (off != np.rint(off)).any()


def test_a_share_too_many_is_refused_and_leaves_no_trace(tape) -> None:
    ledger = Ledger(Budget(1.0), tape)
    ledger.counts("marginals", "a", COUNTS, 0.7)
    with pytest.raises(PrivacyError, match=r"b asks for 0\.31 and 0\.3 is left"):
        ledger.counts("marginals", "b", COUNTS, 0.31)
    assert len(ledger.lines) == 1
    assert ledger.left == pytest.approx(0.3)


@pytest.mark.parametrize("epsilon", [0.01, 0.05, 0.1, 0.3, 0.5, 1.0, 3.0, 10.0, 20.0])
def test_a_budget_spent_to_the_last_is_claimed_and_no_more(epsilon: float, tape) -> None:
    ledger = Ledger(Budget(epsilon), tape, key_delta_share=0)
    ledger.counts("marginals", "a", COUNTS, 1.0)
    assert 0.99 * epsilon < ledger.claim().epsilon <= epsilon


@pytest.mark.parametrize("epsilon", [1.0, 3.0, 10.0])
def test_noise_in_grains_costs_what_the_accountant_computes_with(epsilon: float) -> None:
    """On whole numbers it would not: the tail of one release of all of epsilon has steps."""
    sigma = gaussian_noise(epsilon, 1e-5)
    assert abs(delta_in_steps(1, sigma, epsilon) / 1e-5 - 1) > 0.03
    assert delta_in_steps(1 / GRAIN, sigma, epsilon) == pytest.approx(1e-5, rel=1e-5)


def delta_in_steps(step: float, sigma: float, epsilon: float) -> float:
    """Delta of a discrete Gaussian on multiples of `step` whose center moves by 1."""
    x = np.arange(-40 * sigma // step, 40 * sigma // step) * step
    weights = np.exp(-(x**2) / (2 * sigma**2))
    moved = np.exp(-((x - 1) ** 2) / (2 * sigma**2))
    return float(np.maximum(moved - np.exp(epsilon) * weights, 0).sum() / weights.sum())


def test_the_best_of_each_row_are_chosen_and_paid_for(silence) -> None:
    ledger = Ledger(Budget(1.0, unit="person", contributions=3), silence, key_delta_share=0)
    best = ledger.best("pairs", "a", COUNTS[:, [2, 0, 3, 1]], 2, 0.25)
    assert best.tolist() == [[2, 0]] * 3
    assert ledger.left == 0.75
    (line,) = ledger.lines
    assert (line.mechanism, line.cells, line.sensitivity) == ("exponential", 6, 3)
    assert line.event.noise == pytest.approx(gaussian_noise(1.0, 1e-5) * 2, rel=1e-3)
    ledger.counts("marginals", "b", COUNTS, 0.75)
    assert 0.999 < ledger.claim().epsilon <= 1.0


@pytest.mark.parametrize(("contributions", "rows", "most"), [(1, 1, 1), (3, 1, 1), (1, 3, 2)])
def test_choices_are_as_noisy_as_all_of_them_cost(
    contributions: int, rows: int, most: int, silence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In concentrated privacy, too, they cost no more than the Gaussian that they stand for."""
    scales = []

    def best(scores: np.ndarray, scale: float, most: int) -> np.ndarray:
        scales.append(scale)
        return np.arange(most)

    monkeypatch.setattr(silence, "best", best)
    unit = "person" if contributions > 1 else "row"
    ledger = Ledger(Budget(1.0, unit=unit, contributions=contributions), silence)
    ledger.best("pairs", "a", COUNTS[:rows], most, 0.2)
    noise = ledger.lines[0].event.noise
    (scale,) = set(scales)
    assert len(scales) == rows
    each = 2 * contributions / scale
    assert each == pytest.approx(choosing_epsilon(noise * np.sqrt(rows * most)))
    assert rows * most * each**2 / 8 < 1 / (2 * noise**2)


def test_a_choice_that_fails_is_paid_for(silence, monkeypatch: pytest.MonkeyPatch) -> None:
    def best(*_: object) -> np.ndarray:
        raise RuntimeError

    monkeypatch.setattr(silence, "best", best)
    ledger = Ledger(Budget(1.0), silence)
    with pytest.raises(RuntimeError):
        ledger.best("pairs", "a", COUNTS, 1, 0.2)
    assert (len(ledger.lines), ledger.left) == (1, 0.8)


@pytest.mark.parametrize(("scores", "most"), [(COUNTS, 5), (COUNTS, 0), (COUNTS[:0], 1)])
def test_more_than_there_are_cannot_be_chosen(scores: np.ndarray, most: int, tape) -> None:
    ledger = Ledger(Budget(1.0), tape)
    with pytest.raises(PrivacyError, match=f"a: {most} can't be chosen"):
        ledger.best("pairs", "a", scores, most, 0.2)
    assert (ledger.lines, ledger.left) == ((), 1)


def test_scores_that_are_no_whole_numbers_are_refused(tape) -> None:
    with pytest.raises(PrivacyError, match="scores are whole numbers, but a is of float64"):
        Ledger(Budget(1.0), tape).best("pairs", "a", COUNTS / 2, 1, 0.1)


@pytest.mark.parametrize("share", [0.0, -0.1, float("nan")])
def test_a_share_of_nothing_is_refused(share: float, tape) -> None:
    with pytest.raises(PrivacyError, match="shares of a budget are above 0"):
        Ledger(Budget(1.0), tape).counts("marginals", "a", COUNTS, share)


def test_counts_that_are_no_counts_are_refused(tape) -> None:
    with pytest.raises(PrivacyError, match="counts are whole numbers, but a is of float64"):
        Ledger(Budget(1.0), tape).counts("marginals", "a", COUNTS / 2, 0.1)


@pytest.mark.parametrize(
    "spend",
    [
        lambda ledger: ledger.counts("marginals", "late", COUNTS, 0.1),
        lambda ledger: ledger.keys("domain", "late", {"x": 9}, 0.1, 1e-7),
        lambda ledger: ledger.best("pairs", "late", COUNTS, 1, 0.1),
        lambda ledger: ledger.train("training", "late", 0.1, 10),
    ],
)
def test_a_closed_ledger_pays_for_nothing(spend: Callable[[Ledger], object], tape) -> None:
    ledger = Ledger(Budget(1.0), tape)
    ledger.close()
    with pytest.raises(PrivacyError, match="closed ledger pays for nothing, but late asks"):
        spend(ledger)
    assert ledger.lines == ()
    assert ledger.claim().epsilon == 0


def test_training_takes_all_that_is_left(tape) -> None:
    ledger = Ledger(Budget(3.0), tape)
    ledger.counts("marginals", "a", COUNTS, 0.2)
    ledger.keys("domain", "b", {"x": 90}, 0.1, 1e-6)
    noise = ledger.train("training", "decoder", rate=0.08, steps=200)
    assert ledger.left == 0
    line = ledger.lines[-1]
    assert (line.sigma, line.rate, line.steps, line.sensitivity) == (noise, 0.08, 200, 1.0)
    assert 2.97 < ledger.claim().epsilon <= 3.0
    assert 0 < line.epsilon_alone < 3.0
    with pytest.raises(PrivacyError, match=r"c asks for 0\.01 and 0 is left"):
        ledger.counts("marginals", "c", COUNTS, 0.01)


def test_training_with_a_share_leaves_the_rest_for_later(tape) -> None:
    ledger = Ledger(Budget(3.0), tape, key_delta_share=0)
    ledger.counts("marginals", "a", COUNTS, 0.5)
    ledger.train("training", "decoder", rate=0.08, steps=200, share=0.6)
    assert ledger.left == pytest.approx(0.2)
    assert ledger.claim().epsilon < 2.9
    ledger.counts("marginals", "b", COUNTS, ledger.left)
    assert 2.97 < ledger.claim().epsilon <= 3.0


def test_units_of_several_rows_pay_for_all_of_them_in_training(tape) -> None:
    one = Ledger(Budget(2.0), tape).train("training", "decoder", 0.1, 50)
    ledger = Ledger(Budget(2.0, unit="person", contributions=5), tape)
    assert ledger.train("training", "decoder", 0.1, 50) == pytest.approx(5 * one)
    assert ledger.claim().epsilon <= 2.0


def test_discovery_has_its_own_delta_and_the_claim_holds_the_rest(tape) -> None:
    ledger = Ledger(Budget(1.0), tape, key_delta_share=0.2)
    ledger.keys("domain", "a", {"x": 900}, 0.5, 1.5e-6)
    with pytest.raises(PrivacyError, match=r"share a delta of 2e-06, of which 1.5e-06 is spent"):
        ledger.keys("domain", "b", {"x": 900}, 0.1, 6e-7)
    ledger.keys("domain", "b", {"x": 900}, 0.5, 5e-7)
    assert ledger.key_delta == pytest.approx(2e-6)
    expected = composed(ledger.events, 1e-5 - 2e-6).pld
    assert ledger.claim().epsilon == pytest.approx(expected)
    assert 0.998 < expected <= 1.0


def test_without_delta_of_their_own_keys_are_refused(tape) -> None:
    ledger = Ledger(Budget(1.0), tape, key_delta_share=0)
    with pytest.raises(PrivacyError, match="declare the categories"):
        ledger.keys("domain", "a", {"x": 900}, 0.5, 1e-9)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_keys_leave_delta_for_the_rest(share: float, tape) -> None:
    with pytest.raises(PrivacyError, match="from 0 to below 1"):
        Ledger(Budget(1.0), tape, key_delta_share=share)


def test_a_claim_above_the_budget_is_never_made(tape) -> None:
    ledger = Ledger(Budget(1.0), tape)
    ledger.counts("marginals", "a", COUNTS, 1.0)
    ledger._lines *= 2
    with pytest.raises(PrivacyError, match="costs at most its budget"):
        ledger.claim()


def test_without_an_accountant_a_ledger_is_not_even_opened(
    tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    with pytest.raises(PrivacyError, match=r"pip install 'synthvae\[dp\]'"):
        Ledger(Budget(1.0), tape)


def test_a_ledger_is_written_down_whole(tape) -> None:
    ledger = Ledger(Budget(1.0), tape)
    ledger.counts("marginals", "a", COUNTS, 0.5)
    written = json.loads(json.dumps(ledger.to_json()))
    assert written["budget"] == ledger.budget.to_json()
    assert written["lines"] == [line.to_json() for line in ledger.lines]
    assert written["spent"] == 0.5
