"""`reports/tables.md`: every real table through detect, fit, sample, evaluate, by itself."""

from __future__ import annotations

import argparse
import json
from typing import Any

from common import DATA, SYNTHVAE, WORK, machine, markdown, need_data, save, timed

LEGEND = """detect, fit (the default model, {epochs} epochs), sample (39,073 rows), evaluate,
without a line written by hand; {machine}. In brackets: what fresh real rows score. A few epochs
show that a table goes through, not how well it can be learnt.

Made by `make bench` (`benchmarks/tables.py`)."""
SHOWN = ("shape", "pair", "detector", "utility_gap", "sdmetrics_quality")


def through(table: str, epochs: int) -> dict[str, Any]:
    folder = DATA / table
    train, holdout = folder / "train.csv.gz", folder / "holdout.csv.gz"
    metadata, model = WORK / f"{table}.yaml", WORK / f"{table}.synthvae"
    out = WORK / f"{table}.csv"
    timed(SYNTHVAE, "detect", train, "-o", metadata, "--force")
    fit = timed(
        SYNTHVAE, "fit", train, "--metadata", metadata, "-o", model, "--force", "--json",
        "--epochs", epochs,
    )  # fmt: skip
    rows = 39_073
    sample = timed(SYNTHVAE, "sample", "-n", rows, "-m", model, "-o", out, "--force")
    found = timed(
        SYNTHVAE, "evaluate", "--real", train, "--holdout", holdout, "--synthetic", out,
        "--metadata", metadata, "--json",
    )  # fmt: skip
    records = {record["name"]: record for record in json.loads(found.output)["records"]}
    return {
        "fit": fit.seconds,
        "sample": sample.seconds,
        "evaluate": found.seconds,
        "peak_mb": max(fit.peak_mb, sample.peak_mb, found.peak_mb),
        "records": {name: records[name] for name in SHOWN if name in records},
    }


def row(table: str, run: dict[str, Any]) -> list[str]:
    cells = [
        f"{run['records'][name]['value']:.3g} ({run['records'][name]['floor']:.3g})"
        if name in run["records"]
        else ""
        for name in SHOWN
    ]
    seconds = [f"{run[step]:.0f} s" for step in ("fit", "sample", "evaluate")]
    return [table, *seconds, f"{run['peak_mb']:,.0f} MB", *cells]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--tables", nargs="*")
    arguments = parser.parse_args()
    need_data()
    names = arguments.tables or sorted(folder.name for folder in DATA.iterdir())
    runs = {name: through(name, arguments.epochs) for name in names}
    header = ["table", "fit", "sample", "evaluate", "peak memory", *SHOWN]
    text = (
        f"# Eight real tables\n\n{LEGEND.format(epochs=arguments.epochs, machine=machine())}\n\n"
        f"{markdown(header, [row(name, run) for name, run in runs.items()])}"
    )
    save("tables", text, runs)
    print(text)


if __name__ == "__main__":
    main()
