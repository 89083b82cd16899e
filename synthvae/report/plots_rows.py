"""Pairs of columns, and whole rows that trees try to tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthvae.report.drawing import HOLDOUT, INK, LINE, MUTED, REAL, SYNTHETIC, figure, styled, svg
from synthvae.report.plots_columns import NARROW, WIDE, short

MOST_NAMES = 30
_MARKED = 0.1

Json = Mapping[str, Any]
Matrix = Sequence[Sequence[float | None]]


def shown_names(pairs: Json) -> list[int]:
    """Which columns heat maps show: all, or those that are furthest off in some pair."""
    size = len(pairs["names"])
    if size <= MOST_NAMES:
        return list(range(size))
    worst = [max(abs(gap) for gap in row) for row in gaps_of(pairs)]
    return sorted(sorted(range(size), key=lambda at: -worst[at])[:MOST_NAMES])


def gaps_of(pairs: Json) -> list[list[float]]:
    """Synthetic less real; 0 where a column does not vary in one of them."""
    return [
        [0.0 if a is None or b is None else b - a for a, b in zip(ours, theirs, strict=True)]
        for ours, theirs in zip(pairs["real"], pairs["synthetic"], strict=True)
    ]


@styled
def heat_plot(key: str, pairs: Json, table: str) -> str:
    """Association of every pair in one table: the fuller the colour, the stronger."""
    kept = shown_names(pairs)
    color = REAL if table == "real" else SYNTHETIC
    values = [[pairs[table][i][j] for j in kept] for i in kept]
    cells = [(i, j, color, value or 0.0) for i, row in enumerate(values)
             for j, value in enumerate(row) if j < i]  # fmt: skip
    words = f"Association of all pairs of columns in the {table} table"
    return _cells(key, words, [pairs["names"][i] for i in kept], cells, "")


@styled
def gap_plot(key: str, pairs: Json) -> tuple[str, float]:
    """Synthetic less real, and the difference that has full colour."""
    kept, gaps = shown_names(pairs), gaps_of(pairs)
    full = max(0.1, *(abs(gaps[i][j]) for i in kept for j in kept))
    cells = [(at, by, SYNTHETIC if gaps[i][j] > 0 else REAL, gaps[i][j] / full)
             for at, i in enumerate(kept) for by, j in enumerate(kept) if by < at]  # fmt: skip
    words = "Difference of associations, synthetic less real"
    names = [pairs["names"][i] for i in kept]
    return _cells(key, words, names, cells, "signs", _MARKED / full), full


def _cells(
    key: str,
    words: str,
    names: Sequence[str],
    cells: Sequence[tuple[int, int, str, float]],
    signs: str,
    marked: float = 1.0,
) -> str:
    from matplotlib.patches import Rectangle

    size = len(names)
    made, axes = figure(NARROW, 3.9)
    for i, j, color, share in cells:
        axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=color, linewidth=0,
                                 alpha=min(max(abs(share), 0.03), 1.0)))  # fmt: skip
        if signs and abs(share) >= marked and size <= 20:
            axes.text(j, i, "+" if share > 0 else "\N{MINUS SIGN}", ha="center",
                      va="center_baseline", color=INK, fontsize=9)  # fmt: skip
    font = 9.0 if size <= 20 else 7.2
    axes.set_xlim(-0.5, max(size - 1.5, 0.5))
    axes.set_ylim(size - 0.5, 0.5)
    # The first column has no row and the last one no column: each pair is shown once.
    axes.set_yticks(range(1, size), [f"{short(names[at], 18)}  {at + 1}" for at in range(1, size)])
    axes.set_xticks(range(size - 1), [str(at + 1) for at in range(size - 1)])
    axes.text(-0.4, 0.42, f"1  {short(names[0], 18)}", color=MUTED, fontsize=font, va="bottom")
    axes.tick_params(axis="both", labelsize=font, length=0)
    axes.tick_params(axis="y", labelcolor=INK)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return svg(made, key, words)


@styled
def roc_plot(key: str, detector: Json) -> str:
    """The detector's ROC curve, beside that of fresh real rows."""
    made, axes = figure(WIDE, 3.5)
    for name, color, style in (
        ("holdout", HOLDOUT, (0, (2, 1.2))),
        ("synthetic", SYNTHETIC, "-"),
    ):
        curve = detector[name]
        places = [at / (len(curve) - 1) for at in range(len(curve))]
        axes.plot(places, curve, color=color, linestyle=style, linewidth=1.9)
    axes.plot([0, 1], [0, 1], color=LINE, linewidth=1, linestyle=(0, (1, 2)), zorder=0)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.01)
    axes.set_aspect("equal")
    ticks = [0, 0.25, 0.5, 0.75, 1]
    axes.set_xticks(ticks, ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.set_yticks(ticks, ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.set_xlabel("real rows taken for synthetic")
    axes.set_ylabel("synthetic rows found")
    return svg(made, key, "ROC curve of trees that tell synthetic from real rows")


@styled
def giveaway_plot(key: str, columns: Sequence[Json]) -> str:
    """The columns that the detector goes by."""
    made, axes = figure(WIDE, 0.75 + 0.24 * len(columns))
    values = [max(each["auc_lost"], 0.0) for each in columns]
    axes.barh(range(len(columns)), values, height=0.66, color=SYNTHETIC, alpha=0.75, linewidth=0)
    axes.set_yticks(range(len(columns)), [short(each["name"]) for each in columns])
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(len(columns) - 0.4, -0.6)
    axes.set_xlim(0, max(0.02, *values) * 1.05)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("ROC AUC lost when the column is shuffled")
    return svg(made, key, "Columns by which trees tell synthetic from real rows")
