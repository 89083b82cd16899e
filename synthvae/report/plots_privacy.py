"""Attacks and disclosure, each with its interval and its limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthvae.report.drawing import INK, LINE, REAL, SYNTHETIC, figure, styled, svg
from synthvae.report.plots_columns import WIDE, short

MOST = 30

Json = Mapping[str, Any]


@styled
def attacks_plot(key: str, attacks: Sequence[Json], limit: float | None) -> str:
    """AUC of each attack; 0.5 is guessing."""
    lines = [
        (f"{short(each['name'], 24)}", each["auc"], each["interval"],
         "o" if each["who"] == "all rows" else "^")
        for each in attacks[:MOST]
    ]  # fmt: skip
    return _forest(key, "ROC AUC of attacks on membership", lines, 0.5, limit, "ROC AUC", "{x:g}")


@styled
def excess_plot(key: str, found: Sequence[Json]) -> str:
    """What happens oftener to training rows than to holdout rows, in percent."""
    lines = []
    for each in found[:MOST]:
        name = each["name"]
        if len(each["subject"]) == 1:
            name = f"{name}: {each['subject'][0]}"
        ends = {end: _percent(each["interval"][end]) for end in ("low", "high")}
        lines.append((short(name, 26), _percent(each["value"]), ends, "o"))
    words = "Disclosure and copies, training rows beyond holdout rows"
    label = "training less holdout rows"
    return _forest(key, words, lines, 0.0, None, label, "{x:g} %")


def _forest(
    key: str,
    words: str,
    lines: Sequence[tuple[str, float | None, Json, str]],
    nothing: float,
    limit: float | None,
    label: str,
    form: str,
) -> str:
    made, axes = figure(WIDE, 0.9 + 0.23 * len(lines))
    axes.axvline(nothing, color=REAL, linewidth=1.2)
    if limit is not None:
        axes.axvline(limit, color=INK, linewidth=1, linestyle=(0, (4, 2)))
    for at, (_, value, interval, mark) in enumerate(lines):
        low, high = interval["low"], interval["high"]
        if value is not None and low is not None and high is not None:
            axes.plot([low, high], [at, at], color=SYNTHETIC, linewidth=1.5)
        if value is not None:
            axes.plot([value], [at], mark, color=SYNTHETIC, markersize=5)
    axes.set_yticks(range(len(lines)), [line[0] for line in lines])
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.grid(axis="x", color=LINE)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(form)
    return svg(made, key, words)


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
