"""One run at a time in a folder of outputs: two would write over each other's files, and each take
those of the other for its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthvae.errors import UsageError

try:
    import fcntl
except ImportError:  # as on Windows: there it is the user who keeps runs apart
    fcntl = None  # type: ignore[assignment]

NAME = ".synthvae-run.lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold `folder` while the body runs; the kernel lets go of it with the process, however that
    ends. UsageError if another run holds it."""
    if fcntl is None:
        yield
        return
    with (folder / NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                "a pipeline has its folder of outputs to itself, but another `synthvae run` is at "
                f"work in '{folder}'; wait for it, or name another folder under outputs"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
