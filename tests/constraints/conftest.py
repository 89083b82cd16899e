"""A table that keeps one constraint of every kind, and a model of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthvae import pipeline
from synthvae.artifact import Artifact
from synthvae.constraints.predicates import trust
from synthvae.settings import parse
from synthvae.table import from_frame

RULES: list[dict[str, Any]] = [
    {"kind": "inequality", "low": "start", "high": "end"},
    {"kind": "range", "column": "mid", "low": "low", "high": "high"},
    {"kind": "fixed_combinations", "columns": ["city", "state"]},
    {"kind": "one_hot", "columns": ["red", "green", "blue"]},
    {"kind": "formula", "column": "total", "equals": "price * n"},
    {"kind": "increments", "column": "pay", "step": 500},
    {"kind": "range", "column": "n", "min": 1, "max": 9},
    {"kind": "not_null", "columns": ["city", "n"]},
    {"kind": "regex", "column": "city", "pattern": "[a-d]"},
    {"kind": "predicate", "function": "rules_of_mine:sane"},
]


@pytest.fixture(scope="session")
def orders() -> pd.DataFrame:
    """600 rows. `mid` is missing in some, dates are written 05/01/2020."""
    rng = np.random.default_rng(3)
    rows = 600
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D")
    end = start + pd.to_timedelta(rng.poisson(3, rows), "D")
    city = rng.choice(["a", "b", "c", "d"], rows)
    colour = rng.integers(0, 3, rows)
    price, n = np.round(rng.lognormal(2, 1, rows), 2), rng.integers(1, 9, rows)
    low = np.round(rng.normal(0, 1, rows), 1)
    mid = np.round(low + rng.exponential(1, rows), 1)
    high = np.round(mid + rng.exponential(2, rows), 2)
    return pd.DataFrame(
        {
            "id": [f"K-{i:05d}" for i in range(rows)],
            "start": start.strftime("%d/%m/%Y"),
            "end": end.strftime("%d/%m/%Y"),
            "city": city,
            "state": np.where(np.isin(city, ["a", "b"]), "X", "Y"),
            "price": price,
            "n": n,
            "total": np.round(price * n, 2),
            **{name: (colour == i) * 1 for i, name in enumerate(("red", "green", "blue"))},
            "low": low,
            "mid": np.where(rng.random(rows) < 0.1, np.nan, mid),
            "high": high,
            "pay": rng.integers(1, 40, rows) * 500,
        }
    )


@pytest.fixture(scope="session")
def module_of_rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of predicates, on the path of modules."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "rules_of_mine.py").write_text(
        "def sane(frame):\n    return ~(frame['price'] > 30) | (frame['n'] < 8)\n"
        "def never(frame):\n    return frame['n'] > 99\n"
        "def odd(frame):\n    return 1\n"
    )
    sys.path.insert(0, str(folder))
    return folder


@pytest.fixture(scope="session")
def kept_orders(orders: pd.DataFrame, module_of_rules: Path) -> pd.DataFrame:
    """Rows of `orders` that keep the predicate too."""
    return orders[~(orders.price > 30) | (orders.n < 8)].reset_index(drop=True)


@pytest.fixture(scope="session")
def bound(kept_orders: pd.DataFrame) -> Artifact:
    """A model of the table, under all rules."""
    trust(["rules_of_mine:sane"])
    settings = {"preset": "tvae", "constraints": RULES, "training": {"epochs": 2, "batch": 100}}
    return pipeline.fit(from_frame(kept_orders), None, parse(settings))
