"""`synthvae impute`: missing cells, filled."""

from __future__ import annotations

from typing import Annotated

import typer

from .console import Force, Json, Quiet, Threads
from .early import check
from .flags import Predicate
from .rows import MODEL, Data, Model, Output, Target


def impute(
    table: Data,
    model: Model = MODEL,
    output: Output = "-",
    draws: Annotated[
        int, typer.Option(min=1, help="Whole tables to write, one below the other.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Same table, model and seed: same bytes.")] = 0,
    predicate: Predicate = None,
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fill the missing cells of a table with values drawn from the model, given what is observed
    in the row. Observed cells stay as they are."""
    target = Target.of(output, force, json, quiet)
    check(model, table)
    from synthvae import opening
    from synthvae.artifact import load
    from synthvae.constraints.predicates import trust
    from synthvae.reading import read_table

    trust(predicate or [])
    imputer = opening.imputer(load(model))
    job = imputer.job(read_table(table), seed, target.view)
    chunks = imputer.chunks(job, draws, threads)
    written = target.write("imputing", chunks, job.schema, draws * len(job.table))
    cells = {name: int(mask.sum()) for name, mask in job.matched.holes.items() if mask.any()}
    target.reporter.say(f"{sum(cells.values()):,} missing cells in {len(cells)} columns filled")
    if imputer.warning:
        target.reporter.say(f"warning: {imputer.warning}")
    target.reporter.result(
        {**written, "filled": cells, "broken": imputer.broken, "draws": draws, "seed": seed}
    )
