"""JSON lines: one object a row, made by joining columns in Arrow rather than row by row.

Numbers are JSON numbers, null is null, moments are text as ISO 8601 has it, other text is text.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from synthvae.writing import buffer_of


def write_jsonl(
    stream: BinaryIO | gzip.GzipFile, chunks: Iterable[pa.Table], schema: pa.Schema
) -> None:
    """Write `chunks` (all of `schema`) as UTF-8; the keys of every line are in the order of the
    columns, and a null is there as null."""
    names = [json.dumps(name, ensure_ascii=False) for name in schema.names]
    for chunk in chunks:
        if len(chunk):
            stream.write(_lines(chunk, names))


def _lines(chunk: pa.Table, names: list[str]) -> memoryview:
    pieces: list[pa.Array | str] = []
    for i, (name, column) in enumerate(zip(names, chunk.columns, strict=True)):
        pieces += [f"{',' if i else '{'}{name}:", json_texts(column.combine_chunks())]
    return buffer_of(pc.binary_join_element_wise(*pieces, "}\n", ""))


def json_texts(values: pa.Array) -> pa.StringArray:
    """Each of `values` [n] as JSON."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    kind = values.type
    if pa.types.is_dictionary(kind):
        return json_texts(values.dictionary).take(values.indices).fill_null("null")
    if pa.types.is_timestamp(kind):
        zone = "Z" if kind.tz else ""
        values = values.cast(pa.timestamp(kind.unit, "UTC")) if kind.tz else values
        texts = pc.strftime(values, format=f"%Y-%m-%dT%H:%M:%S{zone}")
    else:
        texts = values.cast(pa.string())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        texts = pc.binary_join_element_wise('"', texts, '"', "")
    elif pa.types.is_string(kind):
        texts = _quoted(texts)
    return texts.fill_null("null")


def _quoted(texts: pa.StringArray) -> pa.StringArray:
    special = pc.any(pc.match_substring_regex(texts, r'[\x00-\x1f\x7f"\\]')).as_py()
    if not special:
        return pc.binary_join_element_wise('"', texts, '"', "")
    escaped = [
        None if text is None else json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()
    ]
    return pa.array(escaped, pa.string())
