"""`synthvae reconstruct`: rows through the latent space and back."""

from __future__ import annotations

from typing import Annotated

import typer

from .console import Force, Json, Quiet, Threads
from .early import check
from .rows import MODEL, Data, Model, Output, Target


def reconstruct(
    table: Data,
    model: Model = MODEL,
    output: Output = "-",
    seed: Annotated[int, typer.Option(help="Same table, model and seed: same bytes.")] = 0,
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write each row as the model draws it from the row's own latent mean: what is kept of a row
    is what the latent tells."""
    target = Target.of(output, force, json, quiet)
    check(model, table)
    from synthvae import opening
    from synthvae.artifact import load
    from synthvae.reading import read_table

    space = opening.latent_space(load(model))
    data = read_table(table)
    chunks = space.reconstruct(data, seed, target.view, threads)
    schema = space.codec.arrow_schema(target.view)
    written = target.write("reconstructing", chunks, schema, len(data))
    target.reporter.result({**written, "seed": seed})
