"""`reports/fidelity.md`: the default model on real tables, nothing set but the seed.

Tables that are named are measured; those that were measured before stay in the report.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
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
METRICS: dict[str, Callable[[dict[str, Any]], float]] = {
    "shape_ratio": lambda run: run["shape_ratio"],
    "pair_ratio": lambda run: run["pair_ratio"],
    "c2st - floor": lambda run: run["c2st"] - run["c2st_floor"],
    "tstr_gap": lambda run: run["tstr_gap"],
    "dcr_share": lambda run: run["dcr_share"],
}


def one(table: str, seed: int, preset: str, *more: str) -> dict[str, Any]:
    """Fit, sample as many rows as the table has, measure."""
    model, out = WORK / f"{table}-{preset}-{seed}.synthvae", WORK / f"{table}-{preset}-{seed}.csv"
    train = DATA / table / "train.csv.gz"
    options = ("--seed", seed, "--force", "--json")
    fit = timed(SYNTHVAE, "fit", train, "-o", model, "--preset", preset, *more, *options)
    timed(SYNTHVAE, "sample", "-n", rows_of(table), "-m", model, "-o", out, *options)
    numbers = yardstick(table, out, TARGETS.get(table))
    told = json.loads(timed(SYNTHVAE, "inspect", model, "--json").output)["training"]
    latent = {f"latent_{name}": value for name, value in told["latent"].items()}
    return {
        "table": table,
        "seed": seed,
        "fit": fit.seconds,
        "fit_cpu": fit.cpu,
        "peak_mb": fit.peak_mb,
        "epochs": told["epochs"],
        **latent,
        **numbers,
    }


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
    parser.add_argument("tables", nargs="*", default=list(TARGETS))
    arguments = parser.parse_args()
    need_data()
    runs = measured("fidelity") | {
        table: [one(table, seed, arguments.preset) for seed in range(arguments.seeds)]
        for table in arguments.tables
    }
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
