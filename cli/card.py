"""`synthvae card`: a model card of a model file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from synthvae.files import refuse_overwrite, write_bytes

from .console import Force, Quiet, Reporter

_File = Path | None


def card(
    model: Annotated[Path, typer.Argument(help="A file of 'synthvae fit'.")] = Path(
        "model.synthvae"
    ),
    output: Annotated[
        str, typer.Option("-o", "--output", help="Markdown; - for stdout.")
    ] = "MODEL_CARD.md",
    purpose: Annotated[
        str, typer.Option(help="What the model is for, in your own words.", show_default="general")
    ] = "",
    evaluation: Annotated[_File, typer.Option(help="Of `synthvae evaluate -o`.")] = None,
    audit: Annotated[_File, typer.Option(help="Of `synthvae audit -o`.")] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Describe a model for those whom it goes to: its purpose, data without values, training,
    privacy, limits."""
    if output != "-":
        refuse_overwrite(Path(output), force)
    import hashlib

    from synthvae.artifact_header import load
    from synthvae.card import File, markdown
    from synthvae.gate.sources import Files

    held = load(model)
    data = model.read_bytes()
    file = File(model.name, len(data), hashlib.sha256(data).hexdigest())
    given = evaluation is not None or audit is not None
    readings = Files(evaluation=evaluation, audit=audit).readings() if given else {}
    text = markdown(held, file, purpose, readings)
    if output == "-":
        sys.stdout.write(text)
        return
    write_bytes(Path(output), text.encode())
    Reporter(quiet, as_json=False).say(f"{file.name} -> {output}")
