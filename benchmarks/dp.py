"""`reports/dp.md`: fits under differential privacy, beside AIM and MST, and beside real rows.

It takes hours: what was measured before stays, unless `--again` is given, and the report is written
after every run. Two can run side by side. Noise takes no seed: runs of one kind differ by it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import coarse
import pandas as pd
from common import (
    DATA,
    SYNTHVAE,
    WORK,
    machine,
    markdown,
    mean,
    measured,
    need_data,
    rows_of,
    save,
    timed,
)
from fidelity import METRICS, one

METHODS = {
    "MST": ("dpmm 0.1.9 MST", coarse.peer("MST")),
    "AIM": ("dpmm 0.1.9 AIM", coarse.peer("AIM")),
    "AIM8": ("dpmm 0.1.9 AIM, a tenth of its size", coarse.peer("AIM8")),
    "counts": ("synthvae, rows of counts alone", coarse.counts),
    "arvae": ("synthvae, arvae fitted to its rows", coarse.arvae),
    "real": ("real rows", coarse.real),
}
FEW = 5_000
TABLES = ("adult", "default")
EPSILONS = (1.0, 3.0, 10.0)
ENGINES = ("warm", "dpsgd")  # beside the default one, on the first table
OPEN = "not private"
Runs = dict[str, dict[str, Any]]  # by run

INTRO = """delta is 1e-5, the unit a row; {machine}. Mean and standard deviation over runs. Noise
takes no seed: runs differ by it, and none of them comes out the same again. Seconds of CPU compare
better than seconds, since other work shared the machine at times.

Made by `python benchmarks/dp.py`."""
COARSE = """Columns of few classes, all of them declared (`benchmarks/coarse.py` has the classes),
none missing, which is declared too. Everybody draws as many rows as the whole table has. TV: total
variation of two columns at a time against all training rows, averaged over all pairs (lower is
better); of as many rows drawn from the training rows themselves, for real rows. AUC: trees trained
on the drawn rows, tested on the holdout (higher is better); trained on the training rows, for real
rows. Seconds: to fit and draw, without reading for dpmm and for rows of counts alone, with
`synthvae fit` and `synthvae sample` from start to end for arvae. AIM: max_model_size 80, a tenth
of its size: 8; all else of dpmm as it comes, no binning, all of epsilon for the model. A table of
{few:,} rows: the first {few:,} training rows."""
WHOLE = """`synthvae fit --holdout 0 --epsilon` with its defaults (arvae), beside the same
without. Bounds and categories were declared from training rows and holdout together, as a data
dictionary has them; kinds of columns are those that `synthvae detect` drafts. All else is paid
for: places, gaps. Engine `marginals`, which is what `auto` takes, unless another is named.
Ratios: distance to the training rows over that of fresh real rows (1 is ideal). c2st - floor: ROC
AUC of trees that tell synthetic from real rows, less the same for fresh real rows (0 is ideal).
tstr_gap: what training on synthetic rows costs in ROC AUC on real ones. dcr_share: 0.5 is ideal.
Fit: the whole process, from its start to the model file."""


def load() -> dict[str, dict[str, dict[str, Runs]]]:
    """What was measured: part -> table -> case or method -> run."""
    found: dict[str, dict[str, dict[str, Runs]]] = {"coarse": {}, "tables": {}}
    return found | measured("dp")


def keep(part: str, table: str, kind: str, run: int, result: dict[str, Any]) -> None:
    """Add one run to what stands in the file by now, and write the report anew."""
    data = load()
    data[part].setdefault(table, {}).setdefault(kind, {})[str(run)] = result
    save("dp", report(data), data)


def report(data: dict[str, dict[str, dict[str, Runs]]]) -> str:
    parts = [f"# Fits under differential privacy\n\n{INTRO.format(machine=machine())}\n"]
    parts.append(f"\n## Beside AIM and MST\n\n{COARSE.format(few=FEW)}\n")
    header = ["", "runs", "TV", "AUC", "seconds", "CPU"]
    for table, epsilon, rows in cases():
        of = data["coarse"].get(case(table, epsilon, rows), {})
        real = data["coarse"].get(reference(table), {}).get("real", {})
        lines = [coarse_row(name, of.get(name, {})) for name in METHODS if name != "real"]
        parts.append(f"\n{table}, epsilon {epsilon:g}, {rows:,} rows:\n\n")
        parts.append(markdown(header, [*lines, coarse_row("real", real)]))
    parts.append(f"\n## Whole tables\n\n{WHOLE}\n")
    header = ["epsilon", "runs", "fit", "CPU", *METRICS]
    for table in dict.fromkeys([*TABLES, *data["tables"]]):
        kinds = data["tables"].get(table, {})
        lines = [table_row(kind, kinds.get(kind, {})) for kind in kinds_of_fits(table, EPSILONS)]
        parts.append(f"\n{table}, {rows_of(table):,} rows:\n\n{markdown(header, lines)}")
    return "".join(parts)


def cases() -> list[tuple[str, float, int]]:
    """Table, epsilon, rows; of the first table a part as well."""
    whole = [(table, epsilon, rows_of(table)) for table in TABLES for epsilon in EPSILONS]
    return [*whole, (TABLES[0], EPSILONS[0], FEW)]


def case(table: str, epsilon: float, rows: int) -> str:
    return f"{table}, epsilon {epsilon:g}, {rows} rows"


def reference(table: str) -> str:
    return f"{table}, real rows"


def kinds_of_fits(table: str, epsilons: Sequence[float]) -> list[str]:
    """An epsilon, an epsilon and an engine, or none."""
    others = [f", {engine}" for engine in ENGINES] if table == TABLES[0] else []
    return [*(f"{epsilon:g}{other}" for other in ["", *others] for epsilon in epsilons), OPEN]


def coarse_row(method: str, runs: Runs) -> list[str]:
    done = [run for run in runs.values() if "tv" in run]
    name = METHODS[method][0]
    if not done:
        return [name, "0", cut_short(list(runs.values())), "", "", ""]
    cut = len(runs) - len(done)
    return [
        name,
        f"{len(done)}" + (f", {cut} not finished" if cut else ""),
        mean([run["tv"] for run in done], 4),
        mean([run["auc"] for run in done], 3),
        *(
            f"{mean([run[key] for run in done], 0)} s" if key in done[0] else ""
            for key in ("seconds", "cpu")
        ),
    ]


def cut_short(runs: list[dict[str, Any]]) -> str:
    """Why there are no numbers."""
    if not runs:
        return "not measured"
    longest = max(runs, key=lambda run: run["cpu"])
    given, cpu = longest["unfinished"], longest["cpu"]
    return f"not finished in {given:,.0f} s, {cpu:,.0f} s of CPU, and stopped"


def table_row(kind: str, runs: Runs) -> list[str]:
    found = list(runs.values())
    if not found:
        return [kind, "0", "not measured", "", *("" for _ in METRICS)]
    numbers = [mean([value(run) for run in found], 3) for value in METRICS.values()]
    spent = [f"{mean([run[key] for run in found], 0)} s" for key in ("fit", "fit_cpu")]
    return [kind, str(len(found)), *spent, *numbers]


def dictionary(table: str) -> Path:
    """Metadata with bounds and categories of training rows and holdout together."""
    path = WORK / f"dp-{table}.json"
    timed(SYNTHVAE, "detect", DATA / table / "train.csv.gz", "-o", path, "--force")
    content = json.loads(path.read_text())
    parts = [DATA / table / f"{part}.csv.gz" for part in ("train", "holdout")]
    both = pd.concat([pd.read_csv(part, dtype=str, keep_default_na=False) for part in parts])
    for name, column in content["tables"]["table"]["columns"].items():
        texts = pd.Series(both[name].unique())
        if column["sdtype"] == "categorical":
            column["range_values"] = sorted(texts[texts != ""])
        elif column["sdtype"] == "numerical":
            values = texts[texts != ""].astype(float)
            column |= {"range_min": values.min(), "range_max": values.max()}
    path.write_text(json.dumps(content))
    return path


def fitted(table: str, kind: str, run: int) -> dict[str, Any]:
    """A fit with a dictionary of `table`, private or not, as the yardstick sees it."""
    epsilon, _, engine = kind.partition(", ")
    cost = () if kind == OPEN else ("--epsilon", epsilon, "--dp-engine", engine or "auto")
    (WORK / "privacy-history.json").unlink(missing_ok=True)  # each as if it were the only one
    whole = ("--metadata", str(dictionary(table)), "--holdout", "0")
    return one(table, run, "arvae", *whole, *cost)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--limit", type=float, default=3_000, help="seconds a run of dpmm may take")
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--epsilon", nargs="*", type=float, default=list(EPSILONS))
    parser.add_argument("--coarse", nargs="*", default=list(TABLES), choices=TABLES)
    parser.add_argument("--few", action="store_true", help=f"of coarse cases that of {FEW:,} rows")
    parser.add_argument("--tables", nargs="*", default=list(TABLES), choices=TABLES)
    asked = parser.parse_args()
    need_data()
    wanted = [
        (table, epsilon, rows)
        for table, epsilon, rows in cases()
        if table in asked.coarse and epsilon in asked.epsilon and asked.few <= (rows == FEW)
    ]
    for run in range(asked.runs):  # one of each first: a report that was cut is even
        for method in asked.methods:
            places = {case(*one): one for one in wanted}
            if method == "real":
                places = {reference(table): (table, 0.0, 0) for table in asked.coarse}
            for place, (table, epsilon, rows) in places.items():
                if asked.again or not is_known("coarse", place, method, run):
                    result = METHODS[method][1](table, epsilon, rows, run, asked.limit)
                    keep("coarse", place, method, run, result)
        for table in asked.tables:
            for kind in kinds_of_fits(table, asked.epsilon):
                if asked.again or not is_known("tables", table, kind, run):
                    keep("tables", table, kind, run, fitted(table, kind, run))


def is_known(part: str, table: str, kind: str, run: int) -> bool:
    return str(run) in load()[part].get(table, {}).get(kind, {})


if __name__ == "__main__":
    main()
