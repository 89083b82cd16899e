"""One report on small tables with hostile names, made once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthvae.reporting import run
from synthvae.reporting_inputs import Asked

TAG = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
BRACES = "{{ 7 * 7 }} $x_1$"


def table(rows: int, seed: int) -> pd.DataFrame:
    """Hostile names, a key, a date, a skewed number, few values, missing ones."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["low", "mid", IMAGE], rows, p=[0.5, 0.3, 0.2])
    level = pd.Series(group).map({"low": 0.0, "mid": 2.0, IMAGE: 4.0}).to_numpy()
    amount = np.where(rng.random(rows) < 0.3, 0.0, rng.lognormal(5, 2, rows).round(2))
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), "D")
    return pd.DataFrame(
        {
            "id": [f"K-{i:06d}" for i in rng.permutation(10**6)[:rows]],
            TAG: group,
            "amount": np.where(rng.random(rows) < 0.1, np.nan, amount),
            BRACES: rng.poisson(2 + level),
            "since": days.strftime("%Y-%m-%d"),
            "left": rng.choice(["yes", "no"], rows),
        }
    )


def audit() -> dict[str, Any]:
    """The public result of an audit, as its command writes it."""
    ends = {"low": 0.47, "high": 0.56}
    rate = {"hits": 4, "n": 400, "value": 0.01, "interval": {"low": 0.003, "high": 0.02}}
    excess = {"training": rate, "control": rate, "value": 0.0,
              "interval": {"low": -0.02, "high": 0.02}, "seed": 0}  # fmt: skip
    return {
        "verdict": {
            "outcome": "INCONCLUSIVE", "sentence": "Not enough evidence either way.",
            "reasons": [f"inference of '{TAG}': 6.43%", "400 rows a side are fewer than 500"],
            "criteria": [{"name": f"AUC of '{TAG}', all rows, from released tables",
                          "section": "membership", "value": 0.52,
                          "interval": ends, "strict": ends, "limit": 0.6,
                          "outcome": "INCONCLUSIVE", "rows": 2200,
                          "reason": "400 rows a side are fewer than 500"}],
        },
        "attacks": [{"name": TAG, "access": "released table", "who": "all rows", "auc": 0.52,
                     "interval": ends, "tpr": {"1%": rate}, "members": 400, "others": 300,
                     "seed": 0, "epsilon_one_run": 0.0, "first_half_auc": 0.53,
                     "first_half_tpr": 0.01}],
        "risks": [{**excess, "name": "inference", "subject": [TAG]}],
        "copies": [{**excess, "name": "exact copies", "subject": [TAG, "amount"]}],
        "controls": [{"name": "null", "passed": None, "note": "too few rows"}],
        "bounds": [], "epsilon_audited": 0.0, "notes": [], "seed": 0, "policy": {"auc": 0.6},
    }  # fmt: skip


def check() -> dict[str, Any]:
    """The outcome of a policy, as its command writes it."""
    line = {"rule": f"shape {TAG}", "record": "fidelity.shape_ratio", "level": "fail",
            "limit": "at most 1.5", "value": 1.1, "low": 1.0, "high": 1.2, "bound": "high",
            "margin": 0.3, "status": "pass", "reason": f"4 of 400 rows ('{TAG}')"}  # fmt: skip
    column = {**line, "rule": "one column", "record": "fidelity.column", "status": "missing",
              "value": None, "low": None, "high": None, "margin": None,
              "reason": "not measured"}  # fmt: skip
    return {"schema_version": 1, "policy": {"name": "default", "profile": "strict"},
            "passed": False, "lines": [line, column]}  # fmt: skip


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tables, an audit, a check and a log."""
    folder = tmp_path_factory.mktemp("hostile")
    for seed, (name, rows) in enumerate({"real": 600, "holdout": 400, "out": 500}.items()):
        table(rows, seed).to_csv(folder / f"{name}.csv", index=False)
    (folder / "audit.json").write_text(json.dumps(audit()))
    (folder / "check.json").write_text(json.dumps(check()))
    losses = [{"train": 9.0 - i, "loss": 9.5 - i, "rate": 0.1 * i} for i in range(5)]
    (folder / "losses.jsonl").write_text("".join(json.dumps(each) + "\n" for each in losses))
    return folder


@pytest.fixture(scope="session")
def content(hostile: Path) -> dict[str, Any]:
    """A report with everything but a model."""
    asked = Asked(
        str(hostile / "real.csv"), str(hostile / "holdout.csv"), str(hostile / "out.csv"),
        audit=hostile / "audit.json", check=hostile / "check.json", log=hostile / "losses.jsonl",
        command=f"synthvae report --real '{TAG}.csv'", seed=3,
    )  # fmt: skip
    return run(asked)
