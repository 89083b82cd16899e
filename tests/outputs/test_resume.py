"""A run that was stopped goes on: nothing whole is drawn again, and the bytes are the same."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synthvae.errors import UsageError
from synthvae.outputs.formats import FORMATS
from synthvae.outputs.shards import Cutter, parts_of, refuse_foreign, write_shards
from synthvae.outputs.single import write_file

PIECE, ROWS, CHUNK = 50, 330, 16
SCHEMA = pa.schema([("n", pa.string()), ("d", pa.dictionary(pa.int32(), pa.string()))])
RUN = {"seed": 1}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthvae.outputs.staging.ROW_GROUP", PIECE)
    monkeypatch.setattr("synthvae.outputs.single.KEEP_FROM", PIECE)


def source(
    asked: list[int], stop_at: int = ROWS + 1, error: type[BaseException] = KeyboardInterrupt
):
    """Rows whose content follows from their number; `asked` are the numbers it was begun at."""
    levels = pa.array(["x", "y", "z"])

    def rows(first: int) -> Iterator[pa.Table]:
        asked.append(first)
        for start in range(first, ROWS, CHUNK):
            numbers = np.arange(start, min(start + CHUNK, ROWS))
            if numbers[-1] >= stop_at:
                raise error()
            codes = pa.array((numbers % 3).astype(np.int32))
            texts = pa.array([f"row {n}" for n in numbers])
            yield pa.table([texts, pa.DictionaryArray.from_arrays(codes, levels)], schema=SCHEMA)

    return rows


Writer = Callable[..., None]


def single(path: Path, form: str, rows, run=RUN, resume: bool = False) -> None:
    write_file(path, FORMATS[form], rows, SCHEMA, ROWS, run, resume)


def shards(path: Path, form: str, rows, run=RUN, resume: bool = False) -> None:
    write_shards(path, FORMATS[form], rows, SCHEMA, ROWS, 100, run, resume)


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(path.iterdir())
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet", "jsonl", "arrow"])
@pytest.mark.parametrize("write", [single, shards])
def test_a_stopped_run_goes_on_to_the_same_bytes(write: Writer, form: str, tmp_path: Path) -> None:
    path, other = tmp_path / "out", tmp_path / "other" / "out"
    other.parent.mkdir()
    write(other, form, source([]))
    with pytest.raises(KeyboardInterrupt):
        write(path, form, source([], stop_at=210, error=KeyboardInterrupt))
    assert not path.exists()
    asked: list[int] = []
    write(path, form, source(asked), resume=True)
    assert asked == [200]
    assert content(path) == content(other)
    assert [p.name for p in tmp_path.glob(".*")] == []


@pytest.mark.parametrize("write", [single, shards])
def test_a_damaged_piece_is_drawn_anew(write: Writer, tmp_path: Path) -> None:
    path = tmp_path / "out"
    write(tmp_path / "whole", "csv", source([]))
    with pytest.raises(KeyboardInterrupt):
        write(path, "csv", source([], stop_at=210, error=KeyboardInterrupt))
    kept = tmp_path / ".out.resume"
    for piece in kept.glob("000002.rows"):
        piece.write_bytes(piece.read_bytes()[:-30])
    asked: list[int] = []
    write(path, "csv", source(asked), resume=True)
    assert asked == [100 if write is single else 200]
    assert list(content(path).values()) == list(content(tmp_path / "whole").values())


@pytest.mark.parametrize("write", [single, shards])
def test_without_resume_a_run_begins_anew(write: Writer, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write(path, "csv", source([], stop_at=210, error=KeyboardInterrupt))
    asked: list[int] = []
    write(path, "csv", source(asked))
    assert asked == [0]


def test_what_was_left_by_another_run_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        single(path, "csv", source([], stop_at=210, error=KeyboardInterrupt))
    with pytest.raises(UsageError, match=r"is of another \(seed differ\)"):
        single(path, "csv", source([]), run={"seed": 2}, resume=True)
    single(path, "csv", source([]), resume=True)


@pytest.mark.parametrize("write", [single, shards])
def test_an_error_leaves_nothing(write: Writer, tmp_path: Path) -> None:
    old = tmp_path / "old"
    write(old, "csv", source([]))
    before = content(old)
    with pytest.raises(OSError, match="full"):
        write(old, "csv", source([], stop_at=210, error=FullDiskError))
    assert content(old) == before
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


class FullDiskError(OSError):
    """A disk that is full."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "full")


def test_parts_hold_the_rows_in_order(tmp_path: Path) -> None:
    shards(tmp_path / "out", "csv", source([]))
    found = [p.read_text().splitlines()[1:] for p in sorted((tmp_path / "out").iterdir())]
    assert [len(lines) for lines in found] == [100, 100, 100, 30]
    assert [line for lines in found for line in lines] == [
        f"row {i},{'xyz'[i % 3]}" for i in range(ROWS)
    ]
    assert [name for name, _ in parts_of(330, 100, FORMATS["csv"])] == sorted(
        content(tmp_path / "out")
    )


def test_only_parts_are_replaced_and_only_if_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    refuse_foreign(out, force=False)
    shards(out, "csv", source([]))
    with pytest.raises(UsageError, match="never overwritten unasked"):
        refuse_foreign(out, force=False)
    refuse_foreign(out, force=True)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds other files, such as 'notes\.txt'"):
        refuse_foreign(out, force=True)
    with pytest.raises(UsageError, match="is a file"):
        refuse_foreign(out / "notes.txt", force=True)


def test_a_cutter_gives_every_row_once() -> None:
    table = pa.table({"n": list(range(40))})
    cutter = Cutter(iter([table.slice(0, 7), table.slice(7, 0), table.slice(7)]))
    taken = [pa.concat_tables(cutter.take(n)).column("n").to_pylist() for n in (3, 10, 27)]
    assert [len(part) for part in taken] == [3, 10, 27]
    assert [n for part in taken for n in part] == list(range(40))
    assert list(cutter.take(1)) == []
