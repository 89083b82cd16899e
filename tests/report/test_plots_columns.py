"""Axes of moments, up to where calendars end."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from synthvae.report.plots_columns import _moments

YEAR = 365.25 * 86_400


@pytest.mark.parametrize(("low", "high"), [(-1970, 30), (0, 8100), (-2000, 8100), (40, 41)])
def test_ticks_of_moments_stand_on_the_axis(low: float, high: float) -> None:
    axes = Figure().subplots()
    _moments(axes, low * YEAR, high * YEAR)
    ticks = axes.get_xticks()
    assert len(ticks)
    assert all(low * YEAR <= tick <= high * YEAR for tick in ticks)
