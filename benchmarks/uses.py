"""`reports/uses.md`: what a fitted model is good for beside new rows, next to scikit-learn.

What was measured before stays, unless `--again` is given, and the report is written after every
run. Seeds are those of the models and of what is hidden, scrambled or kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from anomalies import gamma, scrambled
from common import machine, markdown, mean, measured, need_data, save
from imputing import imputation
from learners import RICH_NAME, augmentation, representation
from views import Found

TASKS: dict[str, tuple[str, Callable[[int], Found]]] = {
    "gamma": ("Anomalies of magic, ROC AUC", gamma),
    "scrambled": ("Scrambled rows of shoppers, ROC AUC", scrambled),
    "imputation": ("Hidden cells of adult", imputation),
    "representation": ("A linear model on latent means of adult, ROC AUC", representation),
    "augmentation": ("Adult with few positives, ROC AUC", augmentation),
}
# Ours, and what it is held against.
HELD: dict[str, tuple[str, str]] = {
    "representation": (f"means of {RICH_NAME}", "one-hot columns"),
    "augmentation": ("synthetic positives", "class weights"),
}
Runs = dict[str, dict[str, dict[str, Any]]]  # by task and seed


def table(runs: list[Found]) -> str:
    """One line a method; what is called 'method: measure' has a column a measure."""
    names = [name.partition(": ") for name in runs[0]]
    methods = list(dict.fromkeys(method for method, _, _ in names))
    measures = list(dict.fromkeys(measure for _, _, measure in names))

    def cell(method: str, measure: str) -> str:
        name = f"{method}: {measure}" if measure else method
        return mean([run[name] for run in runs], 3)

    header = ["", *(measure or "ROC AUC" for measure in measures)]
    return markdown(header, [[m, *(cell(m, measure) for measure in measures)] for m in methods])


def said(key: str, runs: list[Found]) -> str:
    """In words, whether it is worth it."""
    if key not in HELD:
        return ""
    ours, other = HELD[key]
    more = sum(run[ours] - run[other] for run in runs) / len(runs)
    return f"\n{ours}: {abs(more):.3f} {'above' if more > 0 else 'below'} {other}.\n"


def write(runs: Runs) -> None:
    parts = []
    for key, (title, task) in TASKS.items():
        if of := runs.get(key):
            what = " ".join((task.__doc__ or "").split())
            seeds = f"Seeds: {', '.join(sorted(of))}."
            body = table(list(of.values())) + said(key, list(of.values()))
            parts.append(f"## {title}\n\n{what} {seeds}\n\n{body}")
    text = (
        f"# What a model is good for beside new rows\n\nDefaults; {machine()}.\n\n"
        "Made by `python benchmarks/uses.py`.\n\n" + "\n".join(parts)
    )
    save("uses", text, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    arguments = parser.parse_args()
    need_data()
    runs: Runs = measured("uses")
    for seed in range(arguments.seeds):
        for key in arguments.tasks:
            found = runs.setdefault(key, {})
            if arguments.again or str(seed) not in found:
                found[str(seed)] = {k: float(v) for k, v in TASKS[key][1](seed).items()}
                write(runs)


if __name__ == "__main__":
    main()
