"""The one door to the rows of a private fit: what passes is noised, paid for and written down.

How epsilon is divided. Releases of counts are Gaussian, so their costs add up in 1 / sigma^2. If
all of the budget went into one release of sensitivity 1, its noise would be `base`; a `share` of
the budget buys noise of base / sqrt(share), and shares that sum to 1 cost epsilon exactly. Choices
are paid for as the Gaussian release that tells no less than they do. Training is a sampled
Gaussian: its noise is what the accountant finds to fit beside all that was spent.

Rates, steps and the shares of stages come from settings and metadata, never from the rows, and not
from what was released before either: what the accountant adds up is a plan that was fixed
beforehand. How the share of a stage is cut into releases may follow from earlier ones, as long as
all of it is spent: Gaussian releases chosen one after the other cost what the sum of their
1 / sigma^2 says, if that sum is fixed (Smith & Thakurta 2022).

How delta is divided. A fixed part is set aside for the discovery of keys when the ledger is opened,
everything else is measured at the rest, and what is set aside and not spent is never used: the
claim is made for the whole of delta, and comes out a little below the budget. Nothing to
discover: open the ledger with `key_delta_share=0`.

Grain. Noise stands on a grid of 1 / GRAIN. The tail of a discrete Gaussian has steps where that of
the continuous one slopes, and on whole numbers delta can differ by a factor of about
1 + (epsilon * share)^2 / 12. On the finer grid the 12 is 12 GRAIN^2, so that what is drawn is what
the accountant computes with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthvae.errors import PrivacyError, UsageError
from synthvae.privacy.accounting import (
    Event,
    alone,
    attack_limits,
    choosing_epsilon,
    composed,
    gaussian_noise,
    require,
    sampled_noise,
)
from synthvae.privacy.budget import Budget
from synthvae.privacy.entries import Claim, Line, Noisy
from synthvae.privacy.noise import Noise, SecureNoise
from synthvae.privacy.threshold import threshold

__all__ = ["GRAIN", "Claim", "Ledger", "Line", "Noisy"]

GRAIN = 1024
ROUNDING = 1e-9  # shares are sums of floats
_MARGIN = 1 + 2e-5  # noise above the closed form, so that the accountant's grid stays in the budget
_ALL = 1.0
_PART, _MOST_ROWS = 0.01, 2**16  # what the counts of a column get, about; and their noise


class Ledger:
    """Spends one budget. PrivacyError for what would exceed it, and after `close`."""

    def __init__(
        self, budget: Budget, noise: Noise | None = None, key_delta_share: float = 0.1
    ) -> None:
        if not 0 <= key_delta_share < 1:
            raise PrivacyError(
                f"keys get a share of delta from 0 to below 1, but not {key_delta_share}; lower it"
            )
        require()
        self.budget = budget
        self._noise: Noise = SecureNoise() if noise is None else noise
        self._lines: list[Line] = []
        self._spent = 0.0
        self._closed = False
        self._key_delta = budget.delta * key_delta_share
        self._delta = budget.delta - self._key_delta
        self._base = gaussian_noise(budget.epsilon, self._delta) * _MARGIN
        if self.sigma(_PART) > _MOST_ROWS:  # before anything is spent
            raise UsageError(
                f"a count has noise of {_MOST_ROWS:,} rows at most, but one that gets {_PART:.0%} "
                f"of epsilon {budget.epsilon:g} for {budget.contributions} rows a unit would have "
                "more, and nothing of a table is left under it; raise epsilon"
            )

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(self._lines)

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(line.event for line in self._lines)

    @property
    def spent(self) -> float:
        """The share of the budget that is gone."""
        return min(self._spent, _ALL)

    @property
    def left(self) -> float:
        return _ALL - self.spent

    @property
    def key_delta(self) -> float:
        """Delta that was spent on the discovery of keys."""
        return math.fsum(line.delta for line in self._lines)

    @property
    def key_delta_left(self) -> float:
        """Delta that is set aside for the discovery of keys, and not spent."""
        return max(self._key_delta - self.key_delta, 0.0)

    @property
    def noise_source(self) -> str:
        return getattr(self._noise, "source", type(self._noise).__name__)

    @property
    def seeded(self) -> bool:
        """Whether the noise may be drawn again: of any but the operating system's that is so."""
        return not isinstance(self._noise, SecureNoise)

    def sigma(self, share: float, sensitivity: float = 1.0) -> float:
        """Noise that `counts` would add for `share`, in whole grains: a plan costs nothing."""
        exact = sensitivity * self.budget.contributions * self._base / math.sqrt(share)
        return math.ceil(exact * GRAIN) / GRAIN

    def threshold(self, share: float, delta: float) -> float:
        """The noisy count above which `keys` would release a name."""
        return threshold(self.sigma(share), delta, self.budget.contributions, 1 / GRAIN)

    def counts(
        self,
        stage: str,
        what: str,
        counts: NDArray[np.integer[Any]],
        share: float,
        sensitivity: float = 1.0,
    ) -> Noisy:
        """Counts of any shape with noise. `sensitivity` is the L2 change by one row: 1 for a
        histogram, sqrt(d) for d of them in one call."""
        if not np.issubdtype(counts.dtype, np.integer):
            raise PrivacyError(f"counts are whole numbers, but {what} is of {counts.dtype}")
        self._take(what, share)
        sigma = self.sigma(share, sensitivity)
        self._record(stage, what, "gaussian", sigma, sensitivity, cells=counts.size)
        return Noisy(counts + self._noise.gaussian(counts.shape, sigma * GRAIN) / GRAIN, sigma)

    def keys(
        self, stage: str, what: str, counts: Mapping[str, int], share: float, delta: float
    ) -> dict[str, float]:
        """Names whose noisy count passes a threshold, in their own order, with those counts.

        A row has one name at most. That a name of one unit alone comes out has a chance of
        `delta` (see `threshold`). Names without a row are never released.
        """
        if not delta > 0 or self.key_delta + delta > self._key_delta * (1 + ROUNDING):
            raise PrivacyError(
                f"keys share a delta of {self._key_delta:g}, of which {self.key_delta:g} is spent, "
                f"but {what} asks for {delta:g}; ask for less or declare the categories"
            )
        self._take(what, share)
        sigma = self.sigma(share)
        grains = {name: counts[name] * GRAIN for name in sorted(counts) if counts[name] > 0}
        least = math.floor(self.threshold(share, delta) * GRAIN) + 1
        passed = self._noise.above(grains, sigma * GRAIN, least)
        released = {name: passed[name] / GRAIN for name in sorted(passed)}
        # The number of cells is that of released names: how many there were is private.
        self._record(stage, what, "threshold", sigma, delta=delta, cells=len(released))
        return released

    def best(
        self, stage: str, what: str, scores: NDArray[np.integer[Any]], most: int, share: float
    ) -> NDArray[np.int64]:
        """Places [A, most] of about the highest in each row of `scores` [A, M], of which one row of
        the table moves each by 1 at most, up or down. By A * most exponential mechanisms, which
        together tell no more than `counts` for `share` do; how high the scores are isn't said."""
        if not np.issubdtype(scores.dtype, np.integer):
            raise PrivacyError(f"scores are whole numbers, but {what} is of {scores.dtype}")
        if not (len(scores) and 1 <= most <= scores.shape[1]):
            raise PrivacyError(f"{what}: {most} can't be chosen of scores {scores.shape}")
        self._take(what, share)
        picks, sigma = len(scores) * most, self.sigma(share)
        each = choosing_epsilon(sigma / self.budget.contributions * math.sqrt(picks))
        scale = 2 * self.budget.contributions / each
        self._record(stage, what, "exponential", sigma, cells=picks)
        return np.stack([self._noise.best(row, scale, most) for row in scores])

    def train(self, stage: str, what: str, rate: float, steps: int, share: float = _ALL) -> float:
        """Noise multiplier of `steps` Poisson-sampled Gaussians: sigma over the norm to which one
        row is clipped. `share` is that of what is left; all of it unless something follows.

        With several rows a unit, whole units are drawn, at `rate`.
        """
        self._open(what)
        if not 0 < share <= _ALL:
            raise PrivacyError(
                f"training takes a share in (0, 1] of what is left, but it is {share}"
            )
        kept = self.left * (_ALL - share)
        before = [*self.events, *([Event(self._base / math.sqrt(kept))] if kept else [])]
        noise = sampled_noise(self.budget.epsilon, self._delta, before, rate, steps)
        self._spent = _ALL - kept
        sigma = noise * self.budget.contributions
        self._record(stage, what, "sampled gaussian", sigma, rate=rate, steps=steps)
        return sigma

    def close(self) -> None:
        """Nothing more is spent: what follows sees released values only."""
        self._closed = True

    def claim(self) -> Claim:
        """The whole cost; PrivacyError if it is above the budget, which would be our fault."""
        cost = composed(self.events, self.budget.delta - self.key_delta)
        if cost.pld > self.budget.epsilon * (1 + ROUNDING):
            raise PrivacyError(
                f"a fit costs at most its budget, but this one cost {cost.pld} of "
                f"{self.budget.epsilon}; nothing is claimed, report this"
            )
        limits = attack_limits(self.events, self.key_delta)
        return Claim(cost.pld, self.budget.delta, cost.rdp, limits)

    def to_json(self) -> dict[str, Any]:
        return {
            "budget": self.budget.to_json(),
            "spent": self.spent,
            "lines": [line.to_json() for line in self._lines],
        }

    def _open(self, what: str) -> None:
        if self._closed:
            raise PrivacyError(
                f"a closed ledger pays for nothing, but {what} asks; pay before it is closed"
            )

    def _take(self, what: str, share: float) -> None:
        self._open(what)
        if not share > 0 or self._spent + share > _ALL + ROUNDING:
            raise PrivacyError(
                f"shares of a budget are above 0 and sum to 1 at most, but {what} asks for "
                f"{share:g} and {self.left:g} is left; ask for less"
            )
        self._spent += share

    def _record(
        self, stage: str, what: str, mechanism: str, sigma: float, row: float = 1.0, **more: Any
    ) -> None:
        """Append a line; `row` is the L2 sensitivity to one row."""
        sensitivity = row * self.budget.contributions
        event = Event(sigma / sensitivity, more.get("rate", 1.0), more.get("steps", 1))
        self._lines.append(
            Line(
                stage=stage,
                what=what,
                mechanism=mechanism,
                sensitivity=sensitivity,
                sigma=sigma,
                epsilon_alone=alone(event, self.budget.delta),
                **more,
            )
        )
