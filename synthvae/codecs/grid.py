"""The grid that a column's numbers stand on: origin + k * step, in units of 10^-places.

Prices step by 0.01, bathrooms by 0.25, dates by a day. A decoder draws reals; the grid makes them
values that the column could hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthvae.written import Values

_EXACT = 2.0**53


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
        if not len(values) or np.abs(values).max() * scale >= _EXACT:
            return Grid(places, 0)
        ticks = np.rint(values * scale).astype(np.int64)
        step = int(np.gcd.reduce(ticks - ticks[0]))
        return Grid(places, step, int(ticks[0] % step)) if step else Grid(places, 1, 0)

    @property
    def unit(self) -> float:
        """The distance of neighbouring values; 0 without a grid."""
        return self.step / 10.0**self.places

    def ticks(self, values: Values) -> NDArray[np.int64]:
        """The nearest grid point of each value [n], as a whole number of 10^-places."""
        reach = _EXACT * 512
        scaled = np.clip(values * 10.0**self.places, -reach, reach)
        step = np.rint((scaled - self.origin) / self.step).astype(np.int64)
        return step * self.step + self.origin

    def snap(self, values: Values) -> Values:
        """The nearest value on the grid [n]; division by a power of ten keeps decimals exact."""
        return self.ticks(values) / 10.0**self.places if self.step else values
