"""Round numbers and moments for the edges of bins, and how they are written."""

from __future__ import annotations

import math

import numpy as np

from synthvae.evaluation.stats import Floats

_TAIL = 0.005
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_UNITS = (  # numpy's unit, and how many of them make a step
    *(("s", n) for n in (1, 10, 60, 600, 3600, 21600)),
    *(("D", n) for n in (1, 2, 7, 14)),
    *(("M", n) for n in (1, 2, 3, 6)),
    *(("Y", n) for n in (1, 2, 5, 10, 20, 50, 100)),
)


def linear_edges(values: Floats, bins: int) -> Floats:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten, around 99 % of `values`; at most `bins`
    steps, or one more."""
    low, high = np.quantile(values, (_TAIL, 1 - _TAIL))
    if not high > low:
        return np.empty(0)
    step = nice_step((high - low) / bins)
    if (values == np.round(values)).all():
        step = max(1.0, math.ceil(step))  # else every other bin of whole numbers would be empty
    # Bins hold their lower end: where the largest value is an edge it gets a bin of its own.
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return np.arange(first, last + 1) * step


def log_edges(values: Floats, bins: int) -> Floats:
    """Two significant digits, evenly spaced on a logarithmic scale, around 99 % of positive
    `values`."""
    low, high = np.log10(np.quantile(values, (_TAIL, 1 - _TAIL)))
    if not high > low:
        return np.empty(0)
    step = max((high - low) / bins, 0.05)
    places = np.arange(math.floor(low / step), math.ceil(high / step) + 1) * step
    return np.unique([float(f"{10**place:.1e}") for place in places])


def moment_edges(seconds: Floats, bins: int) -> Floats:
    """Whole seconds, hours, days, months or years, around 99 % of `seconds` since 1970."""
    low, high = np.quantile(seconds, (_TAIL, 1 - _TAIL))
    if not high > low:
        return np.empty(0)
    ends = np.array([low, high]).astype("datetime64[s]")
    for unit, count in _UNITS:
        first, last = ends.astype(f"datetime64[{unit}]").astype(np.int64) // count
        if last - first < bins:
            break
    steps = np.arange(first, last + 2) * count
    moments = steps.astype(f"datetime64[{unit}]").astype("datetime64[s]")
    return np.asarray(moments.astype(np.int64), dtype=np.float64)


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `least` > 0."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9))


def written(value: float) -> str:
    """A number as people write it: `1,200`, `0.25`."""
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:.6g}"
