"""The coarse protocol: adult in 14 columns of 588 classes, few enough for mechanisms of marginals.

`education` is left out, which education-num says too. Numbers become classes: age - 16 (85 of
them), fnlwgt // 15000 to 99 (100), education-num - 1 (16), capital-gain // 1000 (100), capital-loss
// 50 (100), hours-per-week - 1 (99). Categories are counted in alphabetical order. All of that is
declared: it costs no epsilon.

Measured on 39,073 rows that a model drew: the total variation of two columns at a time against the
training rows, averaged over the 91 pairs, and the ROC AUC on the holdout of gradient-boosted trees
that were trained on the drawn rows to tell the income.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import time
from collections.abc import Callable
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

ROWS, DELTA = 39_073, 1e-5
TARGET = "income"
PEER = ROOT / ".venv-dpmm" / "bin" / "python"
PEERS = Path(__file__).with_name("peer_dpmm.txt")
# Number -> where its classes begin, how wide they are, how many.
NUMBERS = {
    "age": (16, 1, 85),
    "fnlwgt": (0, 15_000, 100),
    "education-num": (1, 1, 16),
    "capital-gain": (0, 1_000, 100),
    "capital-loss": (0, 50, 100),
    "hours-per-week": (1, 1, 99),
}


@dataclass(frozen=True)
class Coarse:
    """Training rows and holdout, numbers as classes and categories as texts; `levels` of these."""

    train: pd.DataFrame
    holdout: pd.DataFrame
    levels: dict[str, list[str]]

    @property
    def sizes(self) -> dict[str, int]:
        return {c: NUMBERS[c][2] if c in NUMBERS else len(self.levels[c]) for c in self.train}

    def codes(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Classes [N, 14] of a table with these columns."""
        columns = []
        for name, size in self.sizes.items():
            given = frame[name]
            if name not in NUMBERS:
                given = given.map({level: i for i, level in enumerate(self.levels[name])})
            code = given.to_numpy(np.int64)
            if code.min() < 0 or code.max() >= size:
                raise SystemExit(f"column {name}: {code.min()} to {code.max()} of {size} classes")
            columns.append(code)
        return np.stack(columns, 1)


@cache
def adult() -> Coarse:
    parts = [
        pd.read_csv(DATA / "adult" / f"{part}.csv.gz", skipinitialspace=True)
        for part in ("train", "holdout")
    ]
    both = pd.concat(parts, ignore_index=True).drop(columns="education")
    for name, (start, width, size) in NUMBERS.items():
        both[name] = ((both[name] - start) // width).clip(0, size - 1).astype(int)
    levels = {name: sorted(both[name].unique()) for name in both if name not in NUMBERS}
    return Coarse(both[:ROWS], both[ROWS:], levels)


def metadata(coarse: Coarse) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, size in coarse.sizes.items():
        if name in NUMBERS:
            ends = {"range_min": 0, "range_max": size - 1, "decimal_places": 0}
            columns[name] = {"sdtype": "numerical", **ends, "range_is_nullable": False}
        else:
            levels = {"range_values": coarse.levels[name], "range_is_nullable": False}
            columns[name] = {"sdtype": "categorical", **levels}
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


def score(drawn: NDArray[np.int64]) -> dict[str, float]:
    """What classes [N, 14] that were drawn are like."""
    coarse = adult()
    names, sizes = list(coarse.sizes), list(coarse.sizes.values())
    at = names.index(TARGET)
    inputs = [i for i in range(len(names)) if i != at]
    categories = [names[i] not in NUMBERS for i in inputs]
    trees = HistGradientBoostingClassifier(categorical_features=categories, random_state=0)
    with threadpool_limits(1):  # threads that wait for each other crawl on cores that are shared
        trees.fit(drawn[:, inputs], drawn[:, at])
    holdout = coarse.codes(coarse.holdout)
    told = trees.predict_proba(holdout[:, inputs])[:, 1]
    return {
        "tv": apart(drawn, coarse.codes(coarse.train), sizes),
        "auc": float(roc_auc_score(holdout[:, at], told)),
    }


def real(epsilon: float, rows: int, run: int, limit: float) -> dict[str, float]:
    """The training rows themselves; for the total variation as many drawn from them."""
    coarse = adult()
    codes = coarse.codes(coarse.train)
    again = np.random.default_rng(run).integers(0, len(codes), ROWS)
    sizes = list(coarse.sizes.values())
    return {**score(codes), "tv": apart(codes[again], codes, sizes)}


def counts(epsilon: float, rows: int, run: int, limit: float) -> dict[str, float]:
    """Rows that the mixture draws, which was fitted to noisy counts."""
    from synthvae.marginals.engine import draw_private, meet
    from synthvae.metadata import read
    from synthvae.privacy.budget import Budget
    from synthvae.privacy.ledger import Ledger
    from synthvae.reading import read_table

    train, described = _files(rows)
    table = read_table(str(train))
    started, worked = time.monotonic(), time.process_time()
    ledger = Ledger(Budget(epsilon, DELTA), key_delta_share=0.0)
    drawn = draw_private(meet(table, read(described)), ledger, ROWS, run)
    spent = {"seconds": time.monotonic() - started, "cpu": time.process_time() - worked}
    frame = pd.DataFrame({c.name: np.array(c.texts)[c.codes] for c in drawn.table.columns})
    return {**spent, "claimed": ledger.claim().epsilon, **_of(frame)}


def arvae(epsilon: float, rows: int, run: int, limit: float) -> dict[str, float]:
    """`synthvae fit --epsilon` and `synthvae sample`."""
    train, described = _files(rows)
    folder = WORK / f"coarse-{rows}-{epsilon:g}-{run}"  # of its own: so is the history of its cost
    folder.mkdir(exist_ok=True)
    model, out = folder / "model.synthvae", folder / "new.csv"
    options = ("--seed", run, "--force", "--json")
    cost = ("--epsilon", epsilon, "--delta", DELTA)
    whole = ("--holdout", 0)
    fit = timed(
        SYNTHVAE, "fit", train, "--metadata", described, "-o", model, *whole, *cost, *options
    )
    sample = timed(SYNTHVAE, "sample", "-n", ROWS, "-m", model, "-o", out, *options)
    frame = pd.read_csv(out, keep_default_na=False)
    spent = {"seconds": fit.seconds + sample.seconds, "cpu": fit.cpu + sample.cpu}
    return {**spent, **_of(frame)}


def peer(mechanism: str) -> Callable[[float, int, int, float], dict[str, float]]:
    """dpmm's `mechanism`; `unfinished`, the seconds it was given, if those were not enough, and
    how many of them the processor gave it."""

    def run_peer(epsilon: float, rows: int, run: int, limit: float) -> dict[str, float]:
        if not PEER.exists():
            made = PEERS.read_text().splitlines()[0].strip("# ")
            raise SystemExit(f"dpmm runs in an environment of its own, but there is none: {made}")
        coarse = adult()
        stem = f"{mechanism}-{rows}-{epsilon:g}-{run}"
        train, sizes = WORK / f"codes-{rows}.csv", WORK / "sizes.json"
        codes = coarse.codes(coarse.train[:rows])
        pd.DataFrame(codes, columns=list(coarse.sizes)).to_csv(train, index=False)
        sizes.write_text(json.dumps(coarse.sizes))
        out, script = WORK / f"{stem}.csv", Path(__file__).with_name("peer_dpmm.py")
        command = [PEER, script, train, sizes, out, mechanism, epsilon, DELTA, ROWS]
        before = _helped()
        try:
            text = [str(part) for part in command]
            done = subprocess.run(text, timeout=limit, check=True, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            return {"unfinished": limit, "cpu": _helped() - before}
        told = json.loads(done.stdout.splitlines()[-1])
        new = pd.read_csv(out)[list(coarse.sizes)].to_numpy(np.int64)
        return {**told, **score(new)}

    return run_peer


def _helped() -> float:
    """Seconds of CPU of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _of(frame: pd.DataFrame) -> dict[str, float]:
    return score(adult().codes(frame))


def _files(rows: int) -> tuple[Path, Path]:
    """The first `rows` training rows and their metadata, as files."""
    coarse = adult()
    train, described = WORK / f"coarse-{rows}.csv", WORK / "coarse.json"
    coarse.train[:rows].to_csv(train, index=False)
    described.write_text(json.dumps(metadata(coarse)))
    return train, described
