"""`synthvae interpolate`: the way from one row to another."""

from __future__ import annotations

from typing import Annotated

import typer

from .console import Force, Json, Quiet
from .early import check
from .rows import MODEL, Data, Model, Output, Target


def interpolate(
    table: Data,
    first: Annotated[int, typer.Option("--from", min=1, help="A row, counted from 1.")],
    last: Annotated[int, typer.Option("--to", min=1, help="Another row.")],
    steps: Annotated[int, typer.Option(min=2, help="Rows on the way, both ends among them.")] = 10,
    model: Model = MODEL,
    output: Output = "-",
    seed: Annotated[int, typer.Option(help="Same table, model and seed: same bytes.")] = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write rows on the straight way between two rows in the latent space; each of them is valid,
    and only the latent changes on the way."""
    target = Target.of(output, force, json, quiet)
    check(model, table)
    from synthvae import opening
    from synthvae.artifact import load
    from synthvae.reading import read_table

    space = opening.latent_space(load(model))
    data = read_table(table)
    way = space.interpolate(data, first - 1, last - 1, steps, seed, target.view)
    written = target.write("interpolating", [way], way.schema, steps)
    target.reporter.result({**written, "from": first, "to": last, "seed": seed})
