"""Names and suffixes of formats, and bytes that don't depend on how rows come."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest

from synthvae.errors import UsageError
from synthvae.outputs import formats
from synthvae.outputs.formats import FORMATS, of


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_each_suffix_names_its_format(form: formats.Format) -> None:
    for suffix in form.suffixes:
        assert of(f"some.folder/rows{suffix.upper()}", None) is form
    assert of("rows", form.name) is form


def test_what_contradicts_or_is_unknown_is_refused() -> None:
    with pytest.raises(UsageError, match="is csv by its suffix and --format asks for jsonl"):
        of("a.csv", "jsonl")
    with pytest.raises(UsageError, match="did you mean 'parquet'"):
        of("-", "parket")
    with pytest.raises(UsageError, match="a table's suffix names its format"):
        of("a.xlsx", None)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_bytes_do_not_depend_on_chunks(form: formats.Format, monkeypatch) -> None:
    monkeypatch.setattr("synthvae.outputs.formats.ROW_GROUP", 256)
    monkeypatch.setattr("synthvae.writing.ROW_GROUP", 256)
    texts = pa.array([f"text {i % 7}" for i in range(1000)])
    table = pa.table({"a": texts, "b": texts.dictionary_encode()})
    for write in (form.write, form.pipe or form.write):
        found = set()
        for size in (1000, 300, 7):
            out = io.BytesIO()
            write(out, (table.slice(i, size) for i in range(0, 1000, size)), table.schema)
            found.add(out.getvalue())
        assert len(found) == 1


def test_arrow_on_a_pipe_is_the_streaming_format() -> None:
    table = pa.table({"a": ["x", "y"]})
    out = io.BytesIO()
    assert FORMATS["arrow"].pipe is not None
    FORMATS["arrow"].pipe(out, [table], table.schema)
    assert pa.ipc.open_stream(out.getvalue()).read_all().equals(table)
