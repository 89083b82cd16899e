"""The audit held against what is known to be true: harmless tables, scores of known distributions,
fits that keep their promise. `benchmarks/audit.py` runs these and reports them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from common import DATA, SYNTHVAE, WORK, markdown, timed
from dp import dictionary

from synthvae.audit import Effort, Policy, RowScores, audit
from synthvae.audit.f_dp import epsilon_of
from synthvae.audit.roc import DELTA, tpr_interval
from synthvae.audit.trial import Candidate, tried

AUDITS, SETS, FITS = 200, 1000, 20
SHIFTS = (0.0, 0.5, 1.0, 2.0)
SIDE = 1000  # rows of a simulated score set, half of them tested
ROWS = 5000  # of adult, of either side of a private fit's audit
SMALL = Effort(rows=250, released=1000, more=2000, targets=250, trees=10, deals=99)
_CHANCE = 1e-9
AT_CHANCE = Policy(
    auc=0.5, tpr=0.01, exact_copies=_CHANCE, near_copies=_CHANCE, rare_combinations=_CHANCE,
    reused=_CHANCE, singling_out=_CHANCE, linkability=_CHANCE, inference=_CHANCE,
)  # fmt: skip


def _table(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    group = rng.choice(list("abcd"), rows, p=[0.4, 0.3, 0.2, 0.1])
    x = rng.normal(size=rows) + (group == "a")
    town = [f"town {int(t)}" for t in rng.exponential(4, rows)]
    y, visits = (x + rng.normal(size=rows)).round(2), rng.poisson(3, rows).astype(float)
    return pd.DataFrame({"group": group, "x": x.round(2), "y": y, "visits": visits, "town": town})


def null_audits(known: list[Any]) -> Iterator[list[Any]]:
    """Outcomes of audits of fresh rows, with scores that know nothing."""
    found = list(known)
    for seed in range(len(found), AUDITS):
        rng = np.random.default_rng((7, seed))
        real, holdout, fresh, more = (_table(rng, rows) for rows in (800, 800, 800, 2400))
        scores = RowScores(rng.normal(size=(800, 3)), rng.normal(size=(800, 3)))
        done = audit(
            real, holdout, fresh, more=more, scores={"scores": scores}, policy=AT_CHANCE,
            seed=seed, effort=SMALL,
        )  # fmt: skip
        failed = [each.name for each in done.verdict.criteria if each.outcome == "FAIL"]
        found.append({"outcome": done.verdict.outcome, "failed": failed})
    yield found


def coverage(known: list[Any]) -> Iterator[list[Any]]:
    """How often intervals hold the truth, for scores of others from N(0, 1) and of members from
    N(shift, 1): an attack on a Gaussian mechanism of sensitivity over noise `shift`."""
    found = list(known)
    for shift in SHIFTS[len(found) :]:
        rng = np.random.default_rng((8, int(10 * shift)))
        truth = NormalDist().cdf(shift / 2**0.5), NormalDist().cdf(shift - 2.3263478740408408)
        allowed = epsilon_of(shift, DELTA)
        member, second = np.arange(2 * SIDE) < SIDE, np.arange(2 * SIDE) % 2 == 1
        held = np.zeros(4)
        for seed in range(SETS):
            scores = member * shift + rng.normal(size=2 * SIDE)
            candidate = Candidate("scores", "model", "all rows", scores)
            (attack,), _ = tried([candidate], member, second, seed=seed)
            tpr = tpr_interval(attack.tpr["1%"], attack.fpr["1%"], 0.01)
            held += (
                attack.interval.low <= truth[0] <= attack.interval.high,
                tpr.low <= truth[1],
                attack.epsilon <= allowed,
                attack.epsilon_one_run <= allowed,
            )
        found.append({"shift": shift, "truth": (*truth, allowed), "held": list(held / SETS)})
    yield found


def private_fits(known: list[Any]) -> Iterator[list[Any]]:
    """Private fits, each audited by its rows, its model and canaries; after each of them."""
    found = list(known)
    done = {(each["epsilon"], each["seed"]) for each in found}
    paths = {part: WORK / f"audit-first-{part}.csv" for part in ("train", "holdout")}
    for part, path in paths.items():
        pd.read_csv(DATA / "adult" / f"{part}.csv.gz", dtype=str, keep_default_na=False).head(
            ROWS
        ).to_csv(path, index=False)
    for seed in range(FITS):
        for epsilon in (1, 3):
            if (epsilon, seed) not in done:
                found.append({"epsilon": epsilon, "seed": seed, **_private(paths, epsilon, seed)})
                yield found


def _private(paths: Mapping[str, Any], epsilon: int, seed: int) -> dict[str, Any]:
    model, out = WORK / "audit-private.synthvae", WORK / "audit-private.json"
    fit = timed(
        SYNTHVAE, "fit", paths["train"], "--metadata", dictionary("adult"), "--epsilon", epsilon,
        "-o", model, "--holdout", 0, "--seed", seed, "--force", "-q", "--threads", 1,
    )  # fmt: skip
    done = timed(
        SYNTHVAE, "audit", "--real", paths["train"], "--holdout", paths["holdout"], "-m", model,
        "--deep", "-o", out, "--force", "-q", "--seed", seed, "--threads", 1, fine=(0, 1, 4),
    )  # fmt: skip
    told = json.loads(out.read_text())
    canaries = {bound["theorem"].split(",")[0]: bound["epsilon"] for bound in told["bounds"]}
    return {
        "certified": told["claim"]["epsilon"],
        "outcome": told["verdict"]["outcome"],
        "by attacks": max(attack["epsilon"] for attack in told["attacks"]),
        "one run": max(attack["epsilon_one_run"] for attack in told["attacks"]),
        "canaries": canaries,
        "audited": told["epsilon_audited"],
        "auc": max(attack["auc"] for attack in told["attacks"] if attack["who"] == "all rows"),
        "cpu": [fit.cpu, done.cpu],
    }


CHECKS = {"null audits": null_audits, "coverage": coverage, "private fits": private_fits}


def words(runs: Mapping[str, Any]) -> str:
    """Sections of the report, of the checks that were made."""
    made = {"null audits": _nulls, "coverage": _coverage, "private fits": _fits}
    parts = [made[name](runs[name]) for name in CHECKS if runs.get(name)]
    return "".join(f"\n{part}" for part in parts)


def _nulls(found: list[Any]) -> str:
    failed = sum(each["outcome"] == "FAIL" for each in found)
    return (
        "## Harmless tables\n\n"
        f"{len(found)} whole audits of 800 fresh rows against 800 and 800 others, with scores that "
        f"know nothing and every limit set to chance itself: {failed} failed, where 5 % allow "
        f"{len(found) // 20}.\n"
    )


def _coverage(found: list[Any]) -> str:
    header = ["AUC", "holds the AUC", "true positives at 1 %", "lower end is below them",
              "epsilon", "threshold's bound is below", "one run's bound is below"]  # fmt: skip
    rows = []
    for each in found:
        auc, tpr, epsilon = each["truth"]
        held = [f"{100 * share:.1f} %" for share in each["held"]]
        rows.append(
            [f"{auc:.3f}", held[0], f"{100 * tpr:.1f} %", held[1], f"{epsilon:.2f}", *held[2:]]
        )
    return (
        f"## Scores of known distributions\n\n{SETS:,} simulated sets of {SIDE:,} members' and as "
        "many others' scores, half of them tested: how often 95 % intervals (the bound by a "
        "threshold: 97.5 %) hold the truth.\n\n" + markdown(header, rows)
    )


def _fits(found: list[Any]) -> str:
    header = ["certified", "fits", "largest by a threshold", "by one run of an attack",
              "by canaries", "by canaries, mu-GDP", "all together", "largest AUC", "above the "
              "certified epsilon", "FAIL", "CPU of a fit, an audit"]  # fmt: skip
    rows = []
    for epsilon in sorted({each["epsilon"] for each in found}):
        runs = [each for each in found if each["epsilon"] == epsilon]
        theorems = list(runs[0]["canaries"])
        bounds = [[r["by attacks"] for r in runs], [r["one run"] for r in runs]]
        bounds += [[r["canaries"][name] for r in runs] for name in theorems]
        bounds += [[r["audited"] for r in runs]]
        above = sum(
            max(each[at] for each in bounds) > run["certified"] for at, run in enumerate(runs)
        )
        rows.append([
            f"{runs[0]['certified']:.2f}", str(len(runs)), *(f"{max(b):.2f}" for b in bounds),
            f"{max(r['auc'] for r in runs):.3f}", str(above),
            str(sum(r["outcome"] == "FAIL" for r in runs)),
            " s, ".join(f"{np.mean([r['cpu'][k] for r in runs]):.0f}" for k in (0, 1)) + " s",
        ])  # fmt: skip
    return (
        f"## Private fits\n\nThe default model on the first {ROWS:,} rows of adult, another seed "
        f"each time, audited with `--deep` beside {ROWS:,} others. No lower bound may pass what "
        "is certified.\n\n" + markdown(header, rows)
    )
