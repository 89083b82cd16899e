"""`synthvae verify`: an output, proved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthvae.errors import UsageError

from .console import Json, Quiet, Reporter, Threads, words
from .early import check
from .flags import Predicate

if TYPE_CHECKING:
    from synthvae.verification import Findings

DIFFERENT = 1


def verify(
    output: Annotated[str, typer.Argument(help="A file or folder of 'synthvae sample'.")],
    model: Annotated[
        Path | None,
        typer.Option("-m", "--model", help="Draw the rows anew from this file, and compare."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option("--rows", min=1, help="Draw about so many, in blocks.", show_default="all"),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="The manifest.", show_default="beside the output")
    ] = None,
    predicate: Predicate = None,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Prove an output against its manifest: hashes, rows, columns; and with the model that it is
    what the model draws. Exit code 1, and words, if anything differs."""
    if rows is not None and model is None:
        raise UsageError("--rows are drawn by a model, but none is given; add -m, or leave it out")
    check(model)
    from synthvae import manifest as manifests
    from synthvae.constraints.predicates import trust
    from synthvae.outputs.record import beside
    from synthvae.verification import Findings, check_files

    trust(predicate or [])
    path = Path(output)
    noted = manifests.read(manifest or beside(path))
    if noted["output"]["kind"] == "database":
        raise UsageError(
            "an output is proved by its files, but this manifest is of a table in a database; "
            "write a file to have rows proved"
        )
    reporter, found = Reporter(quiet, json), Findings()
    check_files(noted, path, found)
    if model is not None:
        _redraw(noted, path, model, rows, threads, reporter, found)
    for difference in found.differences:
        words.print(f"[red]differs:[/red] {_escaped(difference)}")
    if not found.differences:
        reporter.say(_proved(noted, found, model is not None))
    reporter.result({"verified": not found.differences, **vars(found)})
    if found.differences:
        raise typer.Exit(DIFFERENT)


def _proved(noted: Mapping[str, Any], found: Findings, drawn: bool) -> str:
    """What was shown, and what a model would show."""
    files = "1 file" if found.files == 1 else f"{found.files:,} files"
    shown = f"as noted: {files}, {found.rows:,} rows"
    if drawn:
        return f"{shown}, {found.redrawn:,} drawn anew and equal"
    if noted["request"].get("conditions") or noted["request"].get("keys"):
        return shown  # a model alone can't draw them
    return f"{shown} (that model and seed are the noted ones is proved with --model)"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _redraw(
    noted: Mapping[str, Any],
    path: Path,
    model: Path,
    rows: int | None,
    threads: int | None,
    reporter: Reporter,
    found: Findings,
) -> None:
    from synthvae.delivery import Drawer
    from synthvae.requests import Request
    from synthvae.verification import check_claims, check_rows, ranges_of

    drawer, request = Drawer.of(model), Request.from_json(noted["request"])
    if beyond := request.beyond:
        raise UsageError(f"rows are drawn anew from a model alone, but {beyond}; leave -m out")
    if not drawer.drew(noted["model"]):
        found.add(
            f"'{model}' is not the model that is noted: its sha256 is {drawer.sha256[:12]}, noted "
            f"is {noted['model']['sha256'][:12]}"
        )
        return
    check_claims(noted, drawer.statement(request), str(model), found)
    seed = int(noted["model"]["sha256"][:8], 16)
    ranges = ranges_of(request.rows, rows, not drawer.random_access(request), seed)
    total = sum(last - first for first, last in ranges)
    with reporter.progress("drawing anew", total) as bar:
        drawn = drawer.redrawn(request, noted["output"]["format"], threads)
        check_rows(noted, path, drawn, ranges, found, bar.at)
