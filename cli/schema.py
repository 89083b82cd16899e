"""`synthvae schema`: what rows look like, for programs that take them."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthvae.errors import UsageError

from .console import Force, Json, Quiet, Reporter

if TYPE_CHECKING:
    from synthvae.fields import Field


def schema(
    source: Annotated[
        Path, typer.Argument(help="A file of 'synthvae fit', or SDV metadata (.yaml, .json).")
    ] = Path("model.synthvae"),
    json_schema: Annotated[
        Path | None, typer.Option("--json-schema", help="Write JSON Schema of a JSON line here.")
    ] = None,
    sql: Annotated[
        Path | None, typer.Option("--sql", help="Write a CREATE TABLE statement here.")
    ] = None,
    dialect: Annotated[str, typer.Option(help="postgres, sqlite or duckdb.")] = "postgres",
    table: Annotated[str, typer.Option("--table", help="The table's name in SQL.")] = "synthetic",
    no_categories: Annotated[
        bool, typer.Option("--no-categories", help="List no value of any column.")
    ] = False,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Export the schema that drawn rows keep: types, missing values, ends, categories, forms. It
    holds nothing that `inspect` does not list; without an output it is printed as JSON Schema."""
    outputs = [path for path in (json_schema, sql) if path]
    if len(set(outputs)) < len(outputs):
        raise UsageError(f"two outputs are two files, but both are '{sql}'; rename one")
    from synthvae.files import refuse_overwrite, write_bytes

    for path in outputs:
        refuse_overwrite(path, force)
    from synthvae import ddl
    from synthvae import json_schema as schemas

    title, fields, keys = _met(source)
    described = schemas.json_schema(fields, title, not no_categories)
    statement = ddl.create_table(fields, table, dialect, keys, not no_categories)
    text = json_module.dumps(described, indent=2, ensure_ascii=False) + "\n"
    if json_schema:
        write_bytes(json_schema, text.encode())
    if sql:
        write_bytes(sql, statement.encode())
    reporter = Reporter(quiet, json)
    for path in outputs:
        reporter.say(f"{len(fields)} columns -> {path}")
    reporter.result({"columns": len(fields), "json_schema": described, "sql": statement})
    if not outputs and not json:
        typer.echo(text, nl=False)


def _met(source: Path) -> tuple[str, Sequence[Field], list[tuple[str, ...]]]:
    """The table's name, fields and keys, by metadata or by a model."""
    from synthvae import metadata as metadatas
    from synthvae.declared import declared_fields, keys_of

    if source.suffix.lower() in (".yaml", ".yml", ".json"):
        declared = metadatas.read(source)
        return declared.table, declared_fields(declared), keys_of(declared)
    from synthvae.artifact import load
    from synthvae.codecs.table_codec import TableCodec
    from synthvae.fields import fields_of

    content = load(source).content
    declared = metadatas.parse(content["metadata"], "the model file")
    return declared.table, fields_of(TableCodec.from_json(content["codec"])), keys_of(declared)
