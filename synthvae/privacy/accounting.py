"""What all releases together cost.

The claim is made from privacy loss distributions (PLD, an upper bound that is nearly exact), and
held against Renyi differential privacy (RDP, looser, another code path). The Gaussian
approximation of DP-SGD under-reports and has no place here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthvae.errors import PrivacyError
from synthvae.privacy.gaussian import (
    attack_limit,
    choosing_epsilon,
    epsilon_for_attack,
    epsilon_of,
    gaussian_noise,
)

__all__ = [
    "Composed",
    "Event",
    "alone",
    "attack_limits",
    "choosing_epsilon",
    "composed",
    "epsilon_for_attack",
    "gaussian_noise",
    "merged",
    "most_found",
    "require",
    "sampled_noise",
]

PRECISE = 1.003  # sampled_noise is at most this much above the least noise
FALSE_POSITIVES = (0.01, 0.001)
_STRIDE = 1.08
_FAR = 1e3
# Smaller ones decide nothing at a delta worth having, and some of their sums don't converge.
_ORDERS = [*(2 + x / 10 for x in range(90)), *range(11, 64), 128, 256, 512, 1024]


@dataclass(frozen=True)
class Event:
    """`steps` Gaussian releases, each on a Poisson sample that holds a unit with chance `rate`.

    `noise` is the standard deviation of the noise over the L2 sensitivity.
    """

    noise: float
    rate: float = 1.0
    steps: int = 1

    def __post_init__(self) -> None:
        if not (self.noise > 0 and 0 < self.rate <= 1 and self.steps >= 1):
            raise PrivacyError(
                f"an event has noise above 0, a rate in (0, 1] and a step or more, but it is {self}"
            )


@dataclass(frozen=True)
class Composed:
    """Epsilon of the same events by two accountants."""

    pld: float
    rdp: float


def require() -> None:
    """PrivacyError if the accountant isn't installed; better before a fit than after it."""
    _library()


def merged(events: Iterable[Event]) -> list[Event]:
    """The same privacy in few events: plain Gaussians add up in 1 / noise^2, exactly."""
    precision = 0.0
    sampled: Counter[tuple[float, float]] = Counter()
    for event in events:
        if event.rate == 1:
            precision += event.steps / event.noise**2
        else:
            sampled[event.noise, event.rate] += event.steps
    plain = [Event(precision**-0.5)] if precision else []
    return plain + [Event(*key, steps) for key, steps in sampled.items()]


def composed(events: Iterable[Event], delta: float) -> Composed:
    """Epsilon of all `events` together at `delta`."""
    few = merged(events)
    if not few:
        return Composed(0.0, 0.0)
    losses = _losses(few, _interval(few))
    result = Composed(float(losses.get_epsilon_for_delta(delta)), _rdp(few, delta))
    if result.pld > result.rdp * 1.01 + 1e-3:
        raise PrivacyError(
            "the exact accountant is never above the loose one, but epsilon is "
            f"{result.pld:.4f} by PLD and {result.rdp:.4f} by RDP; nothing is claimed, report this"
        )
    return result


def alone(event: Event, delta: float) -> float:
    """Epsilon of one event at `delta`, as if nothing else were released."""
    (one,) = merged([event])
    return composed([one], delta).pld if one.rate < 1 else epsilon_of(one.noise, delta)


def sampled_noise(
    epsilon: float, delta: float, before: Sequence[Event], rate: float, steps: int
) -> float:
    """Noise multiplier of `steps` Poisson-sampled Gaussians that bring what `before` cost up to
    `epsilon`: never above it, and within 0.3 % of the least noise."""
    fixed = merged(before)
    guess = _guess(epsilon, delta, fixed, rate, steps)
    interval = _interval([*fixed, Event(guess, rate, steps)])
    start = _losses(fixed, interval) if fixed else None
    if start and start.get_epsilon_for_delta(delta) >= epsilon:
        raise PrivacyError(
            f"training needs epsilon left over, but of {epsilon:g} all is spent before it; "
            "leave it a share"
        )

    def fits(noise: float) -> bool:
        losses = _losses(merged([Event(noise, rate, steps)]), interval)
        total = losses.compose(start) if start else losses
        return bool(total.get_epsilon_for_delta(delta) <= epsilon)

    high = guess
    while not fits(high):
        high *= _STRIDE
        if high > _FAR * guess:
            raise PrivacyError(
                f"noise is found that costs epsilon {epsilon:g} at delta {delta:g}, but the "
                "accountant names no cost at that delta; raise delta"
            )
    low = high / _STRIDE
    while fits(low):
        low, high = low / _STRIDE, low
    while high > low * PRECISE:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _guess(epsilon: float, delta: float, before: Sequence[Event], rate: float, steps: int) -> float:
    """Where the search for noise begins: the Gaussian approximation, which is near and too low."""
    total = gaussian_noise(epsilon, delta) ** -2
    left = max(total - sum(event.steps * _spread(event) ** 2 for event in before), 0.01 * total)
    return float(math.log1p(left / (rate**2 * steps)) ** -0.5)


def _spread(event: Event) -> float:
    """About the standard deviation of the privacy loss of one step."""
    plain = event.noise**-2
    return math.sqrt(plain if event.rate == 1 else event.rate**2 * math.expm1(plain))


def _interval(events: Sequence[Event]) -> float:
    """A grid fine enough that rounding costs 1e-3 of epsilon, of plain Gaussians 1e-5."""
    fine = [_spread(event) / (256 if event.rate == 1 else 16) for event in events]
    return min(1e-3, max(1e-6, min(fine)))


def attack_limits(events: Iterable[Event], delta: float = 0.0) -> dict[str, float]:
    """`most_found` at FALSE_POSITIVES, by false positive rate."""
    found = most_found(events, np.array(FALSE_POSITIVES), delta)
    return {f"{fpr:g}": float(tpr) for fpr, tpr in zip(FALSE_POSITIVES, found, strict=True)}


def most_found(
    events: Iterable[Event], fpr: NDArray[np.float64], delta: float = 0.0
) -> NDArray[np.float64]:
    """[F]: the greatest true positive rate of any attacker on one unit, at false positive rates
    `fpr` [F] above 0.

    The trade-off curve of the events, in closed form if all are plain Gaussians: at each epsilon,
    neither tpr <= e^epsilon * fpr + delta(epsilon) nor the same of true and false negatives may be
    broken. `delta` is spent beside them (thresholds of discovered categories).
    """
    few = merged(events)
    if all(event.rate == 1 for event in few):
        closed = attack_limit(few[0].noise, fpr) if few else fpr
        return np.asarray(np.minimum(closed + delta, 1.0))
    epsilon = np.linspace(0, -np.log(fpr.min()), 4001)
    beyond = _losses(few, _interval(few)).get_delta_for_epsilon(epsilon)
    positives = (np.exp(epsilon) * fpr[:, None] + beyond).min(axis=1)
    negatives = (np.exp(-epsilon) * (1 - fpr[:, None] - beyond)).max(axis=1)
    return np.asarray(np.minimum(np.minimum(positives, 1 - negatives) + delta, 1.0))


def _losses(events: Sequence[Event], interval: float) -> Any:
    """The privacy loss distribution of all `events`, one or more, on a grid of `interval`."""
    make = _library().pld.privacy_loss_distribution.from_gaussian_mechanism
    parts = [
        make(event.noise, sampling_prob=event.rate, value_discretization_interval=interval)
        for event in events
    ]
    parts = [
        part.self_compose(event.steps) if event.steps > 1 else part
        for part, event in zip(parts, events, strict=True)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total.compose(part)
    return total


def _rdp(events: Sequence[Event], delta: float) -> float:
    library = _library()
    accountant = library.rdp.RdpAccountant(orders=_ORDERS)
    for event in events:
        release = library.GaussianDpEvent(event.noise)
        if event.rate < 1:
            release = library.PoissonSampledDpEvent(event.rate, release)
        accountant.compose(release, event.steps)
    return float(accountant.get_epsilon(delta))


def _library() -> Any:
    try:
        import dp_accounting
        import dp_accounting.pld
        import dp_accounting.rdp
    except ImportError as error:
        raise PrivacyError(
            "a private fit is paid for by dp-accounting, but it isn't installed; "
            "pip install 'synthvae[dp]'"
        ) from error
    return dp_accounting
