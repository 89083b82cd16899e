"""`reports/audit.md`: what `synthvae audit` finds on adult, from a model that learns by heart to
one under differential privacy, and on rows that ctgan's TVAE wrote.

What was measured before stays, unless `--again` is given; the report is written after every case.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from audit_checks import CHECKS, words
from common import (
    DATA,
    MEASURING,
    SYNTHVAE,
    WORK,
    Timed,
    machine,
    markdown,
    measured,
    need_data,
    rows_of,
    save,
    timed,
)
from dp import dictionary

from synthvae.audit.records import Rate
from synthvae.audit.roc import tpr_value

TRAIN, HOLDOUT = (DATA / "adult" / f"{part}.csv.gz" for part in ("train", "holdout"))
FEW = 2_000
BY_HEART = {
    "preset": "tvae",
    "training": {"epochs": 512, "validation": 0.0, "patience": 1000},
}
OUTCOMES = (0, 1, 4)  # pass, fail, inconclusive
INTRO = """{machine}. Each line is one run of `synthvae audit` with its defaults, `--deep` where it
says so; held out are the {holdout:,} held-out rows of adult, which no fit saw, unless other ones
are named. AUC and the share of members found at 1 % false alarms are those of the attack that did
best on the half of the rows that it is not tested on; epsilon is the largest lower bound of one run
(95 %), beside what is claimed. Seconds are those of the audit; other work shared the machine.

- *learnt by heart*: `tvae` for 512 epochs on {few:,} rows, without validation or early stop;
  held out are {few:,} others;
- *default*: `synthvae fit --holdout 0`, nothing else set;
- *epsilon 1*, *epsilon 3*: the same with `--epsilon`, bounds and categories declared;
- *ctgan TVAE*: rows of ctgan 0.12's TVAE with its defaults, fitted by `benchmarks/peer_ctgan.py`;
- *large table*: nycflights13, {large:,} rows, with as many drawn from them for synthetic: every
  one is a copy. Attacks look at a sample of the rows, and the audit says at how many.

Made by `python benchmarks/audit.py`."""


def audited(real: Path, holdout: Path, *options: object) -> tuple[Timed, dict[str, Any]]:
    """One audit, and what it found."""
    command = (SYNTHVAE, "audit", "--real", real, "--holdout", holdout, "--json", *options)
    done = timed(*command, fine=OUTCOMES)
    return done, json.loads(done.output)


def few() -> list[Path]:
    """Two tables of so many training rows."""
    table = pd.read_csv(TRAIN, dtype=str, keep_default_na=False)
    order = np.random.default_rng(5).permutation(len(table))
    paths = [WORK / f"audit-{name}.csv" for name in ("real", "holdout")]
    for at, path in enumerate(paths):
        table.iloc[order[at * FEW : (at + 1) * FEW]].to_csv(path, index=False)
    return paths


def by_heart(*options: object) -> tuple[Timed, dict[str, Any]]:
    real, holdout = few()
    model, config = WORK / "by-heart.synthvae", WORK / "by-heart.json"
    config.write_text(json.dumps(BY_HEART))
    if not model.exists():
        timed(SYNTHVAE, "fit", real, "-c", config, "-o", model, "--holdout", 0, "--force")
    return audited(real, holdout, "-m", model, *options)


def default(*options: object) -> tuple[Timed, dict[str, Any]]:
    model = WORK / "audit-default.synthvae"
    if not model.exists():
        timed(SYNTHVAE, "fit", TRAIN, "-o", model, "--holdout", 0, "--force")
    return audited(TRAIN, HOLDOUT, "-m", model, *options)


def private(epsilon: str) -> Callable[..., tuple[Timed, dict[str, Any]]]:
    def run(*options: object) -> tuple[Timed, dict[str, Any]]:
        model = WORK / f"adult-epsilon-{epsilon}.synthvae"
        if not model.exists():
            timed(
                SYNTHVAE, "fit", TRAIN, "--metadata", dictionary("adult"), "--epsilon", epsilon,
                "-o", model, "--holdout", 0, "--force",
            )  # fmt: skip
        return audited(TRAIN, HOLDOUT, "-m", model, *options)

    return run


def peer(*options: object) -> tuple[Timed, dict[str, Any]]:
    out = WORK / "ctgan-0.csv"  # as `benchmarks/adult.py` leaves it
    if not out.exists():
        timed(MEASURING, Path(__file__).with_name("peer_ctgan.py"), TRAIN, out, 0)
    return audited(TRAIN, HOLDOUT, "--synthetic", out, *options)


def large(*options: object) -> tuple[Timed, dict[str, Any]]:
    real, holdout = (DATA / "nycflights13" / f"{part}.csv.gz" for part in ("train", "holdout"))
    out = WORK / "audit-bootstrap.csv"
    table = pd.read_csv(real, dtype=str, keep_default_na=False)
    table.sample(len(table), replace=True, random_state=0).to_csv(out, index=False)
    return audited(real, holdout, "--synthetic", out, *options)


CASES = {
    "learnt by heart": (by_heart, ()),
    "default": (default, ()),
    "ctgan TVAE": (peer, ()),
    "epsilon 3": (private("3"), ()),
    "epsilon 1": (private("1"), ()),
    "large table": (large, ()),
    "learnt by heart, deep": (by_heart, ("--deep",)),
    "epsilon 3, deep": (private("3"), ("--deep",)),
    "epsilon 1, deep": (private("1"), ("--deep",)),
    "default, deep": (default, ("--deep",)),
}


def kept(done: Timed, found: dict[str, Any]) -> dict[str, Any]:
    """What the report is made of: no more than the public result, and not its notes."""
    parts = ("verdict", "attacks", "controls", "bounds", "claim", "sizes", "risks", "copies")
    return {"seconds": done.seconds, "cpu": done.cpu, **{name: found[name] for name in parts}}


def best(run: dict[str, Any], access: Sequence[str]) -> dict[str, Any] | None:
    """Of attacks on all rows, the one that did best on the other half."""
    able = [a for a in run["attacks"] if a["access"] in access and a["who"] == "all rows"]
    return max(able, key=lambda attack: attack["first_half_auc"], default=None)


def attack(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return ["", "", ""]
    low, high = found["interval"]["low"], found["interval"]["high"]
    rate, false = found["tpr"].get("1%"), found["fpr"].get("1%")
    share = f"{100 * tpr_value(Rate(**rate), Rate(**false), 0.01):.1f} %" if rate else ""
    return [f"{found['auc']:.3f} ({low:.3f}..{high:.3f})", share, found["name"]]


def row(name: str, run: dict[str, Any]) -> list[str]:
    bounds = [bound["epsilon"] for bound in run["bounds"]]
    one_run = [a["epsilon_one_run"] or 0.0 for a in run["attacks"]]
    claimed = f"{run['claim']['epsilon']:.3g}" if run["claim"] else "none"
    return [
        name,
        run["verdict"]["outcome"],
        *attack(best(run, ("released table", "larger table"))),
        *attack(best(run, ("model", "shadow models"))),
        f"{max([*one_run, *bounds], default=0):.2f}",
        claimed,
        f"{run['seconds']:.0f} s",
        f"{run['cpu']:.0f} s",
    ]


def report(runs: dict[str, Any]) -> str:
    header = ["", "verdict", "AUC from rows", "found", "by", "AUC from the model", "found", "by",
              "epsilon at least", "claimed", "seconds", "CPU"]  # fmt: skip
    with gzip.open(HOLDOUT, "rt", newline="") as lines:
        holdout = sum(1 for _ in csv.reader(lines)) - 1
    large = rows_of("nycflights13")
    intro = INTRO.format(machine=machine(), few=FEW, holdout=holdout, large=large)
    done = [row(name, runs[name]) for name in CASES if name in runs]
    rest = [name for name in (*CASES, *CHECKS) if name not in runs]
    missing = f"\nNot measured: {', '.join(rest)}.\n" if rest else ""
    return f"# Privacy audits\n\n{intro}\n\n{markdown(header, done)}{missing}{words(runs)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [*CASES, *CHECKS]
    parser.add_argument("--cases", nargs="*", default=names, choices=names)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--threads", type=int, default=None)
    asked = parser.parse_args()
    need_data()
    cores = () if asked.threads is None else ("--threads", asked.threads)
    for name in asked.cases:
        runs = measured("audit")
        if name in CHECKS:
            for found in CHECKS[name]([] if asked.again else runs.get(name, [])):
                runs[name] = found
                save("audit", report(runs), runs)
            continue
        if name in runs and not asked.again:
            continue
        run, options = CASES[name]
        runs[name] = kept(*run(*options, *cores))
        save("audit", report(runs), runs)


if __name__ == "__main__":
    main()
