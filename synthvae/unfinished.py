"""What a long work has finished so far, kept until all of it is done: a work that was stopped goes
on where it was, and ends in the same result.

What is kept says something of real rows, so that its owner alone can read it.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthvae.errors import UsageError
from synthvae.files import OWNER, write_bytes

Arrays = Mapping[str, npt.NDArray[Any]]
_FOLDER = 0o700
_KEY = "synthvae-unfinished"  # the file that says whose parts these are


class Unfinished:
    """Parts of a work by name, in a folder of its own. `key`: of all that the result follows from;
    parts that were kept under another key are dropped. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None = None, key: str = "") -> None:
        self._folder, self._key = folder, key
        if folder is not None and folder.exists():
            self._take_up(folder)

    def _take_up(self, folder: Path) -> None:
        mark = folder / _KEY
        if not mark.is_file():
            raise UsageError(
                f"what an audit has finished is kept in a folder of its own, but '{folder}' is "
                "something else; move it"
            )
        if mark.read_text(encoding="utf-8") != self._key:
            shutil.rmtree(folder)

    def once(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """What `make` gives: made now, unless it was before."""
        if self._folder is None:
            return make()
        path = self._folder / f"{name}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as kept:
                return dict(kept)
        made = make()
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **made)
        self._make_folder(self._folder)
        write_bytes(path, stream.getvalue(), OWNER)
        return made

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=_FOLDER, exist_ok=True)  # parts may be finished side by side
        write_bytes(folder / _KEY, self._key.encode(), OWNER)

    def done(self) -> None:
        """All of the work is: nothing is kept any more."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


NOTHING_KEPT = Unfinished()
