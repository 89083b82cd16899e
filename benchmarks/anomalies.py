"""Anomaly scores beside two of scikit-learn's: none has seen an anomaly."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from views import Found, fitted, frames, one_hot

SCRAMBLED, TIMES = 0.01, 20


def gamma(seed: int) -> Found:
    """Learnt from showers of class g alone, without the class; asked which held-out ones are h."""
    train, holdout = frames("magic")
    usual = train[train["class"] == "g"].drop(columns="class")
    found = _scores(usual, holdout.drop(columns="class"), seed)
    return {name: roc_auc_score(holdout["class"] == "h", s) for name, s in found.items()}


def scrambled(seed: int) -> Found:
    """Of 1 % of the held-out rows each column is that of another row: which are they? The mean of
    20 choices of them."""
    train, holdout = frames("shoppers")
    rng = np.random.default_rng(seed)
    mixed = pd.DataFrame({name: rng.permutation(holdout[name]) for name in holdout})
    found = _scores(train, pd.concat([holdout, mixed], ignore_index=True), seed)
    n, few = len(holdout), round(SCRAMBLED * len(holdout))
    draws = [rng.choice(n, few, replace=False) for _ in range(TIMES)]

    def auc(scores: np.ndarray, chosen: np.ndarray) -> float:
        placed = scores[:n].copy()
        placed[chosen] = scores[n + chosen]
        return float(roc_auc_score(np.isin(np.arange(n), chosen), placed))

    return {name: float(np.mean([auc(s, c) for c in draws])) for name, s in found.items()}


def _scores(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """High for unusual rows of `test`."""
    model, view = fitted(train, seed), one_hot(train)
    a, b = view.fit_transform(train), view.transform(test)
    return {
        "synthvae": model.score(test)["score"].to_numpy(),
        "synthvae, `--bound iwae`": model.score(test, "iwae")["score"].to_numpy(),
        "isolation forest": -IsolationForest(random_state=seed).fit(a).score_samples(b),
        "local outlier factor": -LocalOutlierFactor(novelty=True).fit(a).score_samples(b),
    }
