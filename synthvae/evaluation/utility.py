"""Is the synthetic table as good as the real one to train on?

One model is trained on synthetic rows, one on as many real rows, and both are tested on the
holdout (Esteban et al. 2017, arXiv 1706.02633). Frames hold the same columns in the same order:
numbers (NaN = missing) and text (None or NaN = missing). Rows without a target are not used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from synthvae.evaluation.records import Interval, Metric
from synthvae.evaluation.stats import Floats, auc, influence_interval, is_number, tree_codes
from synthvae.evaluation.trees import grown
from synthvae.seeds import stream

MOST_CLASSES = 20
TRAINING_ROWS = 50_000
_ROUNDS = 100
_TREES = 600


def default_target(real: pd.DataFrame) -> str | None:
    """The column to predict where the user names none.

    The last text column with 2 to 20 levels, else the last numeric column with 2 to 20 distinct
    values, else the last numeric column that varies, else None.
    """
    distinct = {name: real[name].nunique() for name in real}
    numeric = [name for name in real if is_number(real[name])]
    text = [name for name in real if name not in numeric]
    for names, most in ((text, MOST_CLASSES), (numeric, MOST_CLASSES), (numeric, len(real))):
        fitting = [name for name in names if 2 <= distinct[name] <= most]
        if fitting:
            return str(fitting[-1])
    return None


def utility_obstacle(
    real: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str
) -> str | None:
    """Why `target` can't be predicted with these tables, or None."""
    rule = "a target needs two distinct values, and other columns to predict it from"
    for label, frame in (("real", real), ("holdout", holdout)):
        if frame[target].nunique() < 2:
            return f"{rule}; {target!r} has fewer in the {label} table; choose another target"
    classes = _classes(real[target])
    if len(classes) and not holdout[target].isin(classes).any():
        return f"{rule}; {target!r} has only new ones in the holdout; choose another target"
    if synthetic[target].isna().all():
        return f"{rule}; {target!r} is empty in the synthetic table; choose another target"
    if real.shape[1] < 2:
        return f"{rule}; {target!r} is the only column; leave the utility out"
    return None


def utility(
    real: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str, seed: int
) -> Metric:
    """How far training on synthetic rows falls behind training on real ones.

    Text, and numbers with at most 20 distinct values, are classes: the gap is AUC(real) -
    AUC(synthetic), the AUC being the mean of each class against the rest. Other numbers:
    RMSE(synthetic) / RMSE(real) - 1. Both models see equally many rows, at most 50,000.

    The floor is what fresh real rows would score: the gap between models trained on two disjoint
    parts of the real table, at most half of it each. It scatters around 0. (A bootstrap repeats
    rows, and half against all is a smaller sample: both fall behind where fresh rows don't.) The
    intervals cover redrawing the holdout rows, for the trained models as they are. `detail` has
    the scores: `tstr` (trained on synthetic) and `trtr` (on real), in AUC or the target's unit.
    Raises ValueError with the reason that `utility_obstacle` gives.
    """
    obstacle = utility_obstacle(real, holdout, synthetic, target)
    if obstacle:
        raise ValueError(obstacle)
    (ours, test, fake), learner = _prepare(real, [real, holdout, synthetic], target, seed)
    n = min(len(ours.y), len(fake.y), TRAINING_ROWS)
    half = min(n, len(ours.y) // 2)
    trtr, tstr = learner.score(ours.rows(0, n), test), learner.score(fake.rows(0, n), test)
    part, other = (learner.score(ours.rows(at, at + half), test) for at in (0, half))
    gap, floor = learner.gap(tstr, trtr), learner.gap(part, other)
    return Metric(
        name="utility_gap",
        value=gap.value,
        interval=gap.interval(),
        floor=floor.value,
        floor_interval=floor.interval(),
        ratio=None,
        better="lower",
        unit="ROC AUC" if learner.classes else "RMSE ratio - 1",
        n=len(test.y),
        seed=seed,
        detail={"tstr": tstr.value, "trtr": trtr.value},
    )


@dataclass(frozen=True)
class _Table:
    """Features [n, D] and targets [n]: values, or class numbers with -1 for unknown classes."""

    x: Floats
    y: Floats

    def rows(self, start: int, stop: int) -> _Table:
        return _Table(self.x[start:stop], self.y[start:stop])


@dataclass(frozen=True)
class _Score:
    """A score on the test rows and its influence function [n]."""

    value: float
    influence: Floats

    def interval(self) -> Interval:
        return influence_interval(self.value, self.influence, -math.inf, math.inf)


@dataclass(frozen=True)
class _Learner:
    """Boosted trees for one task; `classes` is 0 for a regression."""

    classes: int
    categorical: list[bool]
    seed: int

    def score(self, train: _Table, test: _Table) -> _Score:
        """Mean AUC of the classes that `test` has among others, or RMSE."""
        if not self.classes:
            model = grown(HistGradientBoostingRegressor(**self._settings()), train.x, train.y)
            squares = (model.predict(test.x) - test.y) ** 2
            rmse = math.sqrt(squares.mean())
            return _Score(rmse, (squares - rmse**2) / (2 * rmse))
        scores = self._class_scores(train, test.x)
        wanted = [(test.y == c, scores[:, c]) for c in range(self.classes)]
        found = [auc(mine, score) for mine, score in wanted if 0 < mine.mean() < 1]
        value = float(np.mean([area for area, _ in found]))
        return _Score(value, np.mean([influence for _, influence in found], axis=0))

    def gap(self, synthetic: _Score, real: _Score) -> _Score:
        """How far `synthetic` falls behind `real`: AUC points, or RMSE ratio - 1."""
        if self.classes:
            return _Score(real.value - synthetic.value, real.influence - synthetic.influence)
        ratio = synthetic.value / real.value
        relative = synthetic.influence / synthetic.value - real.influence / real.value
        return _Score(ratio - 1, ratio * relative)

    def _class_scores(self, train: _Table, x: Floats) -> Floats:
        """Probability of each class, [n, classes]; 0 for classes that `train` lacks."""
        scores = np.zeros((len(x), self.classes))
        if len(np.unique(train.y)) < 2:
            return scores  # the trees refuse a single class, and a constant ranks nothing
        model = grown(HistGradientBoostingClassifier(**self._settings()), train.x, train.y)
        known = model.classes_ >= 0
        scores[:, model.classes_[known].astype(int)] = model.predict_proba(x)[:, known]
        return scores

    def _settings(self) -> dict[str, object]:
        return {
            # Every round grows a tree per class: fewer rounds keep many classes affordable.
            "max_iter": min(_ROUNDS, _TREES // max(1, self.classes)),
            "early_stopping": False,
            "l2_regularization": 1.0,  # without it, sure leaves of a rare class explode
            "categorical_features": self.categorical,
            "random_state": self.seed,
        }


def _classes(target: pd.Series) -> pd.Index:
    """The distinct values of a target that is a class, none for a regression."""
    levels = target.dropna().unique()
    regression = is_number(target) and len(levels) > MOST_CLASSES
    return pd.Index([] if regression else levels)


def _prepare(
    real: pd.DataFrame, frames: Sequence[pd.DataFrame], target: str, seed: int
) -> tuple[list[_Table], _Learner]:
    """The rows of each frame that have a target, shuffled, and the learner for the real task."""
    rng = stream(seed, "utility")
    classes = _classes(real[target])
    known = [frame[frame[target].notna()] for frame in frames]
    mixed = [frame.iloc[rng.permutation(len(frame))] for frame in known]
    features = [frame.drop(columns=target) for frame in mixed]
    arrays, categorical = tree_codes(real.drop(columns=target), features)
    values = [
        (classes.get_indexer(pd.Index(frame[target])) if len(classes) else frame[target])
        for frame in mixed
    ]
    tables = [
        _Table(x, np.asarray(y, dtype=np.float64)) for x, y in zip(arrays, values, strict=True)
    ]
    return tables, _Learner(len(classes), categorical, int(rng.integers(2**31)))
