"""The grid that a column's numbers stand on: origin + k * step, in units of 10^-places.

Prices step by 0.01, bathrooms by 0.25, dates by a day. A decoder draws reals; the grid makes them
values that the column could hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthvae.written import Values

_EXACT = 2.0**50  # 15 digits: more of them are not exact once scaled by a power of ten
_REACH = 2.0**62


def reach(places: int) -> float:
    """How far a grid of so many decimal places reaches from 0. Whole numbers are not scaled, so
    they stay whole and on a grid up to where int64 ends."""
    return (_EXACT if places else _REACH) / 10.0**places


@dataclass(frozen=True)
class Grid:
    """`step` and `origin` count units of 10^-places; step 0: there is no grid, values are reals."""

    places: int
    step: int
    origin: int = 0

    @staticmethod
    def fit(values: Values, places: int) -> Grid:
        """The coarsest grid on which all `values` [n] stand, given their decimal places."""
        scale = 10.0**places
        if not len(values) or np.abs(values).max() >= reach(places):
            return Grid(places, 0)
        ticks = np.rint(values * scale).astype(np.int64)
        step = int(np.gcd.reduce(ticks - ticks[0]))
        # A float can't count more steps than that; small steps far from 0 come from small numbers.
        if not step or np.abs(ticks).max() >= 2.0**51 * step:
            return Grid(places, 1)
        return Grid(places, step, int(ticks[0] % step))

    @property
    def unit(self) -> float:
        """The distance of neighbouring values; 0 without a grid."""
        return self.step / 10.0**self.places

    def index(self, values: Values) -> NDArray[np.int64]:
        """k of the grid point that is nearest to each value [n]."""
        scaled = np.clip(values * 10.0**self.places, -_REACH, _REACH)
        return np.rint((scaled - self.origin) / self.step).astype(np.int64)

    def at(self, index: NDArray[np.int64]) -> Values:
        """Grid points k [n]; division by a power of ten keeps decimals exact."""
        return (index * self.step + self.origin) / 10.0**self.places

    def ticks(self, values: Values) -> NDArray[np.int64]:
        """The nearest grid point of each value [n], as a whole number of 10^-places."""
        return self.index(values) * self.step + self.origin

    def snap(self, values: Values) -> Values:
        """The nearest value on the grid [n]."""
        return self.at(self.index(values)) if self.step else values
