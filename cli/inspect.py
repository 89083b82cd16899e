"""`synthvae inspect`: what a model file holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import Json, Paper, Reporter
from .private import promise

_APART = ("kind", "withheld")


def inspect(
    model: Annotated[
        Path | None, typer.Argument(help="A file of 'synthvae fit'.", show_default="model.synthvae")
    ] = None,
    named: Annotated[
        Path | None, typer.Option("-m", "--model", help="The same, as other commands take it.")
    ] = None,
    json: Json = False,
) -> None:
    """List everything that a model file holds about the data it was fitted on."""
    from synthvae.artifact_header import load
    from synthvae.holdings import describe

    found = describe(load(model or named or Path("model.synthvae")))
    reporter = Reporter(quiet=False, as_json=json)
    if json:
        reporter.result(found)
    else:
        _print(found)


def _print(found: Mapping[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    console = Paper()
    table = Table(title="What the file holds about each column", title_justify="left")
    table.add_column("column", overflow="fold")
    table.add_column("held as")
    table.add_column("statistics of the training rows", overflow="fold")
    for name, column in found["columns"].items():
        parts = [f"{k}: {_short(v)}" for k, v in column.items() if k not in _APART and v]
        if withheld := column.get("withheld"):
            parts.append(f"too rare: {withheld['levels']} levels in {withheld['rows']} rows")
        held = "; ".join(parts)
        table.add_row(escape(name), column["kind"], escape(held))
    console.print(table)
    training = found["training"]
    console.print(
        f"preset {found['preset']}, {training['parameters']:,} weights learnt from "
        f"{training['rows']:,} rows in {training['epochs']} epochs ({training['stopped']})"
    )
    latent = ", ".join(f"{name} {_short(value)}" for name, value in training["latent"].items())
    console.print(f"latent: {latent}")
    if slim := found["sampler_only"]:
        console.print(
            f"a sampler only, of the model {slim['source'][:12]}: {len(slim['dropped'])} weights "
            f"of the encoder are left out{', the others are in half precision' * slim['half']}"
        )
    for rule in found["constraints"]:
        console.print(f"constraint: {escape(rule)}")
    for warning in found["warnings"]:
        console.print(f"warning: {escape(warning)}")
    for line in found["also"]:
        console.print(f"also: {escape(line)}")
    claim = found["privacy"]
    console.print(escape(claim if isinstance(claim, str) else promise(claim)))


def _short(value: Any, most: int = 8) -> str:
    if isinstance(value, list):
        shown = ", ".join(_short(v) for v in value[:most])
        return f"{len(value)}: {shown}{', ...' if len(value) > most else ''}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return " ".join(_short(v) for v in value.values())
    return repr(value) if isinstance(value, str) else str(value)
