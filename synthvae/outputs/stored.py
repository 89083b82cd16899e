"""Files of an output, read back for comparison: rows by number, a few at a time."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson
import pyarrow.parquet as pq

from synthvae.outputs.formats import FORMATS, Format

Range = tuple[int, int]
_BUFFER = 1 << 22
_MAGIC = b"ARROW1"


class Stored(Protocol):
    """One file."""

    @property
    def schema(self) -> pa.Schema | None:
        """Names and types, None where the format has none."""
        ...

    def rows(self) -> int:
        """How many there are; counts lines where it has to."""
        ...

    def slices(self, ranges: Iterable[Range]) -> Iterator[Any]:
        """The rows of each of `ranges`, which ascend and do not overlap; fewer where the file
        ends."""
        ...

    def rendered(self, chunk: pa.Table) -> Any:
        """`chunk` as `slices` would give it."""
        ...


def open_stored(path: Path, form: Format) -> Stored:
    """The file at `path`. Arrow's and the system's errors if it is none of `form`."""
    if form.name == "parquet":
        file = pq.ParquetFile(path)
        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        return _Columns(file.schema_arrow, groups, file.read_row_group)
    if form.name == "arrow":
        return _arrow(pa.memory_map(str(path)))
    return Lines(path, form)


def _arrow(source: pa.MemoryMappedFile) -> _Columns:
    """The file format, or the streaming one, which goes through pipes."""
    is_file = source.read(len(_MAGIC)) == _MAGIC
    source.seek(0)
    if not is_file:
        stream = pa.ipc.open_stream(source)
        parts = list(stream)  # of a mapped file they are views
        return _Columns(
            stream.schema,
            [len(part) for part in parts],
            lambda i: pa.Table.from_batches([parts[i]]),
        )
    reader = pa.ipc.open_file(source)
    batches = [reader.get_batch(i).num_rows for i in range(reader.num_record_batches)]
    return _Columns(reader.schema, batches, lambda i: pa.Table.from_batches([reader.get_batch(i)]))


@dataclass(frozen=True)
class _Columns:
    """Parquet or Arrow: groups of so many rows each, and what reads one."""

    schema: pa.Schema
    groups: list[int]
    read: Callable[[int], pa.Table]

    def rows(self) -> int:
        return sum(self.groups)

    def slices(self, ranges: Iterable[Range]) -> Iterator[pa.Table]:
        ends = np.cumsum([0, *self.groups])
        held: tuple[int, pa.Table] | None = None
        for start, stop in ranges:
            first = int(np.searchsorted(ends, start, "right")) - 1
            parts = [self.schema.empty_table()]
            for group in range(first, len(self.groups)):
                if ends[group] >= stop:
                    break
                if held is None or held[0] != group:
                    held = (group, self.read(group))
                at = max(start - int(ends[group]), 0)
                parts.append(held[1].slice(at, stop - max(start, int(ends[group]))))
            yield _plain(pa.concat_tables(parts))

    def rendered(self, chunk: pa.Table) -> pa.Table:
        return _plain(chunk)


def _plain(table: pa.Table) -> pa.Table:
    """Values in place of dictionaries, whose order means nothing."""
    schema = pa.schema(
        [
            field.with_type(field.type.value_type)
            if pa.types.is_dictionary(field.type)
            else field.remove_metadata()
            for field in table.schema
        ]
    )
    return table.cast(schema)


@dataclass(frozen=True)
class Lines:
    """Text, plain or gzipped."""

    path: Path
    form: Format
    schema: None = None

    @property
    def _plainly(self) -> Format:
        return FORMATS[self.form.name.removesuffix(".gz")]

    @property
    def _header(self) -> int:
        return 0 if self._plainly.name == "jsonl" else 1

    def rows(self) -> int:
        return sum(len(ends) for _, ends in self._blocks()) - self._header

    def has_header(self, names: list[str]) -> bool:
        """Whether the first line names these columns, or there is to be none."""
        empty = io.BytesIO()
        self._plainly.write(empty, [], pa.schema([(name, pa.string()) for name in names]))
        return not self._header or next(self._cut([(0, 1)])) == empty.getvalue()

    def slices(self, ranges: Iterable[Range]) -> Iterator[bytes]:
        return self._cut((a + self._header, b + self._header) for a, b in ranges)

    def rendered(self, chunk: pa.Table) -> bytes:
        whole, empty = io.BytesIO(), io.BytesIO()
        self._plainly.write(empty, [], chunk.schema)
        self._plainly.write(whole, [chunk], chunk.schema)
        return whole.getvalue()[len(empty.getvalue()) :]

    def _open(self) -> BinaryIO:
        if self.form.name.endswith(".gz"):
            return gzip.open(self.path)  # type: ignore[return-value]  # it reads, as files do
        return self.path.open("rb")

    def _blocks(self) -> Iterator[tuple[bytes, np.ndarray[Any, Any]]]:
        """Whole lines, and where each ends. A line end in quotes is none."""
        rest = b""
        with self._open() as stream:
            while more := stream.read(_BUFFER):
                data = rest + more
                ends = line_ends(data, quotes=self._header > 0)
                if len(ends):
                    yield data[: ends[-1]], ends
                    rest = data[ends[-1] :]
                else:
                    rest = data
        if rest:  # no line end: the file was cut
            yield rest, np.array([len(rest)])

    def _cut(self, ranges: Iterable[Range]) -> Iterator[bytes]:
        wanted = iter(ranges)
        current, found, row = next(wanted, None), b"", 0
        for data, ends in self._blocks():
            starts = np.concatenate([[0], ends[:-1]])
            while current and current[0] < row + len(ends):
                first, last = max(current[0] - row, 0), min(current[1] - row, len(ends))
                found += data[starts[first] : ends[last - 1]]
                if current[1] > row + len(ends):
                    break
                yield found
                current, found = next(wanted, None), b""
            row += len(ends)
        while current:
            yield found
            current, found = next(wanted, None), b""


def line_ends(data: bytes, quotes: bool) -> np.ndarray[Any, Any]:
    """Where each line of `data` ends, its line end included; with `quotes` as CSV has them."""
    letters = np.frombuffer(data, np.uint8)
    ends = letters == ord("\n")
    if quotes and b'"' in data:
        ends &= np.cumsum(letters == ord('"')) % 2 == 0
    return np.flatnonzero(ends) + 1


def column_of(path: Path, form: Format, name: str) -> pa.ChunkedArray:
    """One column of a file, whole, as text or typed."""
    if form.name == "parquet":
        return pq.read_table(path, columns=[name])[name]
    if form.name == "arrow":
        stored = _arrow(pa.memory_map(str(path)))
        parts = [stored.read(i).select([name]) for i in range(len(stored.groups))]
        return pa.concat_tables([stored.schema.empty_table().select([name]), *parts])[name]
    with pa.input_stream(str(path)) as stream:  # unpacks by suffix
        if form.name.startswith("jsonl"):
            options = pajson.ParseOptions(
                explicit_schema=pa.schema([(name, pa.string())]), unexpected_field_behavior="ignore"
            )
            return pajson.read_json(stream, parse_options=options)[name]
        mark = "\t" if form.name.startswith("tsv") else ","
        return pacsv.read_csv(
            stream,
            parse_options=pacsv.ParseOptions(delimiter=mark, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                include_columns=[name], column_types={name: pa.string()}, strings_can_be_null=True
            ),
        )[name]
