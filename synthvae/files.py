"""Nothing is half-written: write beside, fsync, rename."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from synthvae.errors import UsageError


def refuse_overwrite(path: Path, force: bool) -> None:
    """UsageError if `path` exists and the user didn't say --force, or can't be a file at all."""
    if path.is_dir():
        raise UsageError(f"an output is a file, but '{path}' is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(
            f"an output goes into an existing folder, but '{path.parent}' is none; create it first"
        )
    if path.exists() and not force:
        raise UsageError(
            f"outputs are never overwritten unasked, but '{path}' exists; "
            "pass --force or choose another name"
        )


def refuse_places(paths: Sequence[Path | None], force: bool) -> None:
    """`refuse_overwrite` for every output that was asked for; UsageError if two are one file."""
    given = [path for path in paths if path is not None]
    for path in given:
        refuse_overwrite(path, force)
    if len(set(given)) < len(given):
        raise UsageError("each output has a file of its own, but two have the same; rename one")


OWNER = 0o600
"""For its owner's eyes only."""


@contextmanager
def atomic(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """A binary file that appears under `path` whole, or not at all; with the permissions `mode`
    from its first moment, by default those that any new file would have."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, 0o666 & ~_umask() if mode is None else mode)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove `path`, if it is there, and what a process that was killed has left of it."""
    for left in (path, *path.parent.glob(f".{glob.escape(path.name)}.*.part")):
        left.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write `data` to `path` atomically."""
    with atomic(path, mode) as stream:
        stream.write(data)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time reads and writes `path`; others wait, by a lock file that stays beside
    it. Where the system has no such locks nobody waits."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(path.with_name(f".{path.name}.lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Names that appeared in `folder` outlive a power cut."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
