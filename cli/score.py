"""`synthvae score`: how usual each row of a table is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from .console import Force, Json, Quiet, Threads
from .early import check
from .rows import MODEL, Data, Model, Output, Target

if TYPE_CHECKING:
    import pyarrow as pa


class Bound(StrEnum):
    """What is averaged over the draws: the bound, or the likelihood itself."""

    elbo = "elbo"
    iwae = "iwae"


def score(
    table: Data,
    model: Model = MODEL,
    output: Output = "-",
    bound: Annotated[
        Bound, typer.Option(help="iwae is tighter with every draw, but has no percentile.")
    ] = Bound.elbo,
    draws: Annotated[int, typer.Option(min=1, help="Draws of the latent a row.")] = 8,
    seed: Annotated[int, typer.Option(help="Same table, model and seed: same scores.")] = 0,
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say how unusual each row is: nats that it takes to write it down, in all and by column, and
    of 100 rows that the model did not learn, how many are more usual."""
    target = Target.of(output, force, json, quiet)
    check(model, table)
    from synthvae import opening
    from synthvae.artifact import load
    from synthvae.reading import read_table

    scorer = opening.scorer(load(model))
    data = read_table(table)
    summary = Summary()
    chunks = summary.watch(scorer.chunks(data, bound.value, draws, seed, threads))
    written = target.write("scoring", chunks, scorer.schema(bound.value), len(data))
    if scorer.warning:
        target.reporter.say(f"warning: {scorer.warning}")
    target.reporter.say(summary.words)
    target.reporter.result(
        {
            **written,
            "bound": bound.value,
            "seed": seed,
            **summary.to_json(),
            "warning": scorer.warning,
        }
    )


class Summary:
    """Mean score, and the share of rows beyond the 99th percentile of held-out ones."""

    def __init__(self) -> None:
        self.rows, self.total, self.unusual = 0, 0.0, 0
        self.calibrated = False

    def watch(self, chunks: Iterable[pa.Table]) -> Iterator[pa.Table]:
        for chunk in chunks:
            self.rows += len(chunk)
            self.total += float(chunk["score"].to_numpy().sum(dtype="float64"))
            if "percentile" in chunk.column_names:
                self.calibrated = True
                self.unusual += int((chunk["percentile"].to_numpy() > 99).sum())
            yield chunk

    def to_json(self) -> dict[str, float]:
        mean = {"mean_score": round(self.total / self.rows, 4)}
        return mean | ({"above_99": self.unusual / self.rows} if self.calibrated else {})

    @property
    def words(self) -> str:
        text = f"{self.total / self.rows:.2f} nats a row"
        if not self.calibrated:
            return text
        share = 100 * self.unusual / self.rows
        return f"{text}; {share:.1f} % of the rows are less usual than 99 % of held-out ones"
