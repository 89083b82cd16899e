"""`reports/peers.md`: our default model beside other generators, on one machine in one run.

Every peer has a virtual environment of its own, since their pins clash, and its defaults. It takes
an hour: what was measured before stays, unless `--again` is given, and the report is written after
every run. A peer that can't be installed or fails is named with its last words.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
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
    measured,
    need_data,
    rows_of,
    save,
    timed,
    yardstick,
)
from fidelity import METRICS, model_of, one

TABLES = ("adult", "shoppers")
OURS = "synthvae arvae"
PEERS = {"ctgan": "ctgan 0.12.1 TVAE", "mostlyai": "mostlyai-engine 2.7.3"}
# What comes along for graphics cards, does not fit torch's CPU build and keeps all from starting.
DROPPED = {"mostlyai": ("torchvision", "torchaudio")}
MANY = 200_000
LEGEND = """Defaults of all. Ratios: distance to the training rows over that of fresh real rows (1
is ideal). c2st - floor: ROC AUC of trees that tell synthetic from real rows, less that of fresh
real rows (0 is ideal). tstr_gap: what training on synthetic rows costs in ROC AUC on real ones.
dcr_share: 0.5 is ideal. Fit: the whole process for synthvae, `fit` alone for the others; CPU: of
the whole process, for the others with 200,000 rows drawn. Rows a second: 200,000 to a Parquet file
for synthvae, to a DataFrame for the others. In brackets: times ours. Other work may have run
beside, so that seconds of processors compare better than those of the clock."""
COLUMNS: Mapping[str, Callable[[dict[str, Any]], float]] = {
    "fit, s": lambda run: run["fit"],
    "CPU, s": lambda run: run["fit_cpu"],
    "rows/s": lambda run: statistics.median(run["rows_per_second"]),
    "peak MB": lambda run: run["peak_mb"],
    **METRICS,
}
Runs = dict[str, dict[str, dict[str, Any]]]  # by table, generator and seed


def ours(table: str, seed: int) -> dict[str, Any]:
    """Through the command line, as a user would."""
    run = one(table, seed, "arvae")
    sample = ("sample", "-m", model_of(table, seed, "arvae"), "-n", MANY, "--force", "--json")
    told = json.loads(timed(SYNTHVAE, *sample, "-o", WORK / f"{table}.parquet").output)
    return {**run, "rows_per_second": [MANY / told["seconds"]]}


def theirs(peer: str) -> Callable[[str, int], dict[str, Any]]:
    def run(table: str, seed: int) -> dict[str, Any]:
        script, out = ROOT / "benchmarks" / f"peer_{peer}.py", WORK / f"{table}-{peer}-{seed}.csv"
        train = DATA / table / "train.csv.gz"
        done = timed(installed(peer), script, train, out, seed)
        told = json.loads(done.output.splitlines()[-1])
        spent = {"fit_cpu": done.cpu, "peak_mb": done.peak_mb}
        return {**told, **spent, **yardstick(table, out, TARGETS[table])}

    return run


def installed(peer: str) -> str:
    """The Python of a peer's environment, made at the first call."""
    folder = ROOT / f".venv-{peer}"
    python = folder / "bin" / "python"
    if not python.exists():
        needs = ROOT / "benchmarks" / f"peer_{peer}.txt"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", needs], check=True)
        for package in DROPPED.get(peer, ()):
            subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", package], check=True)
    return str(python)


def row(name: str, runs: list[dict[str, Any]], default: list[dict[str, Any]]) -> list[str]:
    cells = []
    for value in COLUMNS.values():
        values, ours = [value(run) for run in runs], [value(run) for run in default]
        large = statistics.mean(values) >= 10
        shown = f"{statistics.mean(values):,.0f}" if large else mean(values, 3)
        times = statistics.mean(values) / statistics.mean(ours) if statistics.mean(ours) else 0
        cells.append(shown if runs is default or not times else f"{shown} ({times:.1f}x)")
    return [name, str(len(runs)), *cells]


def write(runs: Runs, failed: Mapping[str, str]) -> None:
    parts = []
    for table, found in runs.items():
        lists = {who: list(of.values()) for who, of in found.items() if of}
        default = lists[OURS]
        lines = [row(who, of, default) for who, of in lists.items()]
        parts.append(f"## {table}, {rows_of(table):,} rows\n\n")
        parts.append(markdown(["", "seeds", *COLUMNS], lines) + "\n")
        if rest := [name for name in PEERS.values() if name not in lists]:
            parts.append(f"Not measured: {', '.join(rest)}.\n\n")
    parts += [f"{name} did not run to its end: {why}\n" for name, why in failed.items()]
    text = (
        f"# Beside other generators\n\n{machine()}. {LEGEND}\n\n"
        f"Made by `python benchmarks/peers.py`.\n\n{''.join(parts)}"
    )
    save("peers", text, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("tables", nargs="*", default=list(TABLES))
    arguments = parser.parse_args()
    need_data()
    runs: Runs = measured("peers")
    failed: dict[str, str] = {}
    who = {OURS: ours, **{PEERS[peer]: theirs(peer) for peer in arguments.peers}}
    for table in arguments.tables:
        for name, measure in who.items():
            found = runs.setdefault(table, {}).setdefault(name, {})
            for seed in range(arguments.seeds):
                if not arguments.again and str(seed) in found:
                    continue
                try:
                    found[str(seed)] = measure(table, seed)
                except (SystemExit, subprocess.CalledProcessError) as error:
                    failed[name] = str(error)  # what was measured of the others is kept
                write(runs, failed)


if __name__ == "__main__":
    main()
