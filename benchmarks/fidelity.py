"""`reports/fidelity.md`: the default model on real tables, nothing set but the seed.

Tables that are named are measured; those that were measured before stay in the report. All fits
come first, one after the other: their seconds are worth something only with nothing beside them,
while measuring takes long and may share the machine (`--fit`, later `--judge`).
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import (
    DATA,
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

LEGEND = """Ratios: distance to the training rows over that of fresh real rows (1 is ideal).
c2st - floor: ROC AUC of trees that tell synthetic from real rows, less the same for fresh real rows
(0 is ideal). tstr_gap: what training on synthetic rows costs in ROC AUC on real ones (beijing: root
mean square error, as a share more). dcr_share: 0.5 is ideal. Fit: the whole process, from its start
to the model file; processors: seconds of both cores together, which tell more where other work
shares them. A tenth of the rows is left out of it, as always, for an audit. Mean and standard
deviation over seeds."""
FITS = WORK / "fidelity-fits.json"  # what the fits took
METRICS: dict[str, Callable[[dict[str, Any]], float]] = {
    "shape_ratio": lambda run: run["shape_ratio"],
    "pair_ratio": lambda run: run["pair_ratio"],
    "c2st - floor": lambda run: run["c2st"] - run["c2st_floor"],
    "tstr_gap": lambda run: run["tstr_gap"],
    "dcr_share": lambda run: run["dcr_share"],
}


def fitted(table: str, seed: int, preset: str, *more: str) -> dict[str, Any]:
    """Fit a table to a model file of its own; what that took."""
    train = DATA / table / "train.csv.gz"
    options = ("--preset", preset, *more, "--seed", seed, "--force", "--json")
    fit = timed(SYNTHVAE, "fit", train, "-o", model_of(table, seed, preset), *options)
    return {"fit": fit.seconds, "fit_cpu": fit.cpu, "peak_mb": fit.peak_mb}


def model_of(table: str, seed: int, preset: str) -> Path:
    return WORK / f"{table}-{preset}-{seed}.synthvae"


def judged(table: str, seed: int, preset: str) -> dict[str, Any]:
    """Sample as many rows as the table has from a fitted model, and measure them."""
    model = model_of(table, seed, preset)
    out = model.with_suffix(".csv")
    options = ("--seed", seed, "--force", "--json")
    timed(SYNTHVAE, "sample", "-n", rows_of(table), "-m", model, "-o", out, *options)
    numbers = yardstick(table, out, TARGETS.get(table))
    told = json.loads(timed(SYNTHVAE, "inspect", model, "--json").output)["training"]
    latent = {f"latent_{name}": value for name, value in told["latent"].items()}
    return {"table": table, "seed": seed, "epochs": told["epochs"], **latent, **numbers}


def one(table: str, seed: int, preset: str, *more: str) -> dict[str, Any]:
    """Fit, sample as many rows as the table has, measure."""
    fit = fitted(table, seed, preset, *more)
    return fit | judged(table, seed, preset)


def row(table: str, runs: list[dict[str, Any]]) -> list[str]:
    numbers = [mean([value(run) for run in runs], 3) for value in METRICS.values()]
    return [
        table,
        f"{rows_of(table):,}",
        str(len(runs)),
        f"{mean([run['fit'] for run in runs], 0)} s",
        f"{mean([run['fit_cpu'] for run in runs], 0)} s" if "fit_cpu" in runs[0] else "",
        f"{max(run['peak_mb'] for run in runs):,.0f} MB",
        *numbers,
        mean([run["latent_rate"] for run in runs], 1),
        f"{statistics.mean(run['latent_active'] for run in runs):.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--preset", default="arvae")
    parser.add_argument("--fit", action="store_true", help="fit only; --judge goes on from there")
    parser.add_argument("--judge", action="store_true", help="measure what --fit has left")
    parser.add_argument("tables", nargs="*", default=list(TARGETS))
    arguments = parser.parse_args()
    need_data()
    wanted = [(table, seed) for table in arguments.tables for seed in range(arguments.seeds)]
    if not arguments.judge:
        fits = {f"{t} {seed}": fitted(t, seed, arguments.preset) for t, seed in wanted}
        FITS.write_text(json.dumps(fits))
    if arguments.fit:
        return
    fits = json.loads(FITS.read_text())
    runs = measured("fidelity") | {table: [] for table in arguments.tables}
    for table, seed in wanted:
        runs[table].append(fits[f"{table} {seed}"] | judged(table, seed, arguments.preset))
    before = ["", "rows", "seeds", "fit", "processors", "peak memory"]
    header = [*before, *METRICS, "rate, nats", "active units"]
    body = markdown(header, [row(table, found) for table, found in runs.items()])
    text = (
        f"# The default model on real tables\n\n`{arguments.preset}`, defaults; {machine()}.\n\n"
        f"{LEGEND}\n\n"
        f"Made by `make bench` (`benchmarks/fidelity.py`).\n\n{body}"
    )
    save("fidelity", text, runs)
    print(text)


if __name__ == "__main__":
    main()
