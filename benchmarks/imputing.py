"""Filled cells beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from views import Found, fitted, frames, numbers, texts

from synthvae.evaluation.fidelity import shape

HIDDEN, ROWS, DRAWS, LEARNT = 0.2, 2_000, 50, 10_000
SEP = " is "


def imputation(seed: int) -> Found:
    """A fifth of the cells of 2,000 held-out rows is hidden. accuracy: share of hidden categories
    that are found, mean over columns. error: root mean square error of hidden numbers over the
    column's deviation, mean over columns. shape_ratio of the filled table. Ours: of 50 draws the
    most frequent category and the mean, and one draw alone. IterativeImputer: on one-hot columns of
    10,000 training rows, the largest of a column's taken."""
    train, holdout = frames("adult")
    whole = holdout.sample(ROWS, random_state=seed).reset_index(drop=True)
    holes = np.random.default_rng(seed).random(whole.shape) < HIDDEN
    hidden = whole.astype(dict.fromkeys(numbers(whole), float)).mask(holes)
    draws = fitted(train, seed).impute(hidden, DRAWS, seed)
    filled = {
        "synthvae, of 50 draws": _middle(draws, train),
        "synthvae, one draw": draws.loc[0],
        "IterativeImputer": _iterative(train, hidden, seed),
        "most frequent, mean": _simple(train, hidden),
    }
    return {
        f"{who}: {what}": value
        for who, frame in filled.items()
        for what, value in _judged(train, whole, frame, holes).items()
    }


def _judged(
    train: pd.DataFrame, whole: pd.DataFrame, filled: pd.DataFrame, holes: np.ndarray
) -> Found:
    known = numbers(whole)
    at = dict(zip(whole, holes.T, strict=True))
    hits = [(filled[n][at[n]] == whole[n][at[n]]).mean() for n in texts(whole)]
    off = {n: filled[n].astype(float)[at[n]] - whole[n][at[n]] for n in known}
    errors = [np.sqrt((off[n] ** 2).mean()) / train[n].std() for n in known]
    as_floats = [frame.astype(dict.fromkeys(known, float)) for frame in (train, whole, filled)]
    ratio = shape(*as_floats, 0).ratio
    assert ratio is not None
    return {"accuracy": np.mean(hits), "error": np.mean(errors), "shape_ratio": ratio}


def _middle(draws: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    rows = draws.groupby(level=1)
    middle = {n: rows[n].agg(lambda v: v.mode().iloc[0]) for n in texts(like)}
    middle |= {n: draws[n].astype(float).groupby(level=1).mean() for n in numbers(like)}
    return pd.DataFrame(middle)[list(like)]


def _iterative(train: pd.DataFrame, hidden: pd.DataFrame, seed: int) -> pd.DataFrame:
    known = numbers(train)
    wide = pd.get_dummies(train, columns=texts(train), prefix_sep=SEP, dtype=float)
    test = pd.get_dummies(hidden, columns=texts(train), prefix_sep=SEP, dtype=float)
    test = test.reindex(columns=wide.columns, fill_value=0.0)
    for name in texts(train):
        test.loc[hidden[name].isna(), [c for c in wide if c.startswith(name + SEP)]] = np.nan
    imputer = IterativeImputer(random_state=seed, max_iter=5)
    imputer.fit(wide.sample(LEARNT, random_state=seed))
    done = pd.DataFrame(imputer.transform(test), columns=wide.columns)
    for name in texts(train):
        own = done[[c for c in wide if c.startswith(name + SEP)]]
        done[name] = own.idxmax(axis=1).str.removeprefix(name + SEP)
    return done[[*known, *texts(train)]][list(train)]


def _simple(train: pd.DataFrame, hidden: pd.DataFrame) -> pd.DataFrame:
    middle = {n: train[n].mode().iloc[0] for n in texts(train)}
    return hidden.fillna(middle | {n: train[n].mean() for n in numbers(train)})
