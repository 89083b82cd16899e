"""Tables to files, a chunk at a time: text is joined in Arrow, Parquet gets fixed row groups."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthvae.files import atomic
from synthvae.reading import format_of

ROW_GROUP = 1 << 17


def write_table(path: str, chunks: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write `chunks` (all of `schema`) to `path`, whole or not at all; `-` is CSV on stdout."""
    form = format_of(path)
    with _destination(path) as stream:
        if form.parquet:
            write_parquet(stream, chunks, schema)
        elif form.gzip:
            with packed(stream) as inner:
                write_text(inner, chunks, schema, form.delimiter)
        else:
            write_text(stream, chunks, schema, form.delimiter)


def packed(stream: BinaryIO) -> gzip.GzipFile:
    """`stream`, gzipped: no time stamp and no name, so that the same rows give the same bytes."""
    return gzip.GzipFile("", "wb", 6, stream, mtime=0)


@contextmanager
def _destination(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with atomic(Path(path)) as stream:
        yield stream


def write_parquet(stream: BinaryIO, chunks: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Row groups of `ROW_GROUP` rows, whatever the chunks; the metadata of `schema` go along."""
    with pq.ParquetWriter(stream, schema) as writer:
        for group in regroup(chunks, ROW_GROUP):
            writer.write_table(group, row_group_size=ROW_GROUP)


def write_text(
    stream: BinaryIO | gzip.GzipFile, chunks: Iterable[pa.Table], schema: pa.Schema, delimiter: str
) -> None:
    """A header and a line a row; all columns are text."""
    names = quoted(pa.array(schema.names, pa.string()), delimiter).to_pylist()
    stream.write((delimiter.join(names) + "\n").encode())
    for chunk in chunks:
        stream.write(_lines(chunk, delimiter))


def _lines(chunk: pa.Table, delimiter: str) -> memoryview | bytes:
    """All rows of `chunk` (text columns, plain or dictionary) as one buffer of lines."""
    if not len(chunk):
        return b""
    texts = [quoted(column.combine_chunks(), delimiter) for column in chunk.columns]
    if len(texts) == 1:
        # A line without anything on it would be no row to most readers.
        texts = [pc.if_else(pc.equal(texts[0], ""), '""', texts[0])]
    texts[-1] = pc.binary_join_element_wise(texts[-1], "\n", "")
    return buffer_of(
        texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, delimiter)
    )


def buffer_of(texts: pa.Array) -> memoryview:
    """All `texts`, one after the other."""
    array = texts.cast(pa.large_string())
    offsets = array.buffers()[1]
    first, last = (
        int.from_bytes(offsets[8 * i : 8 * i + 8].to_pybytes(), sys.byteorder)
        for i in (array.offset, array.offset + len(array))
    )
    return memoryview(array.buffers()[2])[first:last]


def quoted(values: pa.Array, delimiter: str) -> pa.Array:
    """Text as it stands in a file: values that hold a delimiter, quote or line end are quoted."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if pa.types.is_dictionary(values.type):
        return quoted(values.dictionary, delimiter).take(values.indices).fill_null("")
    values = values.fill_null("")
    risky = pc.match_substring_regex(values, f'[{delimiter}"\\r\\n]')
    if not pc.any(risky).as_py():
        return values
    doubled = pc.replace_substring(values, '"', '""')
    return pc.if_else(risky, pc.binary_join_element_wise('"', doubled, '"', ""), values)


def as_text(chunk: pa.Table) -> pa.Table:
    """Numbers as text, for a file of text."""
    return chunk.cast(text_schema(chunk.schema))


def text_schema(schema: pa.Schema) -> pa.Schema:
    """`schema` with text in place of numbers."""
    kinds = pa.types
    return pa.schema(
        [
            field.with_type(pa.string())
            if kinds.is_integer(field.type) or kinds.is_floating(field.type)
            else field
            for field in schema
        ]
    )


def regroup(chunks: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of exactly `rows` (the last may be shorter): bytes on disk must
    not depend on how sampling was cut up."""
    waiting: list[pa.Table] = []
    held = 0
    for chunk in chunks:
        waiting.append(chunk)
        held += len(chunk)
        while held >= rows:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, rows)
            waiting = [joined.slice(rows)]
            held -= rows
    if held:
        yield pa.concat_tables(waiting)
