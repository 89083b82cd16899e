"""Files read back by row number: any rows, from any format."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthvae.outputs import stored
from synthvae.outputs.formats import FORMATS
from synthvae.outputs.stored import column_of, line_ends, open_stored

TEXTS = [f"{i}" if i % 5 else f'line\n"{i}", two' for i in range(700)]


@pytest.mark.parametrize("how", ["write", "pipe"])
@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_slices_are_the_rows_by_number(form, how: str, tmp_path: Path, monkeypatch) -> None:
    if (write := getattr(form, how)) is None:
        pytest.skip("nothing writes it to a pipe")
    monkeypatch.setattr("synthvae.writing.ROW_GROUP", 64)
    monkeypatch.setattr("synthvae.outputs.formats.ROW_GROUP", 64)
    monkeypatch.setattr(stored, "_BUFFER", 100)
    table = pa.table({"a": TEXTS, "b": pa.array(TEXTS).dictionary_encode()})
    path = tmp_path / f"a{form.suffixes[0]}"
    with path.open("wb") as file:
        write(file, [table], table.schema)
    there = open_stored(path, form)
    assert there.rows() == 700
    ranges = [(0, 1), (60, 70), (70, 129), (300, 301), (640, 690), (690, 710)]
    for (first, last), rows in zip(ranges, there.slices(ranges), strict=True):
        expected = there.rendered(table.slice(first, last - first))
        assert rows == expected if isinstance(rows, bytes) else rows.equals(expected)
    assert column_of(path, form, "a").to_pylist() == TEXTS


@given(st.lists(st.text(st.sampled_from('a,"\n'), max_size=5), min_size=1, max_size=8))
def test_line_ends_in_quotes_are_none(cells: list[str]) -> None:
    lines = [f'"{cell.replace(chr(34), chr(34) * 2)}"\n'.encode() for cell in cells]
    ends = line_ends(b"".join(lines), quotes=True)
    assert ends.tolist() == [len(b"".join(lines[: i + 1])) for i in range(len(lines))]
