"""The whole evaluation of one synthetic table in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd

from synthvae.evaluation.detector import detector
from synthvae.evaluation.extremes import coverage, worst_column
from synthvae.evaluation.fidelity import pair, shape
from synthvae.evaluation.records import Evaluation, Metric
from synthvae.evaluation.stats import is_number
from synthvae.evaluation.utility import utility, utility_obstacle

NEARLY_UNIQUE = 0.9


def evaluate(
    real: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    target: str | None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Shape, pair, coverage, detector and utility of `synthetic`, beside those of fresh real rows.

    `real` is what the generator learned from, `holdout` real rows that it never saw. Columns are
    numbers (NaN = missing) or text (None or NaN = missing). Text that is nearly unique in `real`
    (keys, free text) is left out: fresh real rows have new values too. Columns that `real` lacks
    are ignored. What can't be computed is skipped; notes say why. `progress` hears the name of
    each metric before it is computed.

    Raises ValueError, with each reason on a line of its own, for tables of fewer than 2 rows,
    columns that a table lacks or holds in another kind, an unknown target, or no column left.
    """
    frames = {"real": real, "holdout": holdout, "synthetic": synthetic}
    left_out = _nearly_unique(real)
    problems = _problems(frames, left_out, target)
    if problems:
        raise ValueError("\n".join(problems))
    names = [name for name in real if name not in left_out]
    tables = real[names], holdout[names], synthetic[names]
    skipped = _skipped(*tables, target, left_out)
    records = []
    for name, metric in _metrics(target).items():
        if name in skipped:
            continue
        if progress is not None:
            progress(name)
        records.append(metric(*tables, seed=seed))
    notes = [f"{name} was skipped: {reason}" for name, reason in skipped.items()]
    return Evaluation(tuple(records), left_out, (*notes, *_extra_columns(frames)))


def _metrics(target: str | None) -> dict[str, Callable[..., Metric]]:
    return {
        "shape": shape,
        "worst_column": worst_column,
        "pair": pair,
        "coverage": coverage,
        "detector": detector,
        "utility": partial(utility, target=str(target)),
    }


def _nearly_unique(real: pd.DataFrame) -> dict[str, str]:
    """Text columns of which most values occur once, with the share of distinct values."""
    found = {}
    for name in real:
        known = real[name].dropna()
        if not is_number(real[name]) and known.nunique() > NEARLY_UNIQUE * len(known):
            share = known.nunique() / len(known)
            found[str(name)] = f"nearly unique text: {share:.0%} of its values are distinct"
    return found


def _problems(
    frames: Mapping[str, pd.DataFrame], left_out: Mapping[str, str], target: str | None
) -> list[str]:
    """Everything that makes the tables incomparable: rule; fact; what to do."""
    real, found = frames["real"], []
    for label, frame in frames.items():
        if len(frame) < 2:
            found.append(
                f"every table needs at least 2 rows; {label} has {len(frame)}; give it more rows"
            )
        lacking = [name for name in real if name not in frame]
        if lacking:
            found.append(
                f"every table needs the real table's columns; {label} lacks {_listed(lacking)}; "
                "add them, or drop them from the real table"
            )
        other = [n for n in real if n in frame and is_number(frame[n]) != is_number(real[n])]
        if other:
            found.append(
                "a column must be a number in all tables or in none; "
                f"{label} differs from real in {_listed(other)}; read both with the same types"
            )
    if len(left_out) == real.shape[1]:
        found.append(
            "a comparison needs a number, or text that is not nearly unique; "
            "the real table has no such column; leave fewer columns as text"
        )
    if target is not None and target not in real:
        found.append(
            f"the target must be a column; the real table has no {target!r}; "
            f"choose one of {_listed(list(real))}"
        )
    return found


def _skipped(
    real: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    target: str | None,
    left_out: Mapping[str, str],
) -> dict[str, str]:
    """Metrics that can't be computed, with the reason."""
    found = {}
    if real.shape[1] < 2:
        found["pair"] = "it needs two columns, and one is left"
    if target is None:
        found["utility"] = "it needs a target, and none was given"
    elif target in left_out:
        found["utility"] = f"the target {target!r} was left out, {left_out[target]}"
    else:
        obstacle = utility_obstacle(real, holdout, synthetic, target)
        if obstacle:
            found["utility"] = obstacle
    return found


def _extra_columns(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """Notes on columns that the real table lacks."""
    notes = []
    for label, frame in frames.items():
        extra = [name for name in frame if name not in frames["real"]]
        if extra:
            notes.append(f"{label} has columns that real lacks, ignored: {_listed(extra)}")
    return notes


def _listed(names: list[object]) -> str:
    return ", ".join(repr(str(name)) for name in names)
