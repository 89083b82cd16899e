"""How the numbers of an audit are written, in every text of it: shares in percent, areas and
epsilons as numbers."""

from __future__ import annotations

import math
from typing import Literal

from synthvae.evaluation.records import Interval

Unit = Literal["AUC", "share", "epsilon"]


def figure(value: float, unit: Unit) -> str:
    """'0.581', '0.21 %', '1.30'; '?' for what is not known."""
    if not math.isfinite(value):
        return "?"
    if unit == "share":
        return f"{100 * value:.2f} %"
    return f"{value:.3f}" if unit == "AUC" else f"{value:.2f}"


def between(interval: Interval, unit: Unit) -> str:
    """'0.568 to 0.594'; of a bound from below '1.30 or more'."""
    if math.isinf(interval.high):
        return f"{figure(interval.low, unit)} or more"
    return f"{figure(interval.low, unit)} to {figure(interval.high, unit)}"


def measured(value: float, interval: Interval, unit: Unit) -> str:
    """'0.581 (0.568 to 0.594)'."""
    if math.isnan(value):
        return "not measured"
    return f"{figure(value, unit)} ({between(interval, unit)})"
