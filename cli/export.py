"""`synthvae export`: a model file for serving."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthvae.errors import UsageError
from synthvae.files import refuse_overwrite

from .console import Force, Json, Quiet, Reporter
from .early import check


def export(
    model: Annotated[Path, typer.Argument(help="A file of 'synthvae fit'.")] = Path(
        "model.synthvae"
    ),
    output: Annotated[Path, typer.Option("-o", "--output", help="The new model file.")] = Path(
        "sampler.synthvae"
    ),
    sampler_only: Annotated[
        bool,
        typer.Option("--sampler-only", help="Leave out the encoder, losses and held-out scores."),
    ] = False,
    half: Annotated[
        bool, typer.Option("--half", help="Weights in half precision: slightly other rows.")
    ] = False,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a smaller file that draws the same rows, and can't score, encode or impute any."""
    if not sampler_only:
        raise UsageError("an export is a sampler so far, but --sampler-only is not given; add it")
    refuse_overwrite(output, force)
    check(model)
    from synthvae.artifact import load
    from synthvae.exporting import sampler_only as slim
    from synthvae.outputs.record import hash_of

    reporter = Reporter(quiet, json)
    exported = slim(load(model), hash_of(model), half)
    exported.save(output)
    before, after = (path.stat().st_size for path in (model, output))
    reporter.say(f"{before / 1e6:.2f} MB -> {after / 1e6:.2f} MB: {output}")
    reporter.result(
        {
            "output": str(output),
            "bytes": after,
            "bytes_before": before,
            "half": half,
            "dropped": exported.content["sampler_only"]["dropped"],
        }
    )
