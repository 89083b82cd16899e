"""`reports/conditions.md`: rows that meet a condition, how fast and how much like real ones.

Speed: `synthvae sample --where` to Parquet, 100,000 rows of a category that 2 or 3 % of adult's
rows have, written early, in the middle or late; and 1,000 rows of a range and a category that 0.1 %
meet. Beside it rows without a condition. Likeness: the AUC of gradient-boosted trees
that tell rows of the model from as many real rows (train and holdout together), with and without a
condition, at the same number of rows. `declared`: the same of a model that was fitted with
`--condition-on native-country`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import DATA, SYNTHVAE, WORK, machine, markdown, mean, measured, need_data, save, timed
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

SPEED = {
    "occupation == 'Protective-serv'": 100_000,
    "workclass == 'Federal-gov'": 100_000,
    "native-country == 'Mexico'": 100_000,
    "age between 60 and 70 and occupation == 'Protective-serv'": 1_000,
    "age between 55 and 64 and native-country == 'Mexico'": 1_000,
    "hours-per-week between 70 and 99 and education == 'Doctorate'": 1_000,
}
FREE = 100_000
LIKENESS = [
    "occupation == 'Protective-serv'",
    "workclass == 'Federal-gov'",
    "native-country == 'Mexico'",
    "income == '>50K' and age > 60",
]
DECLARED, LATE = "native-country", "native-country == 'Mexico'"
Runs = dict[str, dict[str, Any]]  # by seed


def fitted(seed: int, declared: str = "") -> Path:
    path = WORK / f"conditions-{declared}{'-' if declared else ''}{seed}.synthvae"
    if not path.exists():
        asked = ["--condition-on", declared] if declared else []
        table = DATA / "adult" / "train.csv.gz"
        timed(SYNTHVAE, "fit", table, "-o", path, "--seed", seed, "-q", *asked)
    return path


def real_rows() -> pd.DataFrame:
    parts = [DATA / "adult" / f"{part}.csv.gz" for part in ("train", "holdout")]
    return pd.concat([pd.read_csv(part, keep_default_na=False) for part in parts])


def drawn(model: Path, rows: int, seed: int, where: str | None) -> tuple[pd.DataFrame, Any]:
    """Rows, and what the command says of them with its seconds."""
    out = WORK / "conditions.parquet"
    asked = ["--where", where] if where else []
    command = [SYNTHVAE, "sample", "-m", model, "-n", rows, "--seed", seed, "-o", out]
    run = timed(*command, *asked, "--force", "--json", "-q")
    frame = pd.read_parquet(out)
    texts = frame.select_dtypes("category")
    frame = frame.astype(dict.fromkeys(texts, object))
    said = json.loads(run.output)
    kept = {key: value for key, value in said.items() if key not in ("output", "manifest")}
    return frame, {**kept, "processors": run.cpu, "whole": run.seconds}


def met(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Rows that meet a condition of this file, by pandas."""
    names = {name: f"`{name}`" for name in frame if "-" in name}
    for name, quoted in names.items():
        where = where.replace(name, quoted)
    for name in ("age", "`hours-per-week`"):
        for _ in range(where.count(f"{name} between")):
            before, _, after = where.partition(f"{name} between ")
            low, _, high, *rest = after.split(" ")
            where = " ".join([f"{before}({name} >= {low} and {name} <= {high})", *rest])
    return frame.query(where)


def auc(real: pd.DataFrame, synthetic: pd.DataFrame, seed: int) -> float:
    """How well trees tell them apart, out of five folds; 0.5: not at all."""
    both = pd.concat([real, synthetic], ignore_index=True)
    codes = both.apply(lambda c: c if c.dtype.kind in "if" else c.astype("category").cat.codes)
    side = np.arange(len(both)) < len(real)
    trees = HistGradientBoostingClassifier(random_state=seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    told = cross_val_predict(trees, codes, side, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(side, told))


def run(seed: int) -> dict[str, Any]:
    model, found = fitted(seed), {"speed": {}, "likeness": {}}
    for where, rows in SPEED.items():
        found["speed"][where] = {"rows": rows, **drawn(model, rows, seed, where)[1]}
    found["speed"]["no condition"] = {"rows": FREE, **drawn(model, FREE, seed, None)[1]}
    real = real_rows()
    for where in SPEED:
        found["speed"][where]["share"] = len(met(real, where)) / len(real)
    for where in LIKENESS:
        found["likeness"][where] = likeness(model, real, where, seed)
    return found


def likeness(model: Path, real: pd.DataFrame, where: str, seed: int) -> dict[str, float]:
    own = met(real, where)
    rows = drawn(model, len(own), seed, where)[0]
    assert len(met(rows, where)) == len(rows)
    free = drawn(model, len(own), seed, None)[0]
    return {
        "rows": len(own),
        "conditioned": auc(own, rows, seed),
        "free": auc(real.sample(len(own), random_state=seed), free, seed),
    }


def run_declared(seed: int) -> dict[str, Any]:
    """The late column again, and rows without a condition, of a model that is conditioned on it."""
    model, real = fitted(seed, DECLARED), real_rows()
    speed = {
        f"{LATE}, declared": {
            **{"rows": SPEED[LATE], "share": len(met(real, LATE)) / len(real)},
            **drawn(model, SPEED[LATE], seed, LATE)[1],
        },
        "no condition, declared": {"rows": FREE, **drawn(model, FREE, seed, None)[1]},
    }
    return {"speed": speed, "likeness": {f"{LATE}, declared": likeness(model, real, LATE, seed)}}


def words(where: str) -> str:
    """A line's name: of what was asked for, the part that could be typed stands in backticks."""
    asked, _, declared = where.partition(", declared")
    name = asked if asked == "no condition" else f"`{asked}`"
    return name if asked == where else f"{name}, declared{declared}"


def write(runs: Runs) -> None:
    def of(part: str, where: str, key: str, digits: int) -> str:
        values = [found[part][where].get(key) for found in runs.values()]
        return mean(values, digits) if None not in values else ""

    def lines(part: str) -> list[str]:
        """What all runs have measured."""
        first, *rest = (found[part] for found in runs.values())
        return [where for where in first if all(where in other for other in rest)]

    speed = [
        [
            words(where),
            f"{next(iter(runs.values()))['speed'][where]['rows']:,}",
            of("speed", where, "share", 4),
            of("speed", where, "acceptance", 4),
            of("speed", where, "distance", 4),
            of("speed", where, "seconds", 1),
            of("speed", where, "processors", 1),
            mean(
                [f["speed"][where]["rows"] / f["speed"][where]["seconds"] for f in runs.values()], 0
            ),
        ]
        for where in lines("speed")
    ]
    like = [
        [
            words(where),
            f"{next(iter(runs.values()))['likeness'][where]['rows']:,}",
            *(of("likeness", where, key, 3) for key in ("conditioned", "free")),
        ]
        for where in lines("likeness")
    ]
    text = (
        "# Rows that meet a condition\n\n"
        f"adult, defaults, seeds {', '.join(runs)}; {machine()}.\n\n"
        "Made by `python benchmarks/conditions.py`.\n\n"
        f"{' '.join((__doc__ or '').split(chr(10), 2)[2].split())}\n\n## Speed\n\n"
        "Seconds are those of sampling and writing, with the trial that a plan is made from; "
        "processors those of the whole command. `real`: share of real rows that meet it. "
        "`accepted`: of candidates. `off`: estimate of the largest distance (total variation) from "
        "what the model says.\n\n"
        + markdown(
            ["condition", "rows", "real", "accepted", "off", "seconds", "processors", "rows/s"],
            speed,
        )
        + "\n## Likeness\n\n"
        + markdown(["condition", "rows", "AUC, conditioned", "AUC, free"], like)
    )
    save("conditions", text, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    need_data()
    runs: Runs = {} if arguments.again else measured("conditions")
    for seed in range(arguments.seeds):
        found = runs.get(str(seed)) or run(seed)
        if f"{LATE}, declared" not in found["speed"]:
            for part, own in run_declared(seed).items():
                found[part] |= own
        runs[str(seed)] = found
        write(runs)


if __name__ == "__main__":
    main()
