"""`synthvae guard`: keeps real data out of a repository of synthetic data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthvae.errors import GateFailedError

from .console import Quiet, Reporter


def guard(
    files: Annotated[
        list[Path] | None, typer.Argument(help="What is to be committed; pre-commit names it.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of declared examples, such as 'examples/**/*.csv'; repeatable."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Refuse data files that no manifest calls synthetic, or that are not as their manifest has
    them, and what only belongs beside the real table. Exit code 1 if there is any."""
    from synthvae.guard import refusals

    found = refusals(files or [], allow or [])
    if found:
        raise GateFailedError(*found)
    none = " (name some: git ls-files -z | xargs -0 synthvae guard)" if not files else ""
    words = f"{len(files or []):,} files, none of them unproved data{none}"
    Reporter(quiet, as_json=False).say(words)
