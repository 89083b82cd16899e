"""The formats that rows are written in: their names, suffixes, and what writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from synthvae.errors import UsageError, hint
from synthvae.outputs.jsonl import write_jsonl
from synthvae.storage import View
from synthvae.writing import ROW_GROUP, packed, regroup, write_parquet, write_text

Write = Callable[[BinaryIO, Iterable[pa.Table], pa.Schema], None]


@dataclass(frozen=True)
class Format:
    """`suffixes`: the first is that of parts in a folder. `view`: what rows it takes. `pipe`: what
    writes it to a pipe, None if nothing can."""

    name: str
    suffixes: tuple[str, ...]
    view: View
    write: Write
    pipe: Write | None


def _text(delimiter: str) -> Write:
    return lambda stream, chunks, schema: write_text(stream, chunks, schema, delimiter)


def _gzipped(write: Write) -> Write:
    def written(stream: BinaryIO, chunks: Iterable[pa.Table], schema: pa.Schema) -> None:
        with packed(stream) as inner:
            write(inner, chunks, schema)  # type: ignore[arg-type]  # it writes, as files do

    return written


def _arrow_file(stream: BinaryIO, chunks: Iterable[pa.Table], schema: pa.Schema) -> None:
    """The Arrow IPC file format, whose batches can be read in any order."""
    with pa.ipc.new_file(stream, schema) as writer:
        for batch in regroup(chunks, ROW_GROUP):
            writer.write_table(batch.unify_dictionaries().combine_chunks())


def _arrow_stream(stream: BinaryIO, chunks: Iterable[pa.Table], schema: pa.Schema) -> None:
    """The Arrow IPC streaming format: a pipe has no end to look for a footer at."""
    with pa.ipc.new_stream(stream, schema) as writer:
        for batch in regroup(chunks, ROW_GROUP):
            writer.write_table(batch.unify_dictionaries().combine_chunks())


_CSV, _TSV = _text(","), _text("\t")
_ALL = (
    Format("csv", (".csv", ".txt"), "text", _CSV, _CSV),
    Format("csv.gz", (".csv.gz", ".txt.gz"), "text", _gzipped(_CSV), _gzipped(_CSV)),
    Format("tsv", (".tsv",), "text", _TSV, _TSV),
    Format("tsv.gz", (".tsv.gz",), "text", _gzipped(_TSV), _gzipped(_TSV)),
    Format("parquet", (".parquet", ".pq"), "typed", write_parquet, None),
    Format("jsonl", (".jsonl", ".ndjson"), "typed", write_jsonl, write_jsonl),
    Format(
        "jsonl.gz",
        (".jsonl.gz", ".ndjson.gz"),
        "typed",
        _gzipped(write_jsonl),
        _gzipped(write_jsonl),
    ),
    Format("arrow", (".arrow", ".ipc"), "typed", _arrow_file, _arrow_stream),
)
FORMATS: Mapping[str, Format] = {form.name: form for form in _ALL}


def named(name: str) -> Format:
    """The format called `name`. UsageError if none is."""
    if name not in FORMATS:
        raise UsageError(
            f"a format is one of {', '.join(FORMATS)}, but --format asks for '{name}'; "
            f"{hint(name, FORMATS)}"
        )
    return FORMATS[name]


def by_suffix(path: str) -> Format | None:
    """The format that the suffix of `path` names, if it names one."""
    lowered = path.lower().rstrip("/")
    for form in FORMATS.values():
        if lowered.endswith(form.suffixes):
            return form
    return None


def of(path: str, name: str | None) -> Format:
    """The format called `name`, else that of the suffix of `path`; '-' is CSV. UsageError if there
    is none, or if the two contradict."""
    found = by_suffix(path)
    if name is not None:
        asked = named(name)
        if found is not None and found is not asked:
            raise UsageError(
                f"an output has one format, but '{path}' is {found.name} by its suffix and "
                f"--format asks for {name}; leave --format out, or rename the output"
            )
        return asked
    if path == "-":
        return FORMATS["csv"]
    if found is None:
        suffixes = ", ".join(suffix for form in FORMATS.values() for suffix in form.suffixes)
        raise UsageError(
            f"a table's suffix names its format, but '{path}' has none of {suffixes}; "
            "rename it, name the format with --format, or pass '-' for CSV"
        )
    return found
