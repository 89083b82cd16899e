"""`reports/adult.md`: synthvae's tvae beside ctgan's TVAE, on one machine in one run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from typing import Any

from common import (
    DATA,
    MEASURING,
    SYNTHVAE,
    WORK,
    machine,
    markdown,
    mean,
    need_data,
    save,
    timed,
    yardstick,
)

TABLE, TARGET, ROWS = "adult", "income", 39_073
MILLION, TIMES = 1_000_000, 5
LEGEND = """Ratios: distance to the training rows over that of fresh real rows (1 is ideal).
c2st: ROC AUC of trees that tell synthetic from real rows (0.5 is ideal). tstr_gap: what training on
synthetic rows costs in ROC AUC on real ones. dcr_share: 0.5 is ideal. Fit: the whole process for
synthvae, `fit` alone for ctgan. Rows a second: the median (least to most) of five times a seed,
synthvae a million rows to a Parquet file, ctgan 200,000 to a DataFrame."""
METRICS = ("shape_ratio", "pair_ratio", "c2st", "tstr_gap", "dcr_share")


def ours(seed: int) -> dict[str, Any]:
    model, out = WORK / f"adult-{seed}.synthvae", WORK / f"adult-{seed}.csv"
    train = DATA / TABLE / "train.csv.gz"
    options = ("--preset", "tvae", "--seed", seed, "--holdout", 0, "--force")
    fit = timed(SYNTHVAE, "fit", train, "-o", model, *options)
    sample = ("sample", "-m", model, "--force", "--seed", seed, "--json")
    timed(SYNTHVAE, *sample, "-n", ROWS, "-o", out)
    many = ("-n", MILLION, "-o", WORK / "adult.parquet")
    took = [json.loads(timed(SYNTHVAE, *sample, *many).output)["seconds"] for _ in range(TIMES)]
    return {
        "fit": fit.seconds,
        "preprocessing": preprocessing(train),
        "rows_per_second": [MILLION / seconds for seconds in took],
        "peak_mb": fit.peak_mb,
        **yardstick(TABLE, out, TARGET),
    }


def preprocessing(train: Path) -> float:
    """Seconds to read, describe, fit the codecs and encode."""
    import time

    from synthvae.pipeline import prepare
    from synthvae.reading import read_table
    from synthvae.settings import parse

    started = time.monotonic()
    prepare(read_table(str(train)), None, parse({"preset": "tvae"}))
    return time.monotonic() - started


def peer(seed: int) -> dict[str, Any]:
    out = WORK / f"ctgan-{seed}.csv"
    script, train = Path(__file__).with_name("peer_ctgan.py"), DATA / TABLE / "train.csv.gz"
    done = timed(MEASURING, script, train, out, seed)
    return {**json.loads(done.output), "peak_mb": done.peak_mb, **yardstick(TABLE, out, TARGET)}


def row(name: str, runs: list[dict[str, Any]]) -> list[str]:
    speeds = [speed for run in runs for speed in run["rows_per_second"]]
    return [
        name,
        f"{mean([run['preprocessing'] for run in runs], 1)} s",
        f"{mean([run['fit'] for run in runs], 0)} s",
        f"{median(speeds):,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f})",
        f"{max(run['peak_mb'] for run in runs):,.0f} MB",
        *(mean([run[name] for run in runs], 2 if "ratio" in name else 3) for name in METRICS),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer-seeds", type=int, default=1)
    arguments = parser.parse_args()
    need_data()
    mine = [ours(seed) for seed in range(arguments.seeds)]
    theirs = [peer(seed) for seed in range(arguments.peer_seeds)]
    header = ["", "preprocessing", "fit, whole", "rows/s", "peak memory", *METRICS]
    named = {"synthvae tvae": mine, "ctgan 0.12 TVAE": theirs}
    table = markdown(header, [row(name, runs) for name, runs in named.items() if runs])
    text = (
        f"# adult\n\n39,073 rows, 15 columns; {machine()}; {len(mine)} seeds of ours, "
        f"{len(theirs)} of theirs, defaults of both, all rows.\n\n"
        f"{LEGEND}\n\n"
        f"Made by `make bench` (`benchmarks/adult.py`).\n\n{table}"
    )
    save("adult", text, {"synthvae": mine, "ctgan": theirs})
    print(text)


if __name__ == "__main__":
    main()
