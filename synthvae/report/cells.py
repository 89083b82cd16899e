"""What may be drawn of a real column: cells that hold at least ten rows of each real table.

Edges of bins are round numbers, so that none is a value of the table, and whatever lies beyond the
outermost bins is counted in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthvae.evaluation.stats import Bools, Floats, is_number
from synthvae.report.edges import linear_edges, log_edges, moment_edges, written

LEAST = 10
MOST_LEVELS = 14
MOST_VALUES = 25
SPIKE = 0.1
OTHER, MISSING = "other", "no value"

Scale = Literal["category", "value", "linear", "log", "time"]
Masks = tuple[Bools, Bools, Bools]  # of real, holdout, synthetic rows


@dataclass(frozen=True)
class Cell:
    """One bar or bin: shares of the drawn rows, by table."""

    label: str
    real: float
    holdout: float
    synthetic: float


@dataclass(frozen=True)
class Overlay:
    """One column of three tables. `bars`: categories, single values, missing. `edges` [m + 1]:
    ends of the `bins` [m], in the column's unit; moments in seconds since 1970."""

    scale: Scale
    bars: tuple[Cell, ...]
    edges: tuple[float, ...]
    bins: tuple[Cell, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        cells = {"bars": self.bars, "bins": self.bins}
        lists = {name: [asdict(cell) for cell in each] for name, each in cells.items()}
        return {"scale": self.scale, **lists, "edges": list(self.edges)}


def overlay(
    real: pd.Series, holdout: pd.Series, synthetic: pd.Series, moments: bool = False
) -> Overlay | None:
    """The cells of one column; None where fewer than two could be drawn.

    Every cell holds at least 10 rows of the real table and 10 of the holdout. Rarer categories and
    single values are merged into 'other', bins into their neighbours; what is left of 'missing' is
    not drawn.
    """
    columns = (real, holdout, synthetic)
    if not is_number(real):
        return _categories(columns)
    levels = real.dropna().unique()
    if len(levels) <= MOST_VALUES and not moments:
        return _values(columns, np.sort(levels))
    return _histogram(columns, moments)


def _categories(columns: Sequence[pd.Series]) -> Overlay | None:
    counts = columns[0].value_counts()
    # Ties go by the text: their order in the table is nobody's business.
    ordered = sorted(counts.index, key=lambda level: (-counts[level], str(level)))
    cells = [(str(level), _masks(columns, _is(level))) for level in ordered[:MOST_LEVELS]]
    cells.append((MISSING, _masks(columns, lambda column: column.isna().to_numpy())))
    return _bars(columns, cells, "category")


def _values(columns: Sequence[pd.Series], levels: Floats) -> Overlay | None:
    cells = [(written(level), _masks(columns, _is(level))) for level in levels]
    cells.append((MISSING, _masks(columns, lambda column: column.isna().to_numpy())))
    return _bars(columns, cells, "value")


def _bars(
    columns: Sequence[pd.Series], cells: list[tuple[str, Masks]], scale: Scale
) -> Overlay | None:
    """Cells that may be drawn, and 'other', into which as many go as it takes to fill it."""
    kept = [cell for cell in cells if _enough(cell[1])]
    rest = _rest(columns, [masks for _, masks in kept])
    while kept and any(each.any() for each in rest) and not _enough(rest):
        fewest = min(range(len(kept)), key=lambda at: (kept[at][1][0].sum(), -at))
        kept.pop(fewest)
        rest = _rest(columns, [masks for _, masks in kept])
    if any(each.any() for each in rest):
        kept.append((OTHER, rest))
    if len(kept) < 2:
        return None
    return Overlay(scale, _cells(kept), (), ())


def _histogram(columns: Sequence[pd.Series], moments: bool) -> Overlay | None:
    """Bins, and bars for 'missing' and for single values that hold a tenth of the rows."""
    shares = columns[0].value_counts(normalize=True)
    spikes = [] if moments else sorted(shares.index[shares >= SPIKE])
    bars = [(f"= {written(value)}", _masks(columns, _is(value))) for value in spikes]
    bars.append((MISSING, _masks(columns, lambda column: column.isna().to_numpy())))
    bars = [cell for cell in bars if _enough(cell[1])]
    rest = _rest(columns, [masks for _, masks in bars])
    rest = tuple(m & c.notna().to_numpy() for m, c in zip(rest, columns, strict=True))  # type: ignore[assignment]
    values = [c.to_numpy(np.float64)[m] for c, m in zip(columns, rest, strict=True)]
    scale, edges = _edges(values, moments)
    edges, bins = _merged(values, edges)
    if len(edges) == 0 or len(bars) + len(bins) < 2:
        return None
    return _drawn(scale, bars, edges, bins)


def _edges(values: Sequence[Floats], moments: bool) -> tuple[Scale, Floats]:
    """Round ends of about 40 bins; fewer where the holdout is small."""
    ours = values[0]
    if len(ours) < 2 * LEAST:
        return "linear", np.empty(0)
    bins = int(np.clip(2 * len(values[1]) ** (1 / 3), 8, 40))
    if moments:
        return "time", moment_edges(ours, bins)
    low, middle, high = np.quantile(ours, (0.005, 0.5, 0.995))
    if (ours > 0).all() and high - low > 8 * (middle - low):
        return "log", log_edges(ours, bins)
    return "linear", linear_edges(ours, bins)


def _merged(values: Sequence[Floats], edges: Floats) -> tuple[Floats, list[Floats]]:
    """Neighbouring bins made one until each holds enough; counts [3] of each."""
    if len(edges) < 2:
        return np.empty(0), []
    inner = edges[1:-1]
    counts = [np.bincount(np.searchsorted(inner, v, "right"), minlength=len(edges) - 1)
              for v in values]  # fmt: skip
    table = np.stack(counts, axis=1).astype(np.float64)
    ends, found, sum_ = [edges[0]], [], np.zeros(3)
    for at, row in enumerate(table):
        sum_ = sum_ + row
        if (sum_[:2] >= LEAST).all():
            ends.append(edges[at + 1])
            found.append(sum_)
            sum_ = np.zeros(3)
    if not found:
        return np.empty(0), []
    found[-1] = found[-1] + sum_
    ends[-1] = edges[-1]
    return np.array(ends), found


def _drawn(
    scale: Scale, bars: list[tuple[str, Masks]], edges: Floats, bins: list[Floats]
) -> Overlay:
    counts = [np.array([mask.sum() for mask in masks], float) for _, masks in bars]
    totals = np.sum([*counts, *bins], axis=0)
    shares = [_shares(count, totals) for count in (*counts, *bins)]
    names = [name for name, _ in bars]
    ends = [float(f"{edge:.12g}") for edge in edges]
    spans = [f"{a!r} to {b!r}" for a, b in pairwise(ends)]
    found = [Cell(n, *each) for n, each in zip([*names, *spans], shares, strict=True)]
    return Overlay(scale, tuple(found[: len(bars)]), tuple(ends), tuple(found[len(bars) :]))


def _cells(kept: list[tuple[str, Masks]]) -> tuple[Cell, ...]:
    counts = [np.array([mask.sum() for mask in masks], float) for _, masks in kept]
    totals = np.sum(counts, axis=0)
    return tuple(
        Cell(name, *_shares(count, totals)) for (name, _), count in zip(kept, counts, strict=True)
    )


def _shares(counts: Floats, totals: Floats) -> list[float]:
    """Four digits: more would tell counts of what is not drawn."""
    return [round(float(c / t), 4) if t else 0.0 for c, t in zip(counts, totals, strict=True)]


def _is(value: object) -> Callable[[pd.Series], Bools]:
    return lambda column: (column == value).fillna(False).to_numpy(bool)


def _masks(columns: Sequence[pd.Series], where: Callable[[pd.Series], Bools]) -> Masks:
    real, holdout, synthetic = (where(column) for column in columns)
    return real, holdout, synthetic


def _rest(columns: Sequence[pd.Series], taken: Sequence[Masks]) -> Masks:
    """The rows that are in none of the cells."""
    left = [np.ones(len(column), bool) for column in columns]
    for masks in taken:
        for at, mask in enumerate(masks):
            left[at] &= ~mask
    return left[0], left[1], left[2]


def _enough(masks: Masks) -> bool:
    """Of the real tables; how many synthetic rows a cell holds is nobody's secret."""
    return all(int(mask.sum()) >= LEAST for mask in masks[:2])
