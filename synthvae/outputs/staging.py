"""What an interrupted run leaves behind, so that another one can go on: a folder beside the output.

Rows are functions of the model, the seed and their number, so a run is resumed by keeping what is
whole and drawing the rest. Nothing of the folder outlives a run that ends, well or not, but for one
that was stopped.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthvae.errors import UsageError
from synthvae.files import sync_folder, write_bytes
from synthvae.writing import ROW_GROUP, regroup

Source = Callable[[int], Iterator[pa.Table]]
"""Rows from the one of this number on, in chunks."""

KEEP_FROM = 4 * ROW_GROUP
"""Rows: of a shorter run nothing is kept, since it is drawn anew in seconds."""

_RUN = "run.json"


class Staging:
    """The folder `.NAME.resume` beside `output`, and the run that works in it: `run` is plain JSON,
    all that shapes the bytes of the output."""

    def __init__(self, output: Path, run: Mapping[str, Any]) -> None:
        self.output, self.run = output, run
        self.folder = output.with_name(f".{output.name}.resume")

    @contextmanager
    def working(self, resume: bool, lasting: bool) -> Iterator[Path]:
        """The folder, as it was left if `resume`, else empty. It is gone afterwards, unless the run
        was stopped (Ctrl-C, kill) and is `lasting`: worth going on with. UsageError if what was
        left is of another run."""
        if not (resume and self._is_left()):
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            write_bytes(self.folder / _RUN, json.dumps(self.run, sort_keys=True).encode())
        try:
            yield self.folder
        except KeyboardInterrupt:
            if not lasting:
                shutil.rmtree(self.folder, ignore_errors=True)
            raise
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        shutil.rmtree(self.folder, ignore_errors=True)

    def _is_left(self) -> bool:
        try:
            left = json.loads((self.folder / _RUN).read_bytes())
        except (OSError, ValueError):
            return False
        now = json.loads(json.dumps(self.run))
        differ = sorted(key for key in {*left, *now} if left.get(key) != now.get(key))
        if differ:
            raise UsageError(
                f"--resume goes on with the same run, but what was left in '{self.folder}' is of "
                f"another ({', '.join(differ)} differ); run as before, or without --resume"
            )
        return True

    def release(self, made: Path) -> None:
        """`made`, a file or folder in the staging folder, becomes the output."""
        os.replace(made, self.output)
        sync_folder(self.output.parent)


class Pieces:
    """The rows of a run for one file, in Arrow files of `ROW_GROUP` rows: kept ones are read, the
    others drawn and kept. Costs some disk and a few percent of the time; a resumed run writes its
    file from the first byte on, so that its bytes are those of a run without a break."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.folder, self.schema = folder, schema

    def rows(self, source: Source) -> Iterator[pa.Table]:
        """All rows of the run, in tables of `ROW_GROUP` rows (the last may be shorter)."""
        number = 0
        while (piece := self._read(number)) is not None:
            yield piece
            number += 1
        for piece in regroup(source(number * ROW_GROUP), ROW_GROUP):
            self._keep(number, piece)
            yield piece
            number += 1

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.rows"

    def _keep(self, number: int, piece: pa.Table) -> None:
        # No fsync: a file that a power cut left unwhole is found out when it is read.
        beside = self.folder / "next.rows"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            pa.OSFile(str(beside), "wb") as sink,
            pa.ipc.new_file(sink, self.schema, options=options) as writer,
        ):
            writer.write_table(piece.unify_dictionaries().combine_chunks())
        beside.replace(self._path(number))

    def _read(self, number: int) -> pa.Table | None:
        """The piece, if it is there and whole: only then is it a full one."""
        try:
            with pa.OSFile(str(self._path(number))) as file:
                piece = pa.ipc.open_file(file).read_all()
        except (OSError, pa.ArrowException):
            return None
        return piece if len(piece) == ROW_GROUP and piece.schema == self.schema else None
