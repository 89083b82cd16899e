"""`synthvae encode`: rows as points of the latent space."""

from __future__ import annotations

from typing import Annotated

import typer

from .console import Force, Json, Quiet, Threads
from .early import check
from .rows import MODEL, Data, Model, Output, Target


def encode(
    table: Data,
    model: Model = MODEL,
    output: Output = "-",
    seed: Annotated[int, typer.Option(help="Seed of numbers spread within their grid.")] = 0,
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the latent mean of each row, z0, z1, ...; of a discrete latent its codes."""
    target = Target.of(output, force, json, quiet)
    check(model, table)
    from synthvae import opening
    from synthvae.artifact import load
    from synthvae.reading import read_table

    space = opening.latent_space(load(model))
    data = read_table(table)
    chunks = space.encode(data, seed, threads)
    written = target.write("encoding", chunks, space.schema, len(data))
    target.reporter.result({**written, "columns": space.schema.names, "seed": seed})
