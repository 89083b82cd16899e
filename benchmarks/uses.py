"""`reports/uses.md`: what a fitted model is good for beside new rows, next to scikit-learn.

Anomaly scores, imputation, representation, augmentation; seeds of the models are 0 to `--seeds`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from common import DATA, machine, markdown, mean, need_data, save
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from synthvae import Synthesizer
from synthvae.evaluation.fidelity import shape

Found = dict[str, float]
HIDDEN, IMPUTED, DRAWS = 0.2, 2_000, 10
SCRAMBLED, TIMES = 0.01, 20
KEPT = 0.02  # of the positive rows


def frames(table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and held-out rows; integers stay integers."""
    train, holdout = (
        pd.read_csv(DATA / table / f"{part}.csv.gz", skipinitialspace=True)
        for part in ("train", "holdout")
    )
    return train, holdout


def fitted(frame: pd.DataFrame, seed: int, preset: str = "arvae") -> Synthesizer:
    return Synthesizer(preset, settings={"seed": seed}).fit(frame)


def numbers(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]


def encoder(frame: pd.DataFrame) -> Any:
    """Numbers standardised, everything else one-hot."""
    texts = [name for name in frame if name not in numbers(frame)]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((StandardScaler(), numbers(frame)), (one_hot, texts))


def outlier_scores(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """High for unusual rows of `test`."""
    model = fitted(train, seed)
    views = encoder(train).fit(train)
    a, b = views.transform(train), views.transform(test)
    return {
        "synthvae": model.score(test)["score"].to_numpy(),
        "isolation forest": -IsolationForest(random_state=seed).fit(a).score_samples(b),
        "local outlier factor": -LocalOutlierFactor(novelty=True).fit(a).score_samples(b),
    }


def gamma(seed: int) -> Found:
    """magic: learnt from showers of class g, asked which held-out ones are h."""
    train, holdout = frames("magic")
    usual = train[train["class"] == "g"].drop(columns="class")
    found = outlier_scores(usual, holdout.drop(columns="class"), seed)
    return {name: roc_auc_score(holdout["class"] == "h", s) for name, s in found.items()}


def scrambled(seed: int) -> Found:
    """shoppers: every column of 1 % of the held-out rows is that of another row."""
    train, holdout = frames("shoppers")
    rng = np.random.default_rng(seed)
    mixed = pd.concat([holdout[name].sample(frac=1, random_state=rng.integers(1 << 31))
                       .reset_index(drop=True) for name in holdout], axis=1)  # fmt: skip
    found = outlier_scores(train, pd.concat([holdout, mixed], ignore_index=True), seed)
    n, few = len(holdout), round(SCRAMBLED * len(holdout))
    draws = [rng.choice(n, few, replace=False) for _ in range(TIMES)]
    labels = np.arange(n - few) < 0

    def auc(scores: np.ndarray, chosen: np.ndarray) -> float:
        kept = np.delete(scores[:n], chosen)
        both = np.concatenate([kept, scores[n + chosen]])
        return float(roc_auc_score(np.append(labels, np.ones(few, bool)), both))

    return {name: float(np.mean([auc(s, c) for c in draws])) for name, s in found.items()}


def imputation(seed: int) -> dict[str, Found]:
    """adult: a fifth of the cells of held-out rows hidden; the most frequent, or mean, of draws."""
    train, holdout = frames("adult")
    whole = holdout.sample(IMPUTED, random_state=seed).reset_index(drop=True)
    holes = np.random.default_rng(seed).random(whole.shape) < HIDDEN
    hidden = whole.astype(dict.fromkeys(numbers(whole), float)).mask(holes)
    model = fitted(train, seed)
    draws = model.impute(hidden, DRAWS, seed)
    one = draws.loc[0].reset_index(drop=True)
    known = numbers(whole)
    best = {name: draws[name].astype(float).groupby(level=1).mean() if name in known
            else draws[name].groupby(level=1).agg(lambda v: v.mode().iloc[0])
            for name in whole}  # fmt: skip
    filled = {
        "synthvae": pd.DataFrame(best),
        "synthvae, one draw": one,
        "IterativeImputer": _iterative(train, hidden, seed),
        "most frequent, mean": _simple(train, hidden),
    }
    return {name: _judged(train, whole, frame, holes) for name, frame in filled.items()}


def _judged(
    train: pd.DataFrame, whole: pd.DataFrame, filled: pd.DataFrame, holes: np.ndarray
) -> Found:
    hits, errors, known = [], [], numbers(whole)
    for i, name in enumerate(whole):
        at = holes[:, i]
        if name in known:
            off = filled[name].astype(float)[at] - whole[name][at]
            errors.append(np.sqrt((off**2).mean()) / train[name].std())
        else:
            hits.append((filled[name][at].astype(str) == whole[name][at].astype(str)).mean())
    as_train = filled.astype(dict.fromkeys(known, float))
    real = train.astype(dict.fromkeys(known, float))
    fresh = whole.astype(dict.fromkeys(known, float))
    ratio = shape(real, fresh, as_train, 0).ratio or float("nan")
    return {"accuracy": float(np.mean(hits)), "error": float(np.mean(errors)), "shape": ratio}


def _iterative(train: pd.DataFrame, hidden: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Categories as one-hot columns; the largest is taken."""
    known = numbers(train)
    texts = [name for name in train if name not in known]
    one_hot = pd.get_dummies(train, columns=texts, dtype=float)
    test = pd.DataFrame(0.0, hidden.index, one_hot.columns)
    for column in one_hot:
        name, _, value = (column, "", "") if column in known else column.rpartition("_")
        test[column] = hidden[name] if column in known else (hidden[name] == value).astype(float)
        test.loc[hidden[name].isna(), column] = np.nan
    imputer = IterativeImputer(random_state=seed, max_iter=3, n_nearest_features=20)
    done = pd.DataFrame(imputer.fit(one_hot).transform(test), columns=one_hot.columns)
    out = done[known].copy()
    for name in texts:
        own = [c for c in one_hot if c not in known and c.rpartition("_")[0] == name]
        out[name] = done[own].idxmax(axis=1).str.rpartition("_")[2]
    return out[train.columns]


def _simple(train: pd.DataFrame, hidden: pd.DataFrame) -> pd.DataFrame:
    known = numbers(train)
    out = hidden.copy()
    out[known] = SimpleImputer().fit(train[known]).transform(hidden[known])
    for name in hidden.columns.difference(known):
        out[name] = hidden[name].fillna(train[name].mode().iloc[0])
    return out


def representation(seed: int) -> Found:
    """adult without income: a logistic regression of income on what a row becomes."""
    train, holdout = frames("adult")
    parts = [frame.drop(columns="income") for frame in (train, holdout)]
    goal, truth = (frame["income"] == ">50K" for frame in (train, holdout))

    def auc(a: Any, b: Any) -> float:
        judge = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(a, goal)
        return float(roc_auc_score(truth, judge.predict_proba(b)[:, 1]))

    one_hot = encoder(parts[0]).fit(parts[0])
    found = {"one-hot columns": auc(*(one_hot.transform(part) for part in parts))}
    for preset in ("arvae", "tvae", "fsq-vae"):
        model = fitted(parts[0], seed, preset)
        found[preset] = auc(*(model.encode(part) for part in parts))
    return found


def augmentation(seed: int) -> Found:
    """adult with 2 % of its positive rows: trees on it, weighted, and with synthetic positives."""
    train, holdout = frames("adult")
    positive = train["income"] == ">50K"
    few = train[positive].sample(frac=KEPT, random_state=seed)
    small = pd.concat([train[~positive], few]).sample(frac=1, random_state=seed)
    model = fitted(small, seed)
    wanted = int((~positive).sum() - len(few))
    rows: list[pd.DataFrame] = []
    while sum(map(len, rows)) < wanted:
        drawn = model.sample(200_000, seed=len(rows))
        rows.append(drawn[drawn["income"] == ">50K"])
        if len(rows) == 4:  # rare classes are drawn as rarely as they are
            break
    more = pd.concat([small, *rows])[: len(small) + wanted]
    order = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    texts = [name for name in train if name not in numbers(train) and name != "income"]
    mapped = make_column_transformer((order, texts), remainder="passthrough")
    mapped.fit(train.drop(columns="income"))

    def auc(frame: pd.DataFrame, weight: str | None) -> float:
        judge = HistGradientBoostingClassifier(class_weight=weight, random_state=seed)
        judge.fit(mapped.transform(frame.drop(columns="income")), frame["income"] == ">50K")
        chance = judge.predict_proba(mapped.transform(holdout.drop(columns="income")))[:, 1]
        return float(roc_auc_score(holdout["income"] == ">50K", chance))

    return {
        "as they are": auc(small, None),
        "class weights": auc(small, "balanced"),
        "synthetic positives": auc(more, None),
        "all real rows": auc(train, None),
    }


TASKS: dict[str, tuple[str, Callable[[int], Found]]] = {
    "magic, ROC AUC of h against g": ("higher is better", gamma),
    "shoppers, ROC AUC of scrambled rows": ("higher is better", scrambled),
    "adult, ROC AUC of income from a linear model": ("higher is better", representation),
    "adult with 2 % of its positives, ROC AUC of trees": ("higher is better", augmentation),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    need_data()
    data: dict[str, Any] = {}
    parts = []
    for name, (better, task) in TASKS.items():
        runs = data[name] = [task(seed) for seed in seeds]
        body = [[who, mean([run[who] for run in runs], 3)] for who in runs[0]]
        parts.append(f"## {name}\n\n{task.__doc__}\n\n" + markdown(["", better], body))
        print(parts[-1], flush=True)
    filled = data["imputation"] = [imputation(seed) for seed in seeds]
    header = ["", "accuracy of categories", "error of numbers, deviations", "shape_ratio"]
    body = [
        [
            who,
            *(mean([run[who][key] for run in filled], 3) for key in ("accuracy", "error", "shape")),
        ]
        for who in filled[0]
    ]
    parts.append(f"## Imputation\n\n{imputation.__doc__}\n\n" + markdown(header, body))
    text = (
        f"# What a model is good for beside new rows\n\nDefaults of all; {machine()}; "
        f"{len(seeds)} seeds.\n\nMade by `python benchmarks/uses.py`.\n\n" + "\n".join(parts)
    )
    save("uses", text, data)
    print(text)


if __name__ == "__main__":
    main()
