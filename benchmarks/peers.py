"""`reports/peers.md`: our presets beside other generators, on one machine in one run.

Every peer has a virtual environment of its own (`make bench` installs them) and its defaults.
Tables that are named are measured; those that were measured before stay in the report.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common import (
    DATA,
    ROOT,
    SYNTHVAE,
    TARGETS,
    WORK,
    machine,
    markdown,
    mean,
    need_data,
    rows_of,
    save,
    timed,
    yardstick,
)

TABLES = ("adult", "shoppers")
PRESETS = ("arvae", "tvae")
PEERS = {"ctgan": "ctgan 0.12.1 TVAE", "mostlyai": "mostlyai-engine 2.7.3"}
MANY = 1_000_000
LEGEND = """Ratios: distance to the training rows over that of fresh real rows (1 is ideal). c2st -
floor: ROC AUC of trees that tell synthetic from real rows, less that of fresh real rows (0 is
ideal). tstr_gap: what training on synthetic rows costs in ROC AUC on real ones. dcr_share: 0.5 is
ideal. Fit: the whole process for synthvae, `fit` alone for the others. Rows a second: a million to
a Parquet file for synthvae, 200,000 to a DataFrame for the others. In brackets: the mean over that
of our default."""
METRICS: dict[str, Callable[[dict[str, Any]], float]] = {
    "fit, s": lambda run: run["fit"],
    "rows/s": lambda run: run["rows_per_second"],
    "peak MB": lambda run: run["peak_mb"],
    "shape_ratio": lambda run: run["shape_ratio"],
    "pair_ratio": lambda run: run["pair_ratio"],
    "c2st - floor": lambda run: run["c2st"] - run["c2st_floor"],
    "tstr_gap": lambda run: run["tstr_gap"],
    "dcr_share": lambda run: run["dcr_share"],
}
Runs = dict[str, list[dict[str, Any]]]


def ours(table: str, preset: str, seed: int) -> dict[str, Any]:
    """Through the command line, as a user would."""
    name = f"{table}-{preset}-{seed}"
    model, out, train = WORK / f"{name}.synthvae", WORK / f"{name}.csv", train_of(table)
    options = ("--seed", seed, "--force", "--json")
    fit = timed(SYNTHVAE, "fit", train, "-o", model, "--preset", preset, *options)
    timed(SYNTHVAE, "sample", "-m", model, "-n", rows_of(table), "-o", out, *options)
    many = ("sample", "-m", model, "-n", MANY, "-o", WORK / f"{table}.parquet")
    told = json.loads(timed(SYNTHVAE, *many, *options).output)
    return {
        "fit": fit.seconds,
        "preprocessing": preprocessing(train, preset),
        "rows_per_second": MANY / told["seconds"],
        "peak_mb": fit.peak_mb,
        **yardstick(table, out, TARGETS[table]),
    }


def preprocessing(train: Path, preset: str) -> float:
    """Seconds to read, describe, fit the codecs and encode."""
    from synthvae.pipeline import prepare
    from synthvae.reading import read_table
    from synthvae.settings import parse

    started = time.monotonic()
    prepare(read_table(str(train)), None, parse({"preset": preset}))
    return time.monotonic() - started


def theirs(table: str, peer: str, seed: int) -> dict[str, Any]:
    python = ROOT / f".venv-{peer}" / "bin" / "python"
    script, out = ROOT / "benchmarks" / f"peer_{peer}.py", WORK / f"{table}-{peer}-{seed}.csv"
    done = timed(python, script, train_of(table), out, seed)
    numbers = json.loads(done.output.splitlines()[-1])
    return {**numbers, "peak_mb": done.peak_mb, **yardstick(table, out, TARGETS[table])}


def train_of(table: str) -> Path:
    return DATA / table / "train.csv.gz"


def row(name: str, runs: list[dict[str, Any]], default: list[dict[str, Any]]) -> list[str]:
    cells = []
    for value in METRICS.values():
        values = [value(run) for run in runs]
        ours = statistics.mean(value(run) for run in default)
        over = f" ({statistics.mean(values) / ours:.1f}x)" if runs is not default and ours else ""
        large = statistics.mean(values) >= 100
        cells.append((f"{statistics.mean(values):,.0f}" if large else mean(values, 3)) + over)
    before = [run["preprocessing"] for run in runs if "preprocessing" in run]
    return [name, str(len(runs)), f"{mean(before, 1)} s" if before else "in fit", *cells]


def report(table: str, runs: Mapping[str, list[dict[str, Any]]]) -> str:
    header = ["", "seeds", "preprocessing", *METRICS]
    default = runs[PRESETS[0]]
    named = {**{preset: f"synthvae {preset}" for preset in PRESETS}, **PEERS}
    body = markdown(header, [row(named[who], found, default) for who, found in runs.items()])
    failed = [name for peer, name in PEERS.items() if peer not in runs]
    note = f"\nDid not run to its end: {', '.join(failed)}.\n" if failed else ""
    return f"## {table}, {rows_of(table):,} rows\n\n{body}{note}"


def measured(table: str, seeds: int, peer_seeds: int) -> Runs:
    mine = {preset: [ours(table, preset, seed) for seed in range(seeds)] for preset in PRESETS}
    other: Runs = {}
    for peer in PEERS:
        try:
            other[peer] = [theirs(table, peer, seed) for seed in range(peer_seeds)]
        except SystemExit as failed:  # what was measured of the others is kept
            print(failed, file=sys.stderr)
    return mine | other


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer-seeds", type=int, default=1)
    parser.add_argument("tables", nargs="*", default=list(TABLES))
    arguments = parser.parse_args()
    need_data()
    before = ROOT / "reports" / "peers.json"
    runs: dict[str, Runs] = json.loads(before.read_text()) if before.exists() else {}
    for table in arguments.tables:
        runs[table] = measured(table, arguments.seeds, arguments.peer_seeds)
        write(runs)


def write(runs: Mapping[str, Runs]) -> None:
    """After every table: peers take long."""
    body = "\n".join(report(table, found) for table, found in runs.items())
    text = (
        f"# Beside other generators\n\nDefaults of all; {machine()}.\n\n{LEGEND}\n\n"
        f"Made by `make bench` (`benchmarks/peers.py`).\n\n{body}"
    )
    save("peers", text, runs)
    print(text)


if __name__ == "__main__":
    main()
