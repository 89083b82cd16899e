"""`reports/family.md`: every preset on real tables, nothing set but the seed.

It takes hours: what was measured before stays, unless `--again` is given, and the report is written
after every run. `cvae` is conditioned on the column that the table is about. Runs of the default
preset that `reports/fidelity.md` has are not made once more.
"""

from __future__ import annotations

import argparse
from typing import Any

from common import TARGETS, machine, markdown, mean, measured, need_data, rows_of, save
from fidelity import LEGEND, METRICS, one

from synthvae.model.presets import PRESETS
from synthvae.settings import DEFAULT_PRESET

SECONDS = """Fit is told in seconds of all processors together here, not in wall time, since other
work ran beside it. Runs of the default preset are those of reports/fidelity.md, but where it was
measured here too."""
TABLES = ("adult", "default", "magic")
Runs = dict[str, dict[str, dict[str, Any]]]  # by table, preset and seed


def latent(runs: list[dict[str, Any]]) -> list[str]:
    """Rate, and how much of the latent is in use."""
    rate = mean([run["latent_rate"] for run in runs], 1)
    if "latent_utilisation" in runs[0]:
        used = mean([100 * run["latent_utilisation"] for run in runs], 0)
        perplexity = mean([run["latent_perplexity"] for run in runs], 1)
        return [rate, f"{used} % of codes, perplexity {perplexity}"]
    active = mean([run["latent_active"] for run in runs], 0)
    return [rate, f"{active} of {runs[0]['latent_units']:.0f} units"]


def row(preset: str, runs: list[dict[str, Any]]) -> list[str]:
    numbers = [mean([value(run) for run in runs], 3) for value in METRICS.values()]
    fit = mean([run["fit_cpu"] for run in runs], 0)
    return [preset, str(len(runs)), f"{fit} s", *latent(runs), *numbers]


def write(runs: Runs) -> None:
    header = ["", "seeds", "fit, processor", "rate, nats", "in use", *METRICS]
    parts = [
        f"## {table}, {rows_of(table):,} rows\n\n"
        + markdown(header, [row(p, list(of[p].values())) for p in PRESETS if of.get(p)])
        for table, of in runs.items()
    ]
    text = (
        f"# Every preset on real tables\n\nDefaults; {machine()}.\n\n{LEGEND}\n{SECONDS}\n\n"
        "Made by `python benchmarks/family.py`.\n\n" + "\n".join(parts)
    )
    save("family", text, runs)


def of_default(table: str, preset: str) -> dict[str, Any]:
    """By seed, the runs of the default preset that another report has."""
    if preset != DEFAULT_PRESET:
        return {}
    return {str(run["seed"]): run for run in measured("fidelity").get(table, [])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--presets", nargs="*", default=list(PRESETS))
    parser.add_argument("tables", nargs="*", default=list(TABLES))
    arguments = parser.parse_args()
    need_data()
    runs: Runs = measured("family")
    for seed in range(arguments.seeds):  # all of one seed first: a report that was cut is even
        for table in arguments.tables:
            for preset in arguments.presets:
                found = runs.setdefault(table, {}).setdefault(preset, {})
                for known, run in of_default(table, preset).items():
                    found.setdefault(known, run)
                if arguments.again or str(seed) not in found:
                    given = ("--condition-on", TARGETS[table]) if preset == "cvae" else ()
                    found[str(seed)] = one(table, seed, preset, *given)
                    write(runs)
    write(runs)


if __name__ == "__main__":
    main()
