"""`synthvae traverse`: what one dimension of the latent space means."""

from __future__ import annotations

from typing import Annotated

import typer

from synthvae.errors import UsageError

from .console import Force, Json, Quiet
from .early import check
from .rows import MODEL, Model, Output, Target


def traverse(
    dim: Annotated[int, typer.Option(min=0, help="A dimension of z, counted from 0.")],
    steps: Annotated[int, typer.Option(min=1, help="Rows on the way.")] = 10,
    table: Annotated[
        str | None, typer.Option(help="A table of the model's columns.", show_default="none")
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(min=1, help="Its row to go through.", show_default="the prior's mean"),
    ] = None,
    model: Model = MODEL,
    output: Output = "-",
    seed: Annotated[int, typer.Option(help="Same model and seed: same bytes.")] = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write rows that differ in one dimension of the latent, from one end of the prior to the
    other, around a row or around the prior's mean."""
    target = Target.of(output, force, json, quiet)
    if (table is None) is not (row is None):
        raise UsageError(
            "a row to go through is --row of --table, but one is given alone; give both"
        )
    check(model, table)
    from synthvae import opening
    from synthvae.artifact import load
    from synthvae.reading import read_table

    space = opening.latent_space(load(model))
    data = read_table(table) if table else None
    way = space.traverse(dim, steps, seed, target.view, data, (row or 1) - 1)
    written = target.write("traversing", [way], way.schema, steps)
    target.reporter.result({**written, "dim": dim, "seed": seed})
