"""Can boosted trees tell synthetic rows from real ones, and by what."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedKFold

from synthvae.evaluation.records import Interval, Metric
from synthvae.evaluation.stats import Bools, Floats, auc, influence_interval, pick, tree_codes
from synthvae.evaluation.trees import grown
from synthvae.seeds import stream

DETECTOR_ROWS = 30_000
CURVE_POINTS = 101
_FOLDS = 5
_GIVEAWAY_ROWS = 4_000


def detector(
    real: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, seed: int
) -> Metric:
    """ROC AUC of boosted trees that tell synthetic from real rows; 0.5 means that they cannot.

    The mean over 5 folds, on n <= 30,000 rows a side; the floor sets as many holdout rows, or all
    there are, against real ones. Well below 0.5, synthetic rows repeat real ones: a copy among the
    training rows pulls the trees to the wrong side. (A linear detector gives full marks to
    columns permuted independently; trees don't.) The intervals cover redrawing all rows; they are
    `stats`' intervals for an AUC, widened as Nadeau & Bengio (2003), Machine Learning 52, 239,
    correct for overlapping folds. `detail` is the AUC lost when a column is shuffled among the
    test rows of one fold: the columns that give the game away. `curves` are the ROC curves of
    `synthetic` and `holdout`: true positive rates at 101 evenly spaced false positive rates.
    """
    n = min(len(real), len(synthetic), DETECTOR_ROWS)
    rng = stream(seed, "detector")
    real, synthetic, holdout = (pick(frame, n, rng) for frame in (real, synthetic, holdout))
    told = _told_apart(real, synthetic, rng)
    fresh = _told_apart(pick(real, len(holdout), rng), holdout, rng)
    return Metric(
        name="detector",
        value=told.value,
        interval=told.interval,
        floor=fresh.value,
        floor_interval=fresh.interval,
        ratio=None,
        better="lower",
        unit="ROC AUC",
        n=n,
        seed=seed,
        detail=dict(zip(map(str, real), _auc_losses(told.fold, rng), strict=True)),
        curves={"synthetic": told.curve, "holdout": fresh.curve},
    )


@dataclass(frozen=True)
class _Fold:
    """A fitted detector and the rows it has not seen."""

    model: HistGradientBoostingClassifier
    rows: Floats
    is_other: Bools

    def auc(self, rows: Floats) -> tuple[float, Floats]:
        return auc(self.is_other, self._scores(rows))

    def curve(self) -> Floats:
        """True positive rates [CURVE_POINTS] of its own rows."""
        fpr, tpr, _ = roc_curve(self.is_other, self._scores(self.rows))
        return np.asarray(np.interp(np.linspace(0, 1, CURVE_POINTS), fpr, tpr))

    def _scores(self, rows: Floats) -> Floats:
        return np.asarray(self.model.predict_proba(rows)[:, 1], dtype=np.float64)


@dataclass(frozen=True)
class _Told:
    """What all folds together found, and the last of them."""

    value: float
    interval: Interval
    curve: tuple[float, ...]
    fold: _Fold


def _told_apart(real: pd.DataFrame, other: pd.DataFrame, rng: np.random.Generator) -> _Told:
    """Cross-validated AUC and ROC curve of `other` against `real`."""
    # Codes fixed by the real rows alone would mark every level that only `other` has.
    both = pd.concat([real, other], ignore_index=True)
    (rows,), categorical = tree_codes(both, [both])
    is_other = np.arange(len(both)) >= len(real)
    seed = int(rng.integers(2**31))
    count = min(_FOLDS, len(real), len(other))
    values, influences, curves = [], [], []
    folds = StratifiedKFold(count, shuffle=True, random_state=seed)
    for train, test in folds.split(rows, is_other):
        trees = HistGradientBoostingClassifier(
            l2_regularization=1.0,
            categorical_features=categorical,
            early_stopping=False,
            random_state=seed,
        )
        model = grown(trees, rows[train], is_other[train])
        fold = _Fold(model, rows[test], is_other[test])
        value, influence = fold.auc(fold.rows)
        values.append(value)
        influences.append(influence)
        curves.append(fold.curve())
    mean = float(np.mean(values))
    # Folds share training rows: alike rows help or mislead each other in both of their roles.
    widening = math.sqrt(1 + count / (count - 1))
    interval = influence_interval(mean, widening * np.concatenate(influences), 0.0, 1.0)
    return _Told(mean, interval, tuple(np.mean(curves, axis=0).tolist()), fold)


def _auc_losses(fold: _Fold, rng: np.random.Generator) -> list[float]:
    """AUC lost when one column after the other is shuffled among the fold's rows."""
    kept = rng.permutation(len(fold.rows))[:_GIVEAWAY_ROWS]
    fold = _Fold(fold.model, fold.rows[kept], fold.is_other[kept])
    whole, _ = fold.auc(fold.rows)
    losses = []
    for column in range(fold.rows.shape[1]):
        shuffled = fold.rows.copy()
        shuffled[:, column] = rng.permutation(shuffled[:, column])
        losses.append(whole - fold.auc(shuffled)[0])
    return losses
