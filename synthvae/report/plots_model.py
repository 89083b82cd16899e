"""The latent space and the course of the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthvae.report.drawing import INK, MUTED, REAL, SYNTHETIC, figure, styled, svg
from synthvae.report.plots_columns import WIDE

Json = Mapping[str, Any]


@styled
def points_plot(key: str, projection: Json, table: str) -> str:
    """Where rows lie on the first two axes: the fuller the colour, the more."""
    from matplotlib.patches import Rectangle

    made, axes = figure(WIDE, 3.4)
    color = REAL if table == "real" else SYNTHETIC
    full = max(max(map(max, projection[name])) for name in ("real", "synthetic")) or 1.0
    x, y = projection["x"], projection["y"]
    for i, row in enumerate(projection[table]):
        for j, share in enumerate(row):
            if share:
                axes.add_patch(Rectangle((x[i], y[j]), x[i + 1] - x[i], y[j + 1] - y[j],
                                         facecolor=color, linewidth=0,
                                         alpha=min(0.08 + 0.92 * share / full, 1.0)))  # fmt: skip
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    shares = projection["explained"]
    axes.set_xlabel(f"first axis, {shares[0]:.0%} of the variance")
    axes.set_ylabel(f"second axis, {shares[1]:.0%}")
    axes.set_xticks([])
    axes.set_yticks([])
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    return svg(made, key, f"Points of {table} rows in the latent space")


@styled
def losses_plot(key: str, history: Sequence[Json], kept: int | None) -> str:
    """Loss of training and held-out rows by epoch."""
    lines = [("train", REAL, (0, (2, 1.2))), ("loss", SYNTHETIC, "-")]
    return _lines(key, "Loss by epoch", history, kept, lines, "nats a row")


@styled
def rates_plot(key: str, history: Sequence[Json], kept: int | None) -> str:
    """What the latent tells by epoch."""
    return _lines(key, "Rate by epoch", history, kept, [("rate", SYNTHETIC, "-")], "rate, nats")


def _lines(
    key: str,
    words: str,
    history: Sequence[Json],
    kept: int | None,
    lines: Sequence[tuple[str, str, Any]],
    label: str,
) -> str:
    from matplotlib.ticker import MaxNLocator

    made, axes = figure(WIDE, 2.4)
    epochs = range(1, len(history) + 1)
    mark = "o" if len(history) < 4 else ""
    for name, color, style in lines:
        values = [entry.get(name) for entry in history]
        if all(isinstance(value, (int, float)) for value in values):
            axes.plot(epochs, values, color=color, linestyle=style, linewidth=1.8, marker=mark)
    if kept is not None:
        axes.axvline(kept, color=INK, linewidth=1, linestyle=(0, (4, 2)), zorder=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label, color=MUTED)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    return svg(made, key, words)
