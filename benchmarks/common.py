"""What the benchmarks share: timed processes, the yardstick, tables of results."""

from __future__ import annotations

import csv
import gzip
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
DATA = SHARED / "data"
YARDSTICK = SHARED / "tools" / "measure_fidelity.py"
WORK = ROOT / "benchmarks" / "out"
MEASURING = ROOT / ".venv-ctgan" / "bin" / "python"  # has what the yardstick needs
SYNTHVAE = Path(sys.executable).with_name("synthvae")
TARGETS = {
    "adult": "income",
    "magic": "class",
    "default": "default payment next month",
    "shoppers": "Revenue",
    "beijing": "pm2.5",
    "nycflights13": "arr_delay",
}


@dataclass(frozen=True)
class Timed:
    """A finished process: what it printed, wall seconds, seconds of processors (its helpers' too)
    and peak memory in MB."""

    output: str
    seconds: float
    cpu: float
    peak_mb: float


def timed(*command: object, fine: Sequence[int] = (0,)) -> Timed:
    """Run a process to its end; stop the benchmark if its exit code is none of `fine`."""
    started = time.monotonic()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in fine:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    seconds = time.monotonic() - started
    return Timed(output, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def yardstick(table: str, synthetic: Path, target: str | None) -> dict[str, float]:
    """The yardstick's numbers for one synthetic file."""
    folder = DATA / table
    command: list[object] = [
        MEASURING,
        YARDSTICK,
        folder / "train.csv.gz",
        folder / "holdout.csv.gz",
    ]
    extra = ["--target", target] if target else []
    numbers: dict[str, float] = json.loads(timed(*command, synthetic, *extra).output)
    return numbers


def rows_of(table: str) -> int:
    """Rows of the training table."""
    with gzip.open(DATA / table / "train.csv.gz", "rt", newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1


def mean(values: Sequence[float], digits: int = 2) -> str:
    """'1.83 ± 0.05': mean and standard deviation over runs."""
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def need_data() -> None:
    """Stop with words if the real tables are not at hand."""
    if not YARDSTICK.exists():
        raise SystemExit(f"the benchmarks need the real tables and the yardstick in {SHARED}")
    WORK.mkdir(exist_ok=True)


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"


def measured(name: str) -> Any:
    """The numbers of a report that were taken before; {} if there are none."""
    path = ROOT / "reports" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def save(name: str, text: str, data: Any) -> None:
    """Write a report and the numbers that it was made of."""
    (ROOT / "reports" / f"{name}.md").write_text(text)
    (ROOT / "reports" / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
