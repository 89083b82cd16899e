"""Single columns: how three tables lie over each other, and which column is furthest off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from synthvae.report.cells import MISSING, OTHER
from synthvae.report.drawing import (
    HOLDOUT,
    INK,
    LINE,
    MUTED,
    REAL,
    SYNTHETIC,
    bare,
    figure,
    styled,
    svg,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NARROW, WIDE = 4.1, 5.3  # inches: a third and a half of the page, and either fits a phone
_LABEL = 22
_FITS = 40  # characters on an axis
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds since then: edges are rounded, and calendars of Python and matplotlib end.
_FIRST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH).total_seconds()
_LAST = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH).total_seconds()

Json = Mapping[str, Any]


@styled
def overlay_plot(key: str, name: str, overlay: Json) -> str:
    """One column of the real, the holdout and the synthetic table."""
    words = f"Distribution of {name} in the real, the holdout and the synthetic table"
    if overlay["scale"] == "category":
        return _lying(key, words, overlay["bars"])
    if overlay["scale"] == "value":
        return _standing(key, words, overlay["bars"])
    bars = overlay["bars"]
    if not bars:
        made, axes = figure(NARROW, 1.75)
        _outline(axes, overlay)
        return svg(made, key, words)
    made, both = figure(
        NARROW, 1.75, 1, 2, width_ratios=[0.62 if len(bars) == 1 else 0.85 * len(bars), 3.4]
    )
    _bars(both[0], bars)
    _outline(both[1], overlay)
    return svg(made, key, words)


@styled
def distances_plot(key: str, records: Sequence[Json]) -> str:
    """Each column's distance and floor with their intervals, furthest above its floor first."""
    made, axes = figure(WIDE, 0.75 + 0.2 * len(records))
    for at, record in enumerate(records):
        axes.plot([record["floor_low"], record["floor_high"]], [at, at], color=REAL, alpha=0.28,
                  linewidth=6, solid_capstyle="butt", zorder=1)  # fmt: skip
        axes.plot([record["floor"]], [at], "|", color=REAL, markersize=8, markeredgewidth=1.6)
        axes.plot([record["low"], record["high"]], [at, at], color=SYNTHETIC, linewidth=1.4)
    axes.plot([r["value"] for r in records], range(len(records)), "o", color=SYNTHETIC,
              markersize=4.5)  # fmt: skip
    axes.set_yticks(range(len(records)), [short(r["column"]) for r in records])
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(len(records) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.set_xlabel("distance to the real table, percent")
    axes.spines["left"].set_visible(False)
    return svg(made, key, "Distance of each column to the real table, beside fresh real rows")


def short(text: str, most: int = _LABEL) -> str:
    """At most `most` characters."""
    text = " ".join(str(text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _lying(key: str, words: str, bars: Sequence[Json]) -> str:
    """Categories: real rows as bars, the others as marks on them."""
    made, axes = figure(NARROW, 0.5 + 0.245 * len(bars))
    for at, bar in enumerate(bars):
        axes.barh(at, 100 * bar["real"], height=0.72, color=REAL, alpha=0.3, linewidth=0)
        axes.plot([100 * bar["real"]] * 2, [at - 0.36, at + 0.36], color=REAL, linewidth=1.6)
        axes.plot([100 * bar["holdout"]] * 2, [at - 0.4, at + 0.4], color=HOLDOUT, linewidth=1.5,
                  linestyle=(0, (2, 1.2)))  # fmt: skip
        axes.plot([100 * bar["synthetic"]], [at], "D", color=SYNTHETIC, markersize=4.4)
    axes.set_yticks(range(len(bars)), [short(bar["label"]) for bar in bars])
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(_few(5))
    axes.xaxis.set_major_formatter("{x:g} %")
    return svg(made, key, words)


def _standing(key: str, words: str, bars: Sequence[Json]) -> str:
    """Few numbers, in their order."""
    made, axes = figure(NARROW, 1.75)
    _bars(axes, bars)
    named = [at for at, bar in enumerate(bars) if bar["label"] in (OTHER, MISSING)]
    numbers = [at for at in range(len(bars)) if at not in named]
    wide = sum(len(bars[at]["label"]) + 2 for at in range(len(bars)))
    every = -(-wide // _FITS)
    shown = sorted([*numbers[::every], *named])
    axes.set_xticks(shown, [short(bars[at]["label"], 12) for at in shown])
    return svg(made, key, words)


def _bars(axes: Axes, bars: Sequence[Json]) -> None:
    for at, bar in enumerate(bars):
        axes.bar(at, 100 * bar["real"], width=0.8, color=REAL, alpha=0.3, linewidth=0)
        axes.plot([at - 0.4, at + 0.4], [100 * bar["real"]] * 2, color=REAL, linewidth=1.6)
        axes.plot([at - 0.43, at + 0.43], [100 * bar["holdout"]] * 2, color=HOLDOUT, linewidth=1.5,
                  linestyle=(0, (2, 1.2)))  # fmt: skip
        axes.plot([at], [100 * bar["synthetic"]], "D", color=SYNTHETIC, markersize=4.4)
    axes.set_xlim(-0.6, len(bars) - 0.4)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(_few(4))
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_xticks(range(len(bars)), [short(bar["label"], 12) for bar in bars])
    axes.tick_params(axis="x", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)


def _outline(axes: Axes, overlay: Json) -> None:
    """Density over the bins: areas are shares, on the axis as it is drawn."""
    import numpy as np

    edges = np.asarray(overlay["edges"], float)
    places = np.log10(edges) if overlay["scale"] == "log" else edges
    widths = np.diff(places)
    tables = {t: np.array([b[t] for b in overlay["bins"]]) / widths
              for t in ("real", "holdout", "synthetic")}  # fmt: skip
    axes.stairs(tables["real"], places, fill=True, color=REAL, alpha=0.22, linewidth=0)
    axes.stairs(tables["real"], places, color=REAL, linewidth=1.3, baseline=None)
    axes.stairs(tables["holdout"], places, color=HOLDOUT, linewidth=1.2, baseline=None,
                linestyle=(0, (2, 1.2)))  # fmt: skip
    axes.stairs(tables["synthetic"], places, color=SYNTHETIC, linewidth=1.7, baseline=None)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    bare(axes)
    _ticks(axes, overlay["scale"], edges)


def _ticks(axes: Axes, scale: str, edges: Any) -> None:
    import numpy as np
    from matplotlib.ticker import EngFormatter

    written = EngFormatter(sep="")
    if scale == "log":
        ticks = _log_ticks(float(edges[0]), float(edges[-1]))
        axes.set_xticks(np.log10(ticks), [written(tick) for tick in ticks])
    elif scale == "time":
        _moments(axes, float(edges[0]), float(edges[-1]))
    else:
        axes.xaxis.set_major_locator(_few(6))
        if max(abs(edges[0]), abs(edges[-1])) >= 10_000:
            axes.xaxis.set_major_formatter(written)
        else:
            axes.xaxis.set_major_formatter("{x:g}")


def _log_ticks(low: float, high: float) -> list[float]:
    import numpy as np

    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**power for power in powers for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= 6:
            break
    return inside


def _moments(axes: Axes, low: float, high: float) -> None:
    from matplotlib import dates

    untyped: Any = dates

    low, high = max(low, _FIRST), min(high, _LAST)
    start, end = (untyped.date2num(_EPOCH + timedelta(seconds=s)) for s in (low, high))
    locator = untyped.AutoDateLocator(minticks=3, maxticks=6)
    ticks = [
        t
        for t in locator.tick_values(untyped.num2date(start), untyped.num2date(end))
        if start <= t <= end
    ]
    words = untyped.ConciseDateFormatter(locator, show_offset=False).format_ticks(ticks)
    axes.set_xticks([(tick - untyped.date2num(_EPOCH)) * 86400 for tick in ticks], words)
    axes.tick_params(axis="x", labelcolor=MUTED, color=LINE)


def _few(most: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most, steps=[1, 2, 2.5, 5, 10])
