"""What was written: names, sizes and hashes of files."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Written:
    """One file of an output: its name within the folder, its rows and bytes, and their SHA-256 in
    hexadecimals."""

    name: str
    rows: int
    bytes: int
    sha256: str

    @staticmethod
    def of(path: Path, rows: int) -> Written:
        return Written(path.name, rows, path.stat().st_size, hash_of(path))


def beside(output: Path) -> Path:
    """Where the manifest of `output` stands."""
    return output.with_name(f"{output.name}.manifest.json")


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimals."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Hashing(io.RawIOBase):
    """Passes bytes on to `stream` and hashes them on the way."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.bytes = stream, 0
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = memoryview(data).nbytes
        self.stream.write(data)
        self.digest.update(data)
        self.bytes += count
        return count
