"""Tables from files: CSV, CSV.gz, TSV and Parquet by suffix, `-` for CSV on standard input."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from synthvae.errors import TableError, UsageError
from synthvae.table import Column, Table, checked, from_arrow

if TYPE_CHECKING:
    import _csv

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet", ".pq")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True)
class Format:
    """What a path's suffix says: `parquet`, or text with a delimiter, gzipped or not."""

    parquet: bool
    delimiter: str = ","
    gzip: bool = False


def format_of(path: str) -> Format:
    """The format that a path's suffix names. UsageError for a suffix that names none."""
    name = path.lower()
    if path == "-":
        return Format(parquet=False)
    if name.endswith((".parquet", ".pq")):
        return Format(parquet=True)
    if not name.endswith(SUFFIXES):
        raise UsageError(
            f"a table's suffix names its format, but '{path}' has none of "
            f"{', '.join(SUFFIXES)}; rename it, or pass '-' for CSV"
        )
    gzip = name.endswith(".gz")
    tab = name.removesuffix(".gz").endswith(".tsv")
    return Format(parquet=False, delimiter="\t" if tab else ",", gzip=gzip)


def check_path(path: str) -> Format:
    """The format of a table that is there. TableError if there is none, UsageError for a suffix
    that names no format."""
    form = format_of(path)
    if path != "-" and not Path(path).is_file():
        state = "is a folder" if Path(path).is_dir() else "does not exist"
        raise TableError(f"a table is a file, but '{path}' {state}; check the path")
    return form


def read_table(path: str) -> Table:
    """Read a whole table. Memory: one int32 a cell, plus the distinct values of each column."""
    form = check_path(path)
    source = "standard input" if path == "-" else f"'{path}'"
    try:
        if form.parquet:
            return from_arrow(_without_index(pq.read_table(path)), source)
        return _read_text(_opener(path, form), form.delimiter, source)
    except (pa.ArrowException, OSError, EOFError, csv.Error, UnicodeDecodeError) as error:
        raise TableError(_why(error, source, form)) from error


def _without_index(table: pa.Table) -> pa.Table:
    """Without the numbers of rows that pandas writes beside columns, under a name of its own."""
    return table.drop_columns([name for name in table.column_names if _INDEX.fullmatch(name)])


def _opener(path: str, form: Format) -> Callable[[], BinaryIO]:
    """A function that opens the text from its start, each time it is called."""
    if path == "-":
        data = sys.stdin.buffer.read()
        return lambda: io.BytesIO(data)
    if form.gzip:
        return lambda: pa.CompressedInputStream(pa.OSFile(path), "gzip")
    return lambda: open(path, "rb")


def _read_text(open_text: Callable[[], BinaryIO], delimiter: str, source: str) -> Table:
    names, lines = _header(open_text, delimiter, source)
    ragged: list[pacsv.InvalidRow] = []

    def skip(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    text = pa.dictionary(pa.int32(), pa.string())
    with open_text() as stream:
        table = pacsv.read_csv(
            stream,
            # One thread, because only then are the numbers of ragged rows known.
            read_options=pacsv.ReadOptions(use_threads=False, column_names=names, skip_rows=lines),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(names) > 1,
                invalid_row_handler=skip,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, text), strings_can_be_null=False
            ),
        )
    if ragged:
        raise TableError(_ragged(ragged, lines, source))
    _refuse_open_quote(table, open_text, delimiter, source)
    table = table.unify_dictionaries()
    columns = [_text_column(n, c) for n, c in zip(names, table.columns, strict=True)]
    return checked(Table(tuple(columns)), source)


def _text_column(name: str, values: pa.ChunkedArray) -> Column:
    if values.num_chunks == 0:
        return Column(name, np.empty(0, np.int32), pa.array([], pa.string()))
    codes = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in values.chunks]
    return Column(name, np.concatenate(codes).astype(np.int32), values.chunk(0).dictionary)


def _header(
    open_text: Callable[[], BinaryIO], delimiter: str, source: str
) -> tuple[list[str], int]:
    """The names, and how many lines they take: a quoted name may hold line ends."""
    with _rows(open_text, delimiter) as rows:
        names = next((row for row in rows if row), [])
        lines = rows.line_num
        mark = _foreign_mark(names, rows, delimiter)
    if not names:
        raise TableError(f"a table has a header and rows, but {source} is empty; check the file")
    if any("\0" in name for name in names):
        raise TableError(_not_utf8(source))
    if mark:
        raise TableError(
            f"columns are separated by a {DELIMITERS[delimiter]}, but the header of {source} has "
            f"none and has a {DELIMITERS[mark]}; convert the file, or use .tsv for tabs"
        )
    if "" in names:
        where = names.index("") + 1
        raise TableError(
            f"every column has a name, but column {where} of {source} has none; name it, "
            "or write the file without its index"
        )
    return names, lines


def _foreign_mark(names: list[str], rows: Iterator[list[str]], delimiter: str) -> str | None:
    """What separates columns instead, if all names and all values of the first row came as one."""
    if len(names) != 1:
        return None
    marks = [mark for mark in DELIMITERS if mark != delimiter and mark in names[0]]
    row = next((row for row in rows if row), names) if marks else names
    return next((mark for mark in marks if mark in row[0]), None)


@contextmanager
def _rows(open_text: Callable[[], BinaryIO], delimiter: str) -> Iterator[_csv.Reader]:
    with open_text() as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        yield csv.reader(text, delimiter=delimiter, strict=True)


def _refuse_open_quote(
    table: pa.Table, open_text: Callable[[], BinaryIO], delimiter: str, source: str
) -> None:
    """TableError if the last value is a quote that is never closed: Arrow reads on in silence, and
    all rows after it are lost in that one value."""
    last = table.slice(max(len(table) - 1, 0)).to_pylist()
    if not any("\n" in text for row in last for text in row.values()):
        return
    try:
        with _rows(open_text, delimiter) as rows:
            deque(rows, maxlen=0)
    except csv.Error as error:
        if "end of data" in str(error):
            raise TableError(_open_quote(source)) from error


def _open_quote(source: str) -> str:
    return f"quotes come in pairs, but {source} has one that is never closed; close or double it"


def _ragged(rows: list[pacsv.InvalidRow], lines: int, source: str) -> str:
    # Arrow counts lines from 1, with those of the header.
    shown = ", ".join(
        f"row {row.number - lines if row.number else '?'} has {row.actual_columns}"
        for row in rows[:5]
    )
    return (
        f"every row has as many values as the header has names ({rows[0].expected_columns}), but "
        f"in {source} {len(rows):,} have not: {shown}; quote values that hold the delimiter"
    )


def _not_utf8(source: str) -> str:
    return (
        f"text is UTF-8, but {source} is not; convert it, for example with "
        "'iconv -f latin1 -t utf-8'"
    )


def _why(error: Exception, source: str, form: Format) -> str:
    words = str(error)
    if "UTF8" in words or isinstance(error, UnicodeDecodeError):
        return _not_utf8(source)
    if "end of data" in words:
        return _open_quote(source)
    if "straddling object" in words:
        return (
            f"a row takes less than 1 MB, but {source} has a longer one; shorten it, or look for a "
            "quote that is never closed"
        )
    if "CSV parse error: Empty CSV file" in words or "Could not skip initial" in words:
        return f"a table has rows, but {source} has a header only; add rows"
    kind = "Parquet" if form.parquet else "gzipped text" if form.gzip else "delimited text"
    return (
        f"{source} is read as {kind} by its suffix, but can't be: {words.splitlines()[0]}; "
        "write it again, or name it by what it is"
    )
