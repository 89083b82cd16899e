"""The coarse protocol: tables of few enough classes for mechanisms of marginals.

Numbers become classes: (value - start) // width, what is beyond the last or before the first
counted there. `adult` is 14 columns of 588 classes, without `education`, which education-num says
too; `default` 24 columns. Categories are counted in alphabetical order. All of that is declared:
it costs no epsilon.

Measured on rows that a model drew, as many as the whole table has: the total variation of two
columns at a time against the training rows, averaged over all pairs, and the ROC AUC on the holdout
of gradient-boosted trees that were trained on the drawn rows to tell the target.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import DATA, ROOT, SYNTHVAE, WORK, timed
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

DELTA = 1e-5
PEER = ROOT / ".venv-dpmm" / "bin" / "python"
PEERS = Path(__file__).with_name("peer_dpmm.txt")


@dataclass(frozen=True)
class Protocol:
    """Of each number where its classes begin, how wide they are, how many; else categories."""

    target: str
    numbers: Mapping[str, tuple[int, int, int]]
    left_out: tuple[str, ...] = ()


PROTOCOLS = {
    "adult": Protocol(
        "income",
        {
            "age": (16, 1, 85),
            "fnlwgt": (0, 15_000, 100),
            "education-num": (1, 1, 16),
            "capital-gain": (0, 1_000, 100),
            "capital-loss": (0, 50, 100),
            "hours-per-week": (1, 1, 99),
        },
        left_out=("education",),
    ),
    "default": Protocol(
        "default payment next month",
        {
            "LIMIT_BAL": (0, 10_000, 101),
            "AGE": (21, 1, 59),
            **{f"BILL_AMT{month}": (-20_000, 10_000, 50) for month in range(1, 7)},
            **{f"PAY_AMT{month}": (0, 2_000, 50) for month in range(1, 7)},
        },
    ),
}


@dataclass(frozen=True)
class Coarse:
    """Training rows and holdout, numbers as classes and categories as texts; `levels` of these."""

    name: str
    train: pd.DataFrame
    holdout: pd.DataFrame
    levels: dict[str, list[str]]

    @property
    def protocol(self) -> Protocol:
        return PROTOCOLS[self.name]

    @property
    def sizes(self) -> dict[str, int]:
        numbers = self.protocol.numbers
        return {c: numbers[c][2] if c in numbers else len(self.levels[c]) for c in self.train}

    def codes(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Classes [N, columns] of a table with these columns."""
        columns = []
        for name, size in self.sizes.items():
            given = frame[name]
            if name in self.levels:
                given = given.map({level: i for i, level in enumerate(self.levels[name])})
            code = given.to_numpy(np.int64)
            if code.min() < 0 or code.max() >= size:
                raise SystemExit(f"column {name}: {code.min()} to {code.max()} of {size} classes")
            columns.append(code)
        return np.stack(columns, 1)


@cache
def read(table: str) -> Coarse:
    protocol = PROTOCOLS[table]
    parts = [
        pd.read_csv(DATA / table / f"{part}.csv.gz", skipinitialspace=True)
        for part in ("train", "holdout")
    ]
    both = pd.concat(parts, ignore_index=True).drop(columns=list(protocol.left_out))
    for name, (start, width, size) in protocol.numbers.items():
        both[name] = ((both[name] - start) // width).clip(0, size - 1).astype(int)
    categories = [name for name in both if name not in protocol.numbers]
    both[categories] = both[categories].astype(str)
    levels = {name: sorted(both[name].unique()) for name in categories}
    rows = len(parts[0])
    return Coarse(table, both[:rows], both[rows:], levels)


def metadata(coarse: Coarse) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, size in coarse.sizes.items():
        if name in coarse.levels:
            levels = {"range_values": coarse.levels[name], "range_is_nullable": False}
            columns[name] = {"sdtype": "categorical", **levels}
        else:
            ends = {"range_min": 0, "range_max": size - 1, "decimal_places": 0}
            columns[name] = {"sdtype": "numerical", **ends, "range_is_nullable": False}
    return {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": columns}


def apart(first: NDArray[np.int64], second: NDArray[np.int64], sizes: list[int]) -> float:
    """Total variation of two columns at a time, averaged over pairs."""
    found = []
    for i, j in itertools.combinations(range(len(sizes)), 2):
        cells = sizes[i] * sizes[j]
        a, b = (
            np.bincount(codes[:, i] * sizes[j] + codes[:, j], minlength=cells) / len(codes)
            for codes in (first, second)
        )
        found.append(np.abs(a - b).sum() / 2)
    return float(np.mean(found))


def score(coarse: Coarse, drawn: NDArray[np.int64]) -> dict[str, float]:
    """What classes [N, columns] that were drawn are like."""
    names, sizes = list(coarse.sizes), list(coarse.sizes.values())
    at = names.index(coarse.protocol.target)
    inputs = [i for i in range(len(names)) if i != at]
    categories = [names[i] in coarse.levels for i in inputs]
    trees = HistGradientBoostingClassifier(categorical_features=categories, random_state=0)
    with threadpool_limits(1):  # threads that wait for each other crawl on cores that are shared
        trees.fit(drawn[:, inputs], drawn[:, at])
    holdout = coarse.codes(coarse.holdout)
    told = trees.predict_proba(holdout[:, inputs])[:, 1]
    return {
        "tv": apart(drawn, coarse.codes(coarse.train), sizes),
        "auc": float(roc_auc_score(holdout[:, at], told)),
    }


def real(table: str, epsilon: float, rows: int, run: int, limit: float) -> dict[str, float]:
    """The training rows themselves; for the total variation as many drawn from them."""
    coarse = read(table)
    codes = coarse.codes(coarse.train)
    again = np.random.default_rng(run).integers(0, len(codes), len(codes))
    sizes = list(coarse.sizes.values())
    return {**score(coarse, codes), "tv": apart(codes[again], codes, sizes)}


def counts(table: str, epsilon: float, rows: int, run: int, limit: float) -> dict[str, float]:
    """Rows that are drawn from noisy counts, which the model learns."""
    from synthvae import metadata as described_by
    from synthvae.marginals.engine import draw_private, meet
    from synthvae.privacy.budget import Budget
    from synthvae.privacy.ledger import Ledger
    from synthvae.reading import read_table

    coarse = read(table)
    train, described = _files(coarse, rows)
    learnt = read_table(str(train))
    started, worked = time.monotonic(), time.process_time()
    ledger = Ledger(Budget(epsilon, DELTA), key_delta_share=0.0)
    known = meet(learnt, described_by.read(described))
    drawn = draw_private(known, ledger, len(coarse.train), run)
    spent = {"seconds": time.monotonic() - started, "cpu": time.process_time() - worked}
    frame = pd.DataFrame({c.name: np.array(c.texts)[c.codes] for c in drawn.table.columns})
    return {**spent, "claimed": ledger.claim().epsilon, **_of(coarse, frame)}


def arvae(table: str, epsilon: float, rows: int, run: int, limit: float) -> dict[str, float]:
    """`synthvae fit --epsilon` and `synthvae sample`."""
    coarse = read(table)
    train, described = _files(coarse, rows)
    # A folder of its own, and so a history of its own of what was spent.
    folder = WORK / f"coarse-{table}-{rows}-{epsilon:g}-{run}"
    folder.mkdir(exist_ok=True)
    model, out = folder / "model.synthvae", folder / "new.csv"
    options = ("--seed", run, "--force", "--json")
    cost = ("--epsilon", epsilon, "--delta", DELTA)
    whole = ("--holdout", 0)
    fit = timed(
        SYNTHVAE, "fit", train, "--metadata", described, "-o", model, *whole, *cost, *options
    )
    sample = timed(SYNTHVAE, "sample", "-n", len(coarse.train), "-m", model, "-o", out, *options)
    frame = pd.read_csv(out, keep_default_na=False)
    spent = {"seconds": fit.seconds + sample.seconds, "cpu": fit.cpu + sample.cpu}
    return {**spent, **_of(coarse, frame)}


def peer(mechanism: str) -> Callable[[str, float, int, int, float], dict[str, float]]:
    """dpmm's `mechanism`; `unfinished`, the seconds it was given, if those were not enough, and
    how many of them the processor gave it."""

    def run_peer(table: str, epsilon: float, rows: int, run: int, limit: float) -> dict[str, float]:
        if not PEER.exists():
            made = PEERS.read_text().splitlines()[0].strip("# ")
            raise SystemExit(f"dpmm runs in an environment of its own, but there is none: {made}")
        coarse = read(table)
        stem = f"{mechanism}-{table}-{rows}-{epsilon:g}-{run}"
        train, sizes = WORK / f"codes-{table}-{rows}.csv", WORK / f"sizes-{table}.json"
        codes = coarse.codes(coarse.train[:rows])
        pd.DataFrame(codes, columns=list(coarse.sizes)).to_csv(train, index=False)
        sizes.write_text(json.dumps(coarse.sizes))
        out, script = WORK / f"{stem}.csv", Path(__file__).with_name("peer_dpmm.py")
        command = [PEER, script, train, sizes, out, mechanism, epsilon, DELTA, len(coarse.train)]
        before = _helped()
        try:
            text = [str(part) for part in command]
            done = subprocess.run(text, timeout=limit, check=True, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            return {"unfinished": limit, "cpu": _helped() - before}
        told = json.loads(done.stdout.splitlines()[-1])
        new = pd.read_csv(out)[list(coarse.sizes)].to_numpy(np.int64)
        return {**told, **score(coarse, new)}

    return run_peer


def _helped() -> float:
    """Seconds of CPU of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _of(coarse: Coarse, frame: pd.DataFrame) -> dict[str, float]:
    return score(coarse, coarse.codes(frame.astype(dict.fromkeys(coarse.levels, str))))


def _files(coarse: Coarse, rows: int) -> tuple[Path, Path]:
    """The first `rows` training rows and their metadata, as files."""
    stem = WORK / f"coarse-{coarse.name}"
    train, described = stem.with_name(f"{stem.name}-{rows}.csv"), stem.with_suffix(".json")
    coarse.train[:rows].to_csv(train, index=False)
    described.write_text(json.dumps(metadata(coarse)))
    return train, described
