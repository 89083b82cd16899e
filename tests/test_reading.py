"""Tables from files: every value as it is written, or an error that says what to do."""

import gzip
import io
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthvae.errors import SynthvaeError, TableError, UsageError
from synthvae.reading import read_table
from synthvae.table import Table

Rows = dict[str, list[str | None]]


def values(table: Table) -> Rows:
    found: Rows = {}
    for column in table.columns:
        texts = [*column.texts, None]
        found[column.name] = [texts[code] for code in column.codes]
    return found


class Folder(NamedTuple):
    path: Path

    def read(self, data: bytes | str, name: str = "table.csv") -> Rows:
        file = self.path / name
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        return values(read_table(str(file)))

    def refused(self, data: bytes | str, name: str = "table.csv") -> str:
        """The one reason for which `data` is no table."""
        with pytest.raises(TableError) as caught:
            self.read(data, name)
        (reason,) = caught.value.reasons
        return reason.replace(f"{self.path}/", "")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def packed(data: bytes) -> bytes:
    """The same bytes at any time: tests are named after them."""
    return gzip.compress(data, mtime=0)


PEOPLE = "id,name\n007,Ann\n008,\n"
EXPECTED: Rows = {"id": ["007", "008"], "name": ["Ann", ""]}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", PEOPLE.encode()),
        ("a.CSV", PEOPLE.encode()),
        ("a.txt", PEOPLE.encode()),
        ("a.tsv", PEOPLE.replace(",", "\t").encode()),
        ("a.csv.gz", packed(PEOPLE.encode())),
        ("a.tsv.gz", packed(PEOPLE.replace(",", "\t").encode())),
        ("two.csv.gz", packed(PEOPLE[:8].encode()) + packed(PEOPLE[8:].encode())),
        ("bom.csv", b"\xef\xbb\xbf" + PEOPLE.encode()),
        ("windows.csv", PEOPLE.replace("\n", "\r\n").encode()),
        ("mac.csv", PEOPLE.replace("\n", "\r").encode()),
        ("blank_first.csv", b"\n\n" + PEOPLE.encode()),
        ("no_last_line_end.csv", PEOPLE.encode()[:-1]),
    ],
)
def test_text_is_read_by_suffix(name: str, data: bytes, folder: Folder) -> None:
    assert folder.read(data, name) == EXPECTED


@pytest.mark.parametrize("suffix", ["parquet", "pq"])
def test_parquet_is_read_by_suffix(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    pq.write_table(pa.table({"id": ["007", "008"], "n": [1, None]}), path)
    table = read_table(str(path))
    assert values(table) == {"id": ["007", "008"], "n": ["1", None]}
    assert [column.storage for column in table.columns] == ["string", "int64"]


def test_the_index_that_pandas_writes_without_a_name_is_no_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1, 2, 3]}, index=[7, 8, 9])
    frame.to_parquet(tmp_path / "a.parquet")
    assert "__index_level_0__" in pq.read_schema(tmp_path / "a.parquet").names
    assert read_table(str(tmp_path / "a.parquet")).names == ("n",)


def test_a_dash_is_csv_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PEOPLE.encode())))
    assert values(read_table("-")) == EXPECTED


def test_quoted_delimiters_quotes_and_line_ends_survive(folder: Folder) -> None:
    text = 'a,b\n"x, ""y""\nz",é\n"\r\n","  "\nNA,"NA"\n'
    assert folder.read(text) == {"a": ['x, "y"\nz', "\r\n", "NA"], "b": ["é", "  ", "NA"]}


@pytest.mark.parametrize(
    "name", ["a,b", 'say "a"', "two\nlines", "two\r\nlines", " a ", "größe 表"]
)
@pytest.mark.parametrize("blank", ["", "\n"])
def test_any_column_name_is_read(name: str, blank: str, folder: Folder) -> None:
    quoted = name.replace('"', '""')
    assert folder.read(f'{blank}"{quoted}",b\n1,2\n3,4\n') == {name: ["1", "3"], "b": ["2", "4"]}


def test_a_wide_header_is_read_whole(folder: Folder) -> None:
    names = [f"column number {i} of a wide table" for i in range(4000)]
    read = folder.read(",".join(names) + "\n" + ",".join(map(str, range(4000))) + "\n")
    assert read == {name: [str(i)] for i, name in enumerate(names)}


def test_in_a_single_column_an_empty_line_is_a_missing_value(folder: Folder) -> None:
    assert folder.read('a\n1\n\n""\n2\n') == {"a": ["1", "", "", "2"]}


def test_values_are_the_same_whatever_block_of_the_file_they_stand_in(folder: Folder) -> None:
    """Arrow reads text in blocks of 1 MB, with a dictionary for each."""
    numbers = [str(i * 7919 % 100_003) for i in range(200_000)]
    table = folder.read("n,t\n" + "".join(f"{n},row {n}\n" for n in numbers))
    assert table == {"n": numbers, "t": [f"row {n}" for n in numbers]}


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_refused(name: str, data: bytes, folder: Folder) -> None:
    content = packed(data) if name.endswith("gz") and data else data
    assert folder.refused(content, name) == (
        f"a table has a header and rows, but '{name}' is empty; check the file"
    )


@pytest.mark.parametrize("data", ["a,b\n", "a,b", "a,b\n\n"])
def test_a_header_alone_is_refused(data: str, folder: Folder) -> None:
    assert folder.refused(data) == "a table has rows, but 'table.csv' has a header only; add rows"


def test_duplicate_names_are_refused(folder: Folder) -> None:
    assert "'table.csv' has these twice: ['a', 'c']; rename" in folder.refused(
        "c,a,b,a,c,a\n1,2,3,4,5,6\n"
    )


def test_a_column_without_a_name_is_refused(folder: Folder) -> None:
    assert "column 1 of 'table.csv' has none; name it" in folder.refused(",a\n0,1\n")


@pytest.mark.parametrize(
    ("before", "good"),
    [
        ("a,b\n", "1,2\n"),
        ("a,b\r\n", "1,2\r\n"),
        ("\n\na,b\n", "1,2\n"),
        ('"a\nx",b\n', "1,2\n"),
        ("a,b\n", '"1\n1\n1",2\n'),
        ('"a\n\nx",b\n', '"1\n1",2\n'),
    ],
)
def test_ragged_rows_are_counted_and_named_by_number(
    before: str, good: str, folder: Folder
) -> None:
    """Row numbers count rows of the table, from 1: neither the header nor quoted line ends."""
    reason = folder.refused(before + good * 2 + "x\n" + good + "x,y,z\n" + good)
    assert "as the header has names (2), but in 'table.csv' 2 have not" in reason
    assert "row 3 has 1, row 5 has 3; quote" in reason


def test_ragged_rows_are_numbered_rightly_far_down(folder: Folder) -> None:
    reason = folder.refused("a,b\n" + "1,2\n" * 600_000 + "1\n" + "1,2\n" * 3 + "1,2,3\n")
    assert "row 600001 has 1, row 600005 has 3" in reason


def test_of_many_ragged_rows_the_first_five_are_shown(folder: Folder) -> None:
    reason = folder.refused("a,b\n1,2\n" + "1\n" * 2000)
    assert "2,000 have not" in reason
    assert "row 6 has 1; quote" in reason
    assert "row 7" not in reason


@pytest.mark.parametrize(
    ("mark", "name", "words"),
    [
        (
            ";",
            "a.csv",
            "separated by a comma, but the header of 'a.csv' has none and has a semicol",
        ),
        ("\t", "a.csv", "separated by a comma, but the header of 'a.csv' has none and has a tab"),
        ("|", "a.txt", "separated by a comma, but the header of 'a.txt' has none and has a bar"),
        (",", "a.tsv", "separated by a tab, but the header of 'a.tsv' has none and has a comma"),
    ],
)
def test_the_wrong_delimiter_is_named(mark: str, name: str, words: str, folder: Folder) -> None:
    assert words in folder.refused(f"x{mark}y\n1{mark}2\n", name)


@pytest.mark.parametrize(
    "data",
    [
        "a,b\nnaïve,2\n".encode("latin-1"),
        "naïve,b\n1,2\n".encode("latin-1"),
        b"a,b\n" + b"1,2\n" * 50_000 + b"\xff,2\n",
        "a,b\n1,2\n".encode("utf-16"),
        "a,b\n1,2\n".encode("utf-16-le"),
        "a,b\n1,2\n".encode("utf-16-be"),
        b"\x80\x81\x82",
    ],
)
def test_another_encoding_is_named(data: bytes, folder: Folder) -> None:
    reason = folder.refused(data)
    assert reason.startswith("text is UTF-8, but 'table.csv' is not; convert it")


@pytest.mark.parametrize(
    "data", ['a,"b\n1,2\n', 'a,b\n1,"2\n3,4\n5,6\n', 'a,b\n"x\ny",2\n1,"2\n3,4', 'a\n1\n"2\n3\n']
)
def test_a_quote_that_is_never_closed_does_not_swallow_rows(data: str, folder: Folder) -> None:
    assert "has one that is never closed" in folder.refused(data)


def test_a_line_end_in_the_last_value_is_no_open_quote(folder: Folder) -> None:
    assert folder.read('a,b\n1,"2\n3"\n') == {"a": ["1"], "b": ["2\n3"]}


def test_a_row_longer_than_a_block_is_refused(folder: Folder) -> None:
    reason = folder.refused('a,b\n1,"' + "x" * 3_000_000 + '"\n')
    assert "a row takes less than 1 MB, but 'table.csv' has a longer one" in reason


PACKED = packed(("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(9000))).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"no gzip at all",
        PACKED[:-100],
        PACKED[:-3],
        PACKED[:500] + b"\0\1\2" + PACKED[503:],
        PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:],
    ],
)
def test_corrupt_gzip_is_refused(data: bytes, folder: Folder) -> None:
    reason = folder.refused(data, "a.csv.gz")
    assert reason.startswith("'a.csv.gz' is read as gzipped text by its suffix, but can't be: ")


def parquet(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


WHOLE = parquet(pd.DataFrame({"a": range(1000), "b": [f"text {i}" for i in range(1000)]}))


@pytest.mark.parametrize(
    "data", [b"", b"PAR1 and nothing more", WHOLE[:-20], WHOLE[:200] + b"\xff" * 900 + WHOLE[1100:]]
)
def test_corrupt_parquet_is_refused(data: bytes, folder: Folder) -> None:
    reason = folder.refused(data, "a.parquet")
    assert reason.startswith("'a.parquet' is read as Parquet by its suffix, but can't be: ")
    assert "\n" not in reason


def test_nested_parquet_columns_are_all_named(folder: Folder) -> None:
    frame = pd.DataFrame({"ok": [1], "list": [[1, 2]], "struct": [{"x": 1}], "bytes": [b"x"]})
    with pytest.raises(TableError) as caught:
        folder.read(parquet(frame), "a.parquet")
    reasons = caught.value.reasons
    assert [reason.split("'")[1] for reason in reasons] == ["list", "struct", "bytes"]
    assert "but this one is of type list<" in reasons[0]
    assert all(reason.endswith("convert it or leave it out") for reason in reasons)


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.zip", "a.json"])
def test_an_unknown_suffix_is_a_usage_error(name: str, folder: Folder) -> None:
    with pytest.raises(UsageError, match=r"has none of \.csv, \.csv\.gz.*; rename it"):
        folder.read(PEOPLE, name)


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet", "missing.csv.gz", "."])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(SynthvaeError) as caught:
        read_table(str(tmp_path / name))
    words = "does not exist; check the path" if name != "." else "has none of .csv"
    assert words in str(caught.value)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TableError, match=r"a table is a file, but '.*folder\.csv'"):
        read_table(str(tmp_path / "folder.csv"))
