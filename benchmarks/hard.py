"""`reports/hard.md`: the default model on simulated tables of the shapes that break careless ones.

Each is drawn twice, to learn and to compare with. What was measured before stays; tables that are
named are measured again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import (
    MEASURING,
    SYNTHVAE,
    WORK,
    YARDSTICK,
    machine,
    markdown,
    mean,
    measured,
    need_data,
    save,
    timed,
)

LETTERS = str.maketrans("0123456789", "abcdefghij")
Make = Callable[[np.random.Generator, int], pd.DataFrame]
LEGEND = """`synthvae fit` with metadata as `synthvae detect` drafts it, nothing but the seed set.
Ratios: distance to the training rows over that of as many fresh rows (1 is ideal). c2st - floor:
ROC AUC of trees that tell synthetic from training rows, less the same for fresh ones (0 is ideal).
dcr_share: 0.5 is ideal. Mean and standard deviation over seeds of the fit; the tables are the
same."""


def factors(rng: np.random.Generator, rows: int, numbers: int, classes: int) -> pd.DataFrame:
    """Numbers and classes that all follow from four factors, and from chance."""
    hidden = rng.normal(size=(rows, 4))
    fixed = np.random.default_rng(1)  # how they follow is the same for both draws
    columns: dict[str, Any] = {}
    for i in range(numbers):
        mean = hidden @ fixed.normal(size=4)
        columns[f"n{i}"] = (mean + rng.normal(size=rows)).round(3)
    for i in range(classes):
        levels = int(fixed.integers(2, 9))
        scores = hidden @ fixed.normal(size=(4, levels)) + rng.gumbel(size=(rows, levels))
        columns[f"c{i}"] = np.array([f"v{k}" for k in range(levels)])[scores.argmax(axis=1)]
    return pd.DataFrame(columns)


def mixed(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    return factors(rng, rows, 5, 5)


def wide(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    return factors(rng, rows, 150, 150)


def levels(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Ten thousand levels, of which each has a mean and a group of its own. They are spelled in
    letters, as towns are: digits would make them identifiers."""
    level = np.minimum(rng.zipf(1.2, rows), 10_000)
    fixed = np.random.default_rng(1)
    mean, group = fixed.normal(size=10_001), fixed.choice(["a", "b", "c"], 10_001)
    value = (mean[level] + 0.3 * rng.normal(size=rows)).round(3)
    return pd.DataFrame(
        {
            "town": [f"{i:05d}".translate(LETTERS) for i in level],
            "value": value,
            "group": group[level],
        }
    ).assign(size=rng.poisson(3, rows))


def heavy(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    body = mixed(rng, rows)
    return body.assign(
        cauchy=(body["n0"] + rng.standard_cauchy(rows)).round(2),
        wage=np.exp(4 + body["n1"] + rng.normal(size=rows)).round(2),
    )


def missing(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Half of all cells, more of them where the first factor is high."""
    body = mixed(rng, rows)
    high = (body["n0"].rank(pct=True)).to_numpy()[:, None]
    return body.mask(rng.random(body.shape) < high)


def dominant(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    body = mixed(rng, rows)
    rare = (body["n0"] + rng.normal(size=rows)) > 6.5
    return body.assign(label=np.where(rare, "yes", "no"))


TABLES: dict[str, tuple[Make, int]] = {
    "300 rows": (mixed, 300),
    "300 columns": (wide, 3_000),
    "10,000 levels": (levels, 100_000),
    "heavy tails": (heavy, 10_000),
    "half of the cells missing": (missing, 10_000),
    "one dominant class": (dominant, 20_000),
    "500,000 rows": (mixed, 500_000),
}


def measure(name: str, seed: int) -> dict[str, Any]:
    make, rows = TABLES[name]
    paths: list[Path] = []
    for part in (0, 1):
        paths.append(WORK / f"hard-{part}.csv")
        make(np.random.default_rng([7, part]), rows).to_csv(paths[-1], index=False)
    declared, model, out = WORK / "hard.json", WORK / "hard.synthvae", WORK / "hard.csv"
    timed(SYNTHVAE, "detect", paths[0], "-o", declared, "--force")
    options = ("--seed", seed, "--force", "-q")
    fit = timed(SYNTHVAE, "fit", paths[0], "--metadata", declared, "-o", model, *options)
    timed(SYNTHVAE, "sample", "-m", model, "-n", rows, "-o", out, *options)
    frame = pd.read_csv(paths[0], nrows=5)
    numbers = timed(MEASURING, YARDSTICK, *paths, out).output
    shape = {"rows": rows, "columns": frame.shape[1]}
    spent = {"fit": fit.seconds, "fit_cpu": fit.cpu, "peak_mb": fit.peak_mb}
    return {**shape, **spent, **json.loads(numbers)}


def row(name: str, runs: Sequence[dict[str, Any]]) -> list[str]:
    def of(key: str, digits: int) -> str:
        return mean([run[key] for run in runs], digits)

    return [
        name,
        f"{runs[0]['rows']:,}",
        str(runs[0]["columns"]),
        str(len(runs)),
        f"{of('fit', 0)} s",
        f"{of('fit_cpu', 0)} s",
        f"{max(run['peak_mb'] for run in runs):,.0f} MB",
        of("shape_ratio", 3),
        of("pair_ratio", 3),
        mean([run["c2st"] - run["c2st_floor"] for run in runs], 3),
        of("dcr_share", 3),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("tables", nargs="*", default=list(TABLES))
    arguments = parser.parse_args()
    need_data()
    header = ["", "rows", "columns", "seeds", "fit", "CPU", "peak memory", "shape_ratio",
              "pair_ratio", "c2st - floor", "dcr_share"]  # fmt: skip
    for name in arguments.tables:
        found = [measure(name, seed) for seed in range(arguments.seeds)]
        runs = measured("hard") | {name: found}
        table = markdown(header, [row(name, runs[name]) for name in TABLES if name in runs])
        text = f"# Hard tables\n\n{machine()}. {LEGEND}\n\n"
        save("hard", f"{text}Made by `python benchmarks/hard.py`.\n\n{table}", runs)


if __name__ == "__main__":
    main()
