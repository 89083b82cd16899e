"""Where an output goes, decided once from what the user named: a file, a folder, a pipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from synthvae.errors import UsageError
from synthvae.files import refuse_overwrite
from synthvae.outputs.formats import FORMATS, Format, by_suffix, named, of
from synthvae.outputs.record import Hashing, Written, beside
from synthvae.outputs.shards import ROWS_PER_FILE, parts_of, refuse_foreign, write_shards
from synthvae.outputs.single import write_file
from synthvae.outputs.staging import Source

PIPE = "-"


class Place(Protocol):
    """One kind of output."""

    @property
    def form(self) -> Format: ...

    @property
    def path(self) -> Path | None:
        """The file or folder, if it is one."""
        ...

    @property
    def manifest(self) -> Path | None:
        """Where its manifest stands: beside a file, if there is one."""
        ...

    @property
    def words(self) -> str:
        """The output, for people."""
        ...

    def refuse(self, force: bool) -> None:
        """UsageError if nothing can or may be written there."""
        ...

    def describe(self) -> dict[str, Any]:
        """What kind of output it is, for a manifest."""
        ...

    def write(
        self, source: Source, schema: pa.Schema, rows: int, run: Mapping[str, Any], resume: bool
    ) -> list[Written]:
        """Write all rows, whole or not at all."""
        ...


@dataclass(frozen=True)
class _OnDisk:
    path: Path
    form: Format

    @property
    def manifest(self) -> Path:
        return beside(self.path)

    @property
    def words(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class OneFile(_OnDisk):
    """A file."""

    def refuse(self, force: bool) -> None:
        refuse_overwrite(self.path, force)

    def describe(self) -> dict[str, Any]:
        return {"kind": "file", "format": self.form.name}

    def write(
        self, source: Source, schema: pa.Schema, rows: int, run: Mapping[str, Any], resume: bool
    ) -> list[Written]:
        write_file(self.path, self.form, source, schema, rows, run, resume)
        return [Written.of(self.path, rows)]


@dataclass(frozen=True)
class Parts(_OnDisk):
    """A folder of files of `per_file` rows."""

    per_file: int

    def refuse(self, force: bool) -> None:
        refuse_foreign(self.path, force)

    def describe(self) -> dict[str, Any]:
        return {"kind": "parts", "format": self.form.name, "rows_per_file": self.per_file}

    def write(
        self, source: Source, schema: pa.Schema, rows: int, run: Mapping[str, Any], resume: bool
    ) -> list[Written]:
        write_shards(self.path, self.form, source, schema, rows, self.per_file, run, resume)
        parts = parts_of(rows, self.per_file, self.form)
        return [Written.of(self.path / name, count) for name, count in parts]


@dataclass(frozen=True)
class Pipe:
    """Standard output."""

    form: Format
    path: None = None
    manifest: None = None
    words: str = PIPE

    def refuse(self, force: bool) -> None:
        if self.form.pipe is None:
            piped = ", ".join(name for name, form in FORMATS.items() if form.pipe)
            raise UsageError(
                f"a pipe takes {piped}, but {self.form.name} was asked for, which is read from its "
                "end; name a file with -o"
            )

    def describe(self) -> dict[str, Any]:
        return {"kind": "pipe", "format": self.form.name}

    def write(
        self, source: Source, schema: pa.Schema, rows: int, run: Mapping[str, Any], resume: bool
    ) -> list[Written]:
        assert self.form.pipe is not None
        hashing, chunks = Hashing(sys.stdout.buffer), source(0)
        first = list(islice(chunks, 1))  # what was asked for in vain shows before the header does
        self.form.pipe(hashing, chain(first, chunks), schema)  # type: ignore[arg-type]
        sys.stdout.buffer.flush()
        return [Written(PIPE, rows, hashing.bytes, hashing.digest.hexdigest())]


def place_of(path: str, format: str | None, per_file: int | None) -> Place:
    """The place that `path` names. UsageError for a suffix, format or number that fits none."""
    if path == PIPE:
        if per_file is not None:
            raise UsageError(
                "parts go into a folder, but --rows-per-file is given with stdout; name a folder "
                "with -o"
            )
        return Pipe(of(path, format))
    if per_file is None and not path.endswith("/"):
        return OneFile(Path(path), of(path, format))
    form = of(path, format) if by_suffix(path) else named(format or "parquet")
    return Parts(Path(path), form, per_file or ROWS_PER_FILE)
