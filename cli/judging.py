"""Options of the commands that hold synthetic rows against real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AnyModel = Annotated[
    Path | None,
    typer.Option("-m", "--model", help="A file of 'synthvae fit'.", show_default="none"),
]
Released = Annotated[
    str | None,
    typer.Option(
        "--synthetic", help="The rows that are released.", show_default="drawn from the model"
    ),
]
Holdout = Annotated[
    str | None,
    typer.Option(
        help="Real rows that were not learnt, drawn like those that were: the floor.",
        show_default="with --model: those that its fit left out",
    ),
]
Config = Annotated[Path | None, typer.Option("-c", "--config", help="Settings: a synthvae.yaml.")]
Target = Annotated[
    str | None,
    typer.Option(
        help="Column that the utility task predicts.",
        show_default="the model's, or one that suits, named in the notes",
    ),
]
Seed = Annotated[int, typer.Option(help="Same files and seed: same result.")]
