"""A folder of parts, each a whole file of the same number of rows: part-00000.parquet, ..."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthvae.errors import UsageError
from synthvae.files import atomic
from synthvae.outputs.formats import Format
from synthvae.outputs.staging import Source, Staging

ROWS_PER_FILE = 1_000_000
_PART = re.compile(r"part-\d{5,}\.[a-z.]+")


def parts_of(rows: int, per_file: int, form: Format) -> list[tuple[str, int]]:
    """Names of the parts, and the rows of each. There is one at least."""
    starts = range(0, max(rows, 1), per_file)
    return [
        (f"part-{number:05d}{form.suffixes[0]}", min(per_file, rows - start))
        for number, start in enumerate(starts)
    ]


def write_shards(
    folder: Path,
    form: Format,
    source: Source,
    schema: pa.Schema,
    rows: int,
    per_file: int,
    run: Mapping[str, Any],
    resume: bool = False,
) -> None:
    """Write the `rows` rows of `source` to `folder`, which appears whole or not at all and takes
    the place of an older one. With `resume` parts that a stopped run of the same left are kept."""
    staging, parts = Staging(folder, run), parts_of(rows, per_file, form)
    with staging.working(resume, lasting=len(parts) > 1) as work:
        made = work / "parts"
        made.mkdir(exist_ok=True)
        whole = next((i for i, (name, _) in enumerate(parts) if not (made / name).exists()), None)
        if whole is not None:
            stream = Cutter(source(whole * per_file))
            for name, count in parts[whole:]:
                with atomic(made / name) as file:
                    form.write(file, stream.take(count), schema)
        for left in made.glob(".*"):  # of a part that was being written when the run was killed
            left.unlink()
        if folder.exists():
            folder.rename(work / "old")
        staging.release(made)


class Cutter:
    """A stream of rows, cut where it is asked for."""

    def __init__(self, chunks: Iterator[pa.Table]) -> None:
        self.chunks = chunks
        self.rest: pa.Table | None = None

    def take(self, rows: int) -> Iterator[pa.Table]:
        """The next `rows` rows, fewer at the end of the stream."""
        while rows > 0:
            chunk = self.rest if self.rest is not None else next(self.chunks, None)
            if chunk is None:
                return
            yield chunk.slice(0, rows)
            self.rest = chunk.slice(rows) if len(chunk) > rows else None
            rows -= len(chunk)


def refuse_foreign(folder: Path, force: bool) -> None:
    """UsageError if `folder` exists and the user didn't say --force, or if anything but parts is in
    it: that is not ours to replace."""
    if not folder.parent.is_dir():
        raise UsageError(
            f"an output goes into an existing folder, but '{folder.parent}' is none; create it "
            "first"
        )
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(
            f"parts go into a folder, but '{folder}' is a file; choose another name, or leave "
            "--rows-per-file out"
        )
    foreign = sorted(p.name for p in folder.iterdir() if not _PART.fullmatch(p.name))
    if foreign:
        raise UsageError(
            f"a folder of parts is written as a whole, but '{folder}' holds other files, such as "
            f"'{foreign[0]}'; name a new folder"
        )
    if any(folder.iterdir()) and not force:
        raise UsageError(
            f"outputs are never overwritten unasked, but '{folder}' holds parts; "
            "pass --force or choose another name"
        )
