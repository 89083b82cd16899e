"""`synthvae sample` under conditions: rows that meet one, or complete given ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from synthvae.errors import UsageError

from .console import Reporter
from .rows import Target

if TYPE_CHECKING:
    import pyarrow as pa

    from synthvae.acceptance import Tally


def accepted(tally: Tally, where: str | None, reporter: Reporter) -> dict[str, object]:
    """What became of candidates, for people and for programs."""
    if where is not None:
        off = tally.distance
        exactly = "as the model says" if not off else f"at most {off:.2%} off what the model says"
        reporter.say(f"{share(tally)}; rows are distributed {exactly}")
    return {
        "candidates": tally.candidates,
        "acceptance": tally.acceptance,
        "distance": tally.distance,
    }


def complete(target: Target, model: Path, path: str, seed: int, threads: int | None) -> None:
    """Write a whole row for each row of the file `path`, in its order."""
    from synthvae import pipeline
    from synthvae.artifact import load
    from synthvae.keys import check_room
    from synthvae.reading import read_table
    from synthvae.row_conditions import partial_rows

    imputer = pipeline.completer(load(model))
    table = partial_rows(imputer.codec, read_table(path))
    job = imputer.job(table, seed, target.view)
    for words in check_room(imputer.codec, len(table)):
        target.reporter.say(f"warning: {words}")
    chunks: Iterator[pa.Table] = imputer.chunks(job, 1, threads)
    written = target.write("completing rows", chunks, job.schema, len(table))
    if imputer.warning:
        target.reporter.say(f"warning: {imputer.warning}")
    target.reporter.result({**written, "broken": imputer.broken, "seed": seed})


def refuse_with_conditions(output: str, **others: object) -> None:
    """UsageError for options that say something else of the rows that --conditions gives, or of
    the manifest that they don't have; and for a database."""
    from synthvae.outputs.database import is_url

    if is_url(output):
        raise UsageError(
            "--conditions writes a file, but -o names a database; write a file and load it"
        )
    asked = [name for name, value in others.items() if value]
    if asked:
        raise UsageError(
            "--conditions gives the rows, without a manifest, but other options speak of them too: "
            f"{', '.join(asked)}; leave those out"
        )


def share(tally: Tally) -> str:
    return f"{tally.acceptance:.2%} of candidates accepted"


def kept(share: float | None, reporter: Reporter) -> dict[str, object]:
    """What constraints cost, where rows are held to any."""
    if share is None:
        return {}
    reporter.say(f"{share:.2%} of the rows drawn kept all constraints; others were redrawn")
    return {"kept": round(share, 6)}
