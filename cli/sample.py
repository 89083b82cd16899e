"""`synthvae sample`: new rows from a model."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthvae.errors import UsageError
from synthvae.files import refuse_overwrite

from .console import Bar, Force, Json, Quiet, Reporter, Threads, seconds

if TYPE_CHECKING:
    import pyarrow as pa

    from synthvae.storage import View


def sample(
    rows: Annotated[int, typer.Option("-n", "--rows", min=1, help="How many rows.")],
    model: Annotated[Path, typer.Option("-m", "--model", help="A file of 'synthvae fit'.")] = Path(
        "model.synthvae"
    ),
    output: Annotated[
        str, typer.Option("-o", "--output", help="CSV, TSV or Parquet by suffix; - for stdout.")
    ] = "synthetic.csv",
    seed: Annotated[int, typer.Option(help="Same model, seed and n: same bytes.")] = 0,
    given: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE of a column that the model is conditioned on; repeatable."),
    ] = None,
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write new rows. Memory does not grow with their number, and the first 1,000 of 100,000 rows
    are those of 1,000."""
    from synthvae.reading import format_of

    reporter = Reporter(quiet, json)
    if json and output == "-":
        raise UsageError(
            "stdout takes rows or JSON, but both were asked for; name an output with -o"
        )
    form = format_of(output)
    if output != "-":
        refuse_overwrite(Path(output), force)
    wanted = _pairs(given or [])
    from synthvae import pipeline
    from synthvae.artifact import load
    from synthvae.writing import write_table

    sampler = pipeline.sampler(load(model))
    view: View = "typed" if form.parquet else "text"
    started = time.monotonic()
    with reporter.progress("sampling", rows) as bar:
        chunks = sampler.chunks(rows, seed, view, wanted, threads)
        write_table(output, _watched(chunks, bar), sampler.codec.arrow_schema(view))
    took = time.monotonic() - started
    reporter.say(f"{rows:,} rows in {seconds(took)} ({rows / took:,.0f} a second) -> {output}")
    reporter.result({"output": output, "rows": rows, "seed": seed, "seconds": round(took, 3)})


def _watched(chunks: Iterable[pa.Table], bar: Bar) -> Iterator[pa.Table]:
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        bar.at(done)


def _pairs(given: list[str]) -> dict[str, str]:
    for pair in given:
        if "=" not in pair:
            raise UsageError(
                f"--given takes COLUMN=VALUE, but it is '{pair}'; put a '=' between them"
            )
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}
