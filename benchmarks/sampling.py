"""`reports/sampling.md`: how fast rows are written, in how much memory, what half precision costs.

Every run is a process of its own. Two models of adult are fitted first, and kept. `--rows` and
`--many` make it small.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import (
    DATA,
    SYNTHVAE,
    TARGETS,
    WORK,
    Timed,
    machine,
    markdown,
    measured,
    need_data,
    save,
    timed,
    yardstick,
)

PRESETS = ("tvae", "arvae")
FORMATS = ("csv", "csv.gz", "parquet", "jsonl", "arrow", "parts", "sqlite", "duckdb")
FAITHFUL = ("shape_ratio", "pair_ratio", "c2st", "tstr_gap")


def model_of(preset: str, epochs: int | None) -> Path:
    """A model of adult, fitted once."""
    path = WORK / f"sampling-{preset}{f'-{epochs}' if epochs else ''}.synthvae"
    if not path.exists():
        short = ["--epochs", epochs] if epochs else []
        table = DATA / "adult" / "train.csv.gz"
        timed(SYNTHVAE, "fit", table, "-o", path, "--preset", preset, "-q", "--force", *short)
    return path


def sampled(model: Path, rows: int, form: str, *options: object) -> tuple[Path, Timed, float]:
    """A run of `synthvae sample`: the output, the process, and its own seconds of drawing."""
    out = WORK / f"sampled.{form}"
    where: list[object] = ["-o", out]
    if form == "parts":
        where = ["-o", out, "--rows-per-file", max(rows // 10, 1)]
    if form in ("sqlite", "duckdb"):
        out.unlink(missing_ok=True)
        where = ["-o", f"{form}:///{out}", "--table", "rows"]
    command = [SYNTHVAE, "sample", "-n", rows, "-m", model, *where, "--force", "--json", "-q"]
    run = timed(*command, *options)
    return out, run, float(json.loads(run.output)["seconds"])


def formats(model: Path, rows: int) -> dict[str, Any]:
    """Rows a second and peak memory of each format."""
    found = {}
    for form in FORMATS:
        out, run, seconds = sampled(model, rows, form)
        files = [p for p in out.rglob("*") if p.is_file()] if out.is_dir() else [out]
        size = sum(file.stat().st_size for file in files)
        found[form] = {"rows_s": rows / seconds, "mb": run.peak_mb, "bytes": size / rows}
        clear(out)
    return found


def clear(out: Path) -> None:
    if out.is_dir():
        shutil.rmtree(out)
    out.unlink(missing_ok=True)
    out.with_name(f"{out.name}.manifest.json").unlink(missing_ok=True)


def memory(model: Path, few: int, many: int) -> dict[str, Any]:
    """Peak memory of `few` rows and of `many`, and the bytes of `many` under one thread and two."""
    hashes, peaks, speeds = [], {}, {}
    for rows, threads in ((few, 2), (many, 2), (many, 1)):
        out, run, seconds = sampled(model, rows, "parquet", "--threads", threads)
        peaks[f"{rows} rows, {threads} threads"] = run.peak_mb
        speeds[f"{rows} rows, {threads} threads"] = rows / seconds
        if rows == many:
            note = json.loads(out.with_name(f"{out.name}.manifest.json").read_text())
            hashes.append(note["output"]["files"][0]["sha256"])
        clear(out)
    return {"peak_mb": peaks, "rows_s": speeds, "same_bytes": len(set(hashes)) == 1}


def check(model: Path, rows: int) -> dict[str, float]:
    """Seconds that holding chunks to the schema takes, as a share of drawing them, by view."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from synthvae.delivery import Drawer; from synthvae.requests import Request\n"
        "from synthvae.guarantee import Guarantee\n"
        "drawer, n = Drawer.of(Path(sys.argv[1])), int(sys.argv[2])\n"
        "for view in ('text', 'typed'):\n"
        "    guarantee, spent, began = Guarantee(drawer.fields, view), 0.0, time.process_time()\n"
        "    for chunk in Request(n).chunks(drawer.sampler, view, 1):\n"
        "        before = time.process_time(); guarantee.check(chunk)\n"
        "        spent += time.process_time() - before\n"
        "    print(view, spent / (time.process_time() - began - spent))\n"
    )
    lines = timed(SYNTHVAE.with_name("python"), "-c", code, model, rows).output.splitlines()
    return {view: float(share) for view, share in map(str.split, lines)}


def half(model: Path, rows: int, faithful: bool) -> dict[str, Any]:
    """The yardstick of rows of a sampler, and of one in half precision."""
    found: dict[str, Any] = {}
    for name, options in (("whole", []), ("half", ["--half"])):
        slim = WORK / f"sampler-{name}.synthvae"
        timed(SYNTHVAE, "export", model, "--sampler-only", "-o", slim, "--force", "-q", *options)
        out, _, _ = sampled(slim, rows, "csv")
        numbers = yardstick("adult", out, TARGETS["adult"]) if faithful else {}
        found[name] = {"bytes": slim.stat().st_size, **{k: numbers[k] for k in FAITHFUL if numbers}}
        found[name]["lines"] = out.read_text().splitlines()[1:]
        clear(out)
    lines = [found[name].pop("lines") for name in ("whole", "half")]
    found["same_rows"] = sum(map(str.__eq__, *lines)) / len(lines[0])
    found["model_bytes"] = model.stat().st_size
    return found


def kept(model: Path, rows: int) -> dict[str, float]:
    """What it costs to keep rows for --resume: seconds of the same run with and without."""
    code = (
        "import sys, time; from pathlib import Path; import synthvae.outputs.single as single\n"
        "from synthvae.delivery import Drawer, deliver; from synthvae.requests import Request\n"
        "from synthvae.outputs.places import place_of\n"
        "drawer, n, out = Drawer.of(Path(sys.argv[1])), int(sys.argv[2]), sys.argv[3]\n"
        "single.KEEP_FROM = int(sys.argv[4])\n"
        "began = time.monotonic(); deliver(drawer, Request(n), place_of(out, None, None))\n"
        "print(time.monotonic() - began)\n"
    )
    found = {}
    for form in ("csv", "parquet"):
        out = WORK / f"kept.{form}"
        for name, limit in (("drawn", rows + 1), ("kept", 1)):
            run = timed(SYNTHVAE.with_name("python"), "-c", code, model, rows, out, limit)
            found[f"{form}, {name}"] = float(run.output)
        clear(out)
    return found


def write(results: dict[str, Any]) -> None:
    parts = [f"# Sampling\n\nadult; {machine()}.\n"]
    for preset, found in results.items():
        parts.append(f"## {preset}\n\nMade by `{found['command']}`.\n")
        parts.append(formats_table(found["formats"], found["rows"]))
        parts.append(memory_words(found["memory"]))
        shares = ", ".join(f"{view} {100 * s:.1f} %" for view, s in found["check"].items())
        parts.append(f"Holding every chunk to its schema, in time of drawing: {shares}.\n")
        seconds = ", ".join(f"{name} {s:.1f} s" for name, s in found["kept"].items())
        parts.append(f"{found['rows']:,} rows drawn, or kept for `--resume` too: {seconds}.\n")
        parts.append(half_table(found["half"]))
    save("sampling", "\n".join(parts), results)


def formats_table(found: dict[str, Any], rows: int) -> str:
    lines: list[Sequence[str]] = [
        [form, f"{n['rows_s']:,.0f}", f"{n['mb']:.0f} MB", f"{n['bytes']:.0f}"]
        for form, n in found.items()
    ]
    return markdown([f"{rows:,} rows as", "rows/s", "peak memory", "bytes a row"], lines)


def memory_words(found: dict[str, Any]) -> str:
    lines: list[Sequence[str]] = [
        [name, f"{found['rows_s'][name]:,.0f}", f"{mb:.0f} MB"]
        for name, mb in found["peak_mb"].items()
    ]
    same = "the same" if found["same_bytes"] else "NOT the same"
    table = markdown(["Parquet", "rows/s", "peak memory"], lines)
    return f"{table}\nBytes under one thread and two: {same}.\n"


def half_table(found: dict[str, Any]) -> str:
    names = [name for name in FAITHFUL if name in found["half"]]
    lines = [
        [kind, f"{found[kind]['bytes']:,}", *(f"{found[kind][name]:.3f}" for name in names)]
        for kind in ("whole", "half")
    ]
    return (
        f"The model's file has {found['model_bytes']:,} bytes. Of the rows of a sampler "
        f"{100 * found['same_rows']:.1f} % are the same in half precision.\n\n"
        + markdown(["sampler", "bytes", *names], lines)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each format")
    parser.add_argument("--few", type=int, default=100_000, help="the smaller run, for memory")
    parser.add_argument("--many", type=int, default=10_000_000, help="the larger one")
    parser.add_argument("--epochs", type=int, help="fit for so many, to see that it works")
    parser.add_argument("--no-yardstick", action="store_true")
    parser.add_argument("presets", nargs="*", default=list(PRESETS))
    arguments = parser.parse_args()
    command = " ".join(["python benchmarks/sampling.py", *sys.argv[1:]])
    need_data()
    results: dict[str, Any] = measured("sampling")
    for preset in arguments.presets:
        began, model = time.monotonic(), model_of(preset, arguments.epochs)
        results[preset] = {
            "command": command,
            "rows": arguments.rows,
            "formats": formats(model, arguments.rows),
            "memory": memory(model, arguments.few, arguments.many),
            "check": check(model, min(arguments.rows, 200_000)),
            "kept": kept(model, arguments.rows),
            "half": half(model, min(arguments.rows, 39_073), not arguments.no_yardstick),
        }
        write(results)
        print(f"{preset}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
