"""What was not declared, found under noise and paid for: bounds, decimal places, categories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthvae.marginals.domain import BOOLEANS, MOST_PLACES, Declared
from synthvae.privacy.ledger import Ledger
from synthvae.table import Column
from synthvae.written import Values, numbers_of

SURE = 4.0  # standard deviations of noise
SURE_OF_END = 5.0  # of some 340 magnitudes, each of which may set an end
_EXPONENTS = (-20, 62)  # powers of two that magnitudes are sorted by
_COVERED = 0.99  # of the numbers are written with as many places


def asks(column: Declared) -> int:
    """How many counts it takes to find what `column` does not declare."""
    if column.kind == "category":
        return int(column.levels is None)
    if column.kind == "number":
        return int(column.places is None) + int(column.low is None or column.high is None)
    return 0


def discovered(
    ledger: Ledger, column: Declared, data: Column, share: float, delta: float
) -> Declared:
    """`column` with nothing left undeclared: `share` of the budget for each of what it `asks`, and
    `delta` if it is a category."""
    if column.sdtype == "boolean":
        return replace(column, levels=_spelled(ledger, column, data, share))
    if column.kind == "category" and column.levels is None:
        return replace(column, levels=_levels(ledger, column, data, share, delta))
    if column.kind != "number":
        return column
    if column.places is None:
        column = replace(column, places=_places(ledger, column, data, share))
    if column.low is None or column.high is None:
        low, high = _bounds(ledger, column, data, share)
        column = replace(
            column,
            low=low if column.low is None else column.low,
            high=high if column.high is None else column.high,
        )
    return replace(column, high=max(column.high or 0.0, column.low or 0.0))


def _levels(
    ledger: Ledger, column: Declared, data: Column, share: float, delta: float
) -> tuple[str, ...]:
    counts = {
        text: int(count)
        for text, count in zip(data.texts, data.counts.tolist(), strict=True)
        if text not in column.missing
    }
    found = ledger.keys("discovery", f"categories of {column.name}", counts, share, delta)
    return tuple(sorted(found))


def _spelled(ledger: Ledger, column: Declared, data: Column, share: float) -> tuple[str, ...]:
    """How yes and no are written: two of the known ways, since a boolean has two values."""
    counts = dict(zip(data.texts, data.counts.tolist(), strict=True))
    known = np.array([counts.get(text, 0) for text in BOOLEANS], np.int64)
    noisy = ledger.counts("discovery", f"spelling of {column.name}", known, share)
    most = np.argsort(-noisy.values)[:2]
    held = [int(i) for i in most if noisy.values[i] > SURE * noisy.sigma]
    return tuple(BOOLEANS[i] for i in held or most[:1])


def _places(ledger: Ledger, column: Declared, data: Column, share: float) -> int:
    """Decimal places that nearly all numbers do with."""
    fraction = pc.utf8_rtrim(pc.extract_regex(data.levels, r"\.(?P<f>\d*)").field("f"), "0")
    places = np.minimum(pc.utf8_length(fraction).fill_null(0).to_numpy(), MOST_PLACES)
    of_row = places[_there(column, data)]
    noisy = ledger.counts(
        "discovery",
        f"decimal places of {column.name}",
        np.bincount(of_row, minlength=MOST_PLACES + 1),
        share,
    )
    shown = np.where(noisy.values > SURE * noisy.sigma, noisy.values, 0.0)
    if not shown.sum():
        return 0
    return int(np.argmax(np.cumsum(shown) >= _COVERED * shown.sum()))


def _bounds(ledger: Ledger, column: Declared, data: Column, share: float) -> tuple[float, float]:
    """Powers of two, and 0, between which all magnitudes stand that many rows have."""
    values = numbers_of(data.levels)[_there(column, data)]
    lowest, highest = _EXPONENTS
    ends = np.ldexp(1.0, np.arange(lowest, highest + 1))
    edges = np.concatenate([-ends[::-1], [0.0], ends])
    place = _bucket(values[np.isfinite(values)], edges)
    noisy = ledger.counts(
        "discovery",
        f"bounds of {column.name}",
        np.bincount(place, minlength=2 * len(edges) + 1),
        share,
    )
    held = np.flatnonzero(noisy.values > SURE_OF_END * noisy.sigma)
    if not len(held):
        return 0.0, 1.0
    last = len(edges) - 1
    return float(edges[max((held[0] + 1) // 2 - 1, 0)]), float(edges[min(held[-1] // 2, last)])


def _there(column: Declared, data: Column) -> NDArray[np.int32]:
    """The codes [n] of rows that have a value."""
    known = np.array([*(text not in column.missing for text in data.texts), False])
    codes: NDArray[np.int32] = data.codes[known[data.codes]]
    return codes


def _bucket(values: Values, edges: Values) -> NDArray[np.int64]:
    """2 i for a value between edges i - 1 and i, 2 i + 1 for one that is edge i itself."""
    right = np.searchsorted(edges, values, side="left")
    on_edge = edges[np.minimum(right, len(edges) - 1)] == values
    return np.asarray(2 * right + on_edge, np.int64)
