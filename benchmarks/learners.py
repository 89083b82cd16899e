"""What the latent, and new rows of a rare class, are worth to a learner."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from views import Found, fitted, frames, one_hot, ordinal

# Every unit of a large latent is kept in use, and one wide layer leads to it: a latent that tells
# most of a row, and nearly linearly. Chosen by training rows that were set aside (docs/log.md).
RICH = {
    "encoder": [512],
    "latent": {"kind": "gaussian", "size": 128},
    "objective": {"beta": 0.3, "free_nats": 1.0},
    "prior": {"kind": "gmm"},
}
RICH_NAME = "tvae, 128 units in use, one wide layer"
KEPT = 0.02  # of the positive rows
POSITIVE = ">50K"


def representation(seed: int) -> Found:
    """Without income, which a logistic regression then finds from what a row becomes: latent means,
    or one-hot columns."""
    train, holdout = frames("adult")
    parts = [frame.drop(columns="income") for frame in (train, holdout)]
    goal, truth = (frame["income"] == POSITIVE for frame in (train, holdout))

    def auc(a: Any, b: Any) -> float:
        judge = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(a, goal)
        return float(roc_auc_score(truth, judge.predict_proba(b)[:, 1]))

    view = one_hot(parts[0]).fit(parts[0])
    found = {"one-hot columns": auc(*(view.transform(part) for part in parts))}
    models = {preset: fitted(parts[0], seed, preset) for preset in ("arvae", "tvae", "beta-vae")}
    models[RICH_NAME] = fitted(parts[0], seed, "tvae", model=RICH)
    for name, model in models.items():
        found[f"means of {name}"] = auc(*(model.encode(part).to_numpy() for part in parts))
    return found


def augmentation(seed: int) -> Found:
    """2 % of the positive rows are kept. Trees learn from them as they are, with class weights, and
    with synthetic positives (of a model conditioned on income) until there are as many as
    negatives; all are judged on held-out rows."""
    train, holdout = frames("adult")
    positive = train["income"] == POSITIVE
    few = train[positive].sample(frac=KEPT, random_state=seed)
    small = pd.concat([train[~positive], few]).sample(frac=1, random_state=seed)
    more = pd.concat([small, _positives(small, int((~positive).sum()) - len(few), seed)])
    view = ordinal(train.drop(columns="income")).fit(train.drop(columns="income"))

    def auc(frame: pd.DataFrame, weight: str | None = None) -> float:
        judge = HistGradientBoostingClassifier(class_weight=weight, random_state=seed)
        judge.fit(view.transform(frame.drop(columns="income")), frame["income"] == POSITIVE)
        chance = judge.predict_proba(view.transform(holdout.drop(columns="income")))[:, 1]
        return float(roc_auc_score(holdout["income"] == POSITIVE, chance))

    return {
        "as they are": auc(small),
        "class weights": auc(small, "balanced"),
        "synthetic positives": auc(more),
        "all real rows": auc(train),
    }


def _positives(small: pd.DataFrame, wanted: int, seed: int) -> pd.DataFrame:
    model = fitted(small, seed, condition=["income"])
    return model.sample(wanted, seed, given={"income": POSITIVE})
