"""`synthvae detect`: metadata of a table."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from synthvae.errors import UsageError

from .console import Force, Json, Quiet, Reporter


def detect(
    table: Annotated[
        str, typer.Argument(help="CSV, TSV or Parquet by suffix; - for CSV on stdin.")
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", help="YAML or JSON by suffix; - for stdout.")
    ] = "-",
    publish_ranges: Annotated[
        bool,
        typer.Option(help="Write smallest and largest values and all categories of the table too."),
    ] = False,
    private: Annotated[
        bool,
        typer.Option(
            "--private", help="A draft for a private fit: TODO where a value would be read."
        ),
    ] = False,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Describe a table as SDV-compatible metadata, without any value of it: safe to commit."""
    from synthvae import metadata as metadatas
    from synthvae.detect import detect as detect_metadata
    from synthvae.detect import to_declare
    from synthvae.files import refuse_overwrite, write_bytes
    from synthvae.reading import read_table

    reporter = Reporter(quiet, json)
    if output != "-":
        refuse_overwrite(Path(output), force)
    if private and publish_ranges:
        raise UsageError(
            "ranges are declared by who knows them or copied from the rows, but --private and "
            "--publish-ranges are both given; leave one out"
        )
    found = detect_metadata(read_table(table), publish_ranges)
    if private:
        found = to_declare(found)
    version = "V2" if publish_ranges or private else "V1"
    if json:
        reporter.result(found.to_sdv(version))
    elif output == "-":
        sys.stdout.write(metadatas.write(found, output, version).decode())
    if output != "-":
        write_bytes(Path(output), metadatas.write(found, output, version))
    kinds = Counter(column.sdtype for column in found.columns.values())
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    where = "" if output == "-" else f" -> {output}"
    reporter.say(f"{len(found.columns)} columns: {listed}{where}")
