"""Tables to files: what is written is read back the same, and the same rows are the same bytes."""

import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae import writing
from synthvae.errors import UsageError
from synthvae.reading import read_table
from synthvae.writing import regroup, write_table

LETTER = st.sampled_from("a7é表 \t;|'") | st.sampled_from(',"\n\r') | st.characters(codec="utf-8")
CELL = st.text(LETTER.filter(lambda letter: letter != "\0"), max_size=6)


def pieces(table: pa.Table, *lengths: int) -> Iterator[pa.Table]:
    """`table` cut into chunks of `lengths`, over and over."""
    start = 0
    while start < len(table):
        for length in lengths:
            yield table.slice(start, length)
            start += length


def ours(path: Path) -> dict[str, list[str]]:
    table = read_table(str(path))
    found = {}
    for column in table.columns:
        texts = column.texts
        found[column.name] = [texts[code] for code in column.codes]
    return found


def theirs(path: Path) -> dict[str, list[str]]:
    delimiter = "\t" if ".tsv" in path.name else ","
    frame = pd.read_csv(path, sep=delimiter, dtype=str, keep_default_na=False)
    return {str(name): frame[name].tolist() for name in frame}


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_text_is_read_back_the_same_by_us_and_by_pandas(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # A lone column whose name and values share a foreign delimiter is taken for a wrong one.
    names = data.draw(st.lists(CELL.filter(str.strip), min_size=2, max_size=3, unique=True))
    rows = data.draw(st.lists(st.tuples(*[CELL] * len(names)), min_size=1, max_size=8))
    columns = {n: [row[i] for row in rows] for i, n in enumerate(names)}
    table = pa.table({n: pa.array(v, pa.string()) for n, v in columns.items()})
    path = tmp_path_factory.getbasetemp() / name
    write_table(str(path), pieces(table, 1, 3), table.schema)
    assert ours(path) == columns
    assert theirs(path) == columns


@pytest.mark.parametrize("column", ["a", "a;b", "a|b", "a,b", 'say "a"', "two\nlines"])
@pytest.mark.parametrize("texts", [["1", "", "2"], ["", ""], ["", "x,y", "NA"], ["x\ny"]])
def test_a_single_column_keeps_its_name_and_missing_values(
    column: str, texts: list[str], tmp_path: Path
) -> None:
    table = pa.table({column: texts})
    for path in (tmp_path / "a.csv", tmp_path / "a.tsv"):
        write_table(str(path), [table], table.schema)
        assert ours(path) == theirs(path) == {column: texts}


def test_a_delimiter_in_all_of_a_single_column_is_no_foreign_one(tmp_path: Path) -> None:
    table = pa.table({"a,b": ["x,y", "1,2"]})
    write_table(str(tmp_path / "a.csv"), [table], table.schema)
    assert ours(tmp_path / "a.csv") == table.to_pydict()


def test_dictionaries_are_written_as_plain_text_is(tmp_path: Path) -> None:
    plain = pa.table({"a": ['x, "y"', "", "z", ""], "b": ["1", "2", "", "4"]})
    packed = pa.table([c.dictionary_encode() for c in plain.columns], plain.column_names)
    for name, table in (("plain.csv", plain), ("packed.csv", packed)):
        write_table(str(tmp_path / name), pieces(table, 3, 1), table.schema)
    assert (tmp_path / "plain.csv").read_bytes() == (tmp_path / "packed.csv").read_bytes()
    assert (tmp_path / "plain.csv").read_text() == 'a,b\n"x, ""y""",1\n,2\nz,\n,4\n'


def rows(count: int) -> pa.Table:
    texts = pa.array([f"text {i % 97}" for i in range(count)])
    return pa.table(
        {
            "n": pa.array([None if i % 11 == 0 else i * 7919 % 1009 for i in range(count)]),
            "t": texts,
            "d": texts.dictionary_encode(),
        }
    )


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz"])
@pytest.mark.parametrize("lengths", [(1,), (7, 100), (250, 6), (1024,), (1300,)])
def test_bytes_do_not_depend_on_how_rows_come_in_chunks(
    name: str, lengths: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROW_GROUP", 256)
    table = rows(1300) if "parquet" in name else rows(1300).select(["t", "d"])
    write_table(str(tmp_path / f"whole.{name}"), [table], table.schema)
    write_table(str(tmp_path / f"cut.{name}"), pieces(table, *lengths), table.schema)
    whole, cut = (tmp_path / f"{n}.{name}" for n in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()


@pytest.mark.parametrize("length", [1000, 3001])
def test_parquet_bytes_of_large_groups_do_not_depend_on_chunks(length: int, tmp_path: Path) -> None:
    table = rows(150_000)
    for name, size in (("whole", 150_000), ("cut", length)):
        write_table(str(tmp_path / f"{name}.parquet"), pieces(table, size), table.schema)
    assert (tmp_path / "whole.parquet").read_bytes() == (tmp_path / "cut.parquet").read_bytes()


def test_parquet_keeps_types_and_values(tmp_path: Path) -> None:
    table = rows(100)
    write_table(str(tmp_path / "a.parquet"), pieces(table, 7), table.schema)
    read = pq.read_table(tmp_path / "a.parquet")
    assert read.schema.equals(table.schema)
    assert read.to_pydict() == table.to_pydict()


@pytest.mark.parametrize("lengths", [(1,), (3,), (4, 0, 5), (10,), (7, 1)])
def test_regrouped_rows_are_the_same_in_tables_of_one_length(lengths: tuple[int, ...]) -> None:
    table = rows(23)
    groups = list(regroup(pieces(table, *lengths), 5))
    assert [len(group) for group in groups] == [5, 5, 5, 5, 3]
    assert pa.concat_tables(groups).to_pydict() == table.to_pydict()


def test_no_chunks_are_a_header(tmp_path: Path) -> None:
    schema = pa.schema([("a,b", pa.string()), ("c", pa.string())])
    for chunks in ([], [schema.empty_table()]):
        write_table(str(tmp_path / "a.csv"), chunks, schema)
        assert (tmp_path / "a.csv").read_text() == '"a,b",c\n'
    write_table(str(tmp_path / "a.parquet"), [], schema)
    assert pq.read_table(tmp_path / "a.parquet").schema.equals(schema)


def test_a_dash_is_csv_on_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    table = pa.table({"a": ["1", "é"], "b": ["", "x"]})
    write_table("-", pieces(table, 1), table.schema)
    assert out.buffer.getvalue().decode() == "a,b\n1,\né,x\n"  # type: ignore[attr-defined]


def test_gzip_holds_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"a": ["1"]})
    for now, name in ((1.0, "one.csv.gz"), (2e9, "two.csv.gz")):
        monkeypatch.setattr("time.time", lambda now=now: now)
        write_table(str(tmp_path / name), [table], table.schema)
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.csv.gz").read_bytes()) == b"a\n1\n"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_a_failure_half_way_leaves_the_old_file(name: str, tmp_path: Path) -> None:
    table = pa.table({"a": ["1", "2"]})
    path = tmp_path / name
    path.write_bytes(b"old")

    def chunks() -> Iterator[pa.Table]:
        yield table
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(str(path), chunks(), table.schema)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a table's suffix names its format"):
        write_table(str(tmp_path / "a.xlsx"), [], pa.schema([("a", pa.string())]))
