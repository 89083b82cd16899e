"""`synthvae sample` under conditions: rows that meet one, or complete given ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from synthvae.errors import UsageError

from .rows import Target

if TYPE_CHECKING:
    import pyarrow as pa

    from synthvae.artifact import Artifact
    from synthvae.conditional import Conditional


def write_conditional(
    target: Target,
    artifact: Artifact,
    rows: int,
    seed: int,
    request: tuple[str | None, dict[str, str], dict[str, str]],
    threads: int | None,
    patience: float,
) -> dict[str, object]:
    """`rows` rows that meet a condition; `request`: it, what is given, what is set. Says what
    share of the candidates was accepted."""
    from synthvae import pipeline
    from synthvae.conditional import Conditional, Request

    sampler = pipeline.sampler(artifact)
    where, given, values = request
    asked = Conditional(sampler, Request.of(sampler, where, given, values))
    chunks = asked.chunks(rows, seed, target.view, threads, patience)
    schema = sampler.codec.arrow_schema(target.view)
    written = target.write("sampling", chunks, schema, rows, lambda: _share(asked))
    if where is not None:
        off = asked.tally.distance
        exactly = "as the model says" if not off else f"at most {off:.2%} off what the model says"
        target.reporter.say(f"{_share(asked)}; rows are distributed {exactly}")
    return {
        **written,
        "candidates": asked.tally.candidates,
        "acceptance": asked.tally.acceptance,
        "distance": asked.tally.distance,
    }


def write_completed(
    target: Target, artifact: Artifact, path: str, seed: int, threads: int | None
) -> dict[str, object]:
    """A whole row for each row of the file `path`, in its order."""
    from synthvae import pipeline
    from synthvae.reading import read_table
    from synthvae.row_conditions import partial_rows

    imputer = pipeline.completer(artifact)
    table = partial_rows(imputer.codec, read_table(path))
    job = imputer.job(table, seed, target.view)
    chunks: Iterator[pa.Table] = imputer.chunks(job, 1, threads)
    return target.write("completing rows", chunks, job.schema, len(table))


def refuse_with_conditions(**others: object) -> None:
    """UsageError for options that say something else of the rows that --conditions gives."""
    asked = [name for name, value in others.items() if value]
    if asked:
        raise UsageError(
            "--conditions gives the rows, but other options say which there are too: "
            f"{', '.join(asked)}; leave those out"
        )


def _share(asked: Conditional) -> str:
    return f"{asked.tally.acceptance:.2%} of candidates accepted"
