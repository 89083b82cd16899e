"""Real tables as scikit-learn sees them, and models of ours fitted on them in one line."""

from __future__ import annotations

from typing import Any

import pandas as pd
from common import DATA
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from synthvae import Synthesizer

Found = dict[str, float]


def frames(table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and held-out rows; integers stay integers."""
    train, holdout = (
        pd.read_csv(DATA / table / f"{part}.csv.gz", skipinitialspace=True)
        for part in ("train", "holdout")
    )
    return train, holdout


def fitted(
    frame: pd.DataFrame, seed: int, preset: str = "arvae", **settings: object
) -> Synthesizer:
    """Nothing else set."""
    return Synthesizer(preset, settings={"seed": seed, **settings}).fit(frame)


def numbers(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]


def texts(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if name not in numbers(frame)]


def one_hot(frame: pd.DataFrame) -> Any:
    """Numbers standardised, everything else one-hot."""
    classes = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((StandardScaler(), numbers(frame)), (classes, texts(frame)))


def ordinal(frame: pd.DataFrame) -> Any:
    """Numbers as they are, everything else as whole numbers: what trees take."""
    classes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_column_transformer((classes, texts(frame)), remainder="passthrough")
