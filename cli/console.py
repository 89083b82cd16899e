"""Words go to stderr, data to stdout; progress shows on a terminal only, and from a second on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def drop(stream: TextIO) -> None:
    """What is still buffered goes nowhere: Python would try, and complain, once more at exit."""
    with suppress(OSError, ValueError):  # a captured stream has no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Words(Console):
    """Lines for people. If nobody reads them any more, the work goes on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        drop(sys.stderr)


words = Words(stderr=True, highlight=False, soft_wrap=True)
_WIDE = 110


class Paper(Console):
    """Tables on stdout: as wide as the terminal, and wide enough in a file or pipe."""

    def __init__(self) -> None:
        super().__init__(highlight=False)
        if not self.is_terminal:
            self.width = _WIDE

    def on_broken_pipe(self) -> None:
        """As with other output: the reader has seen enough."""
        raise


Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the output if it exists.")]
Threads = Annotated[
    int | None,
    typer.Option(min=1, help="Cores to use; the result is the same.", show_default="all"),
]


class Reporter:
    """What a command says while it works, and what it leaves on stdout."""

    def __init__(self, quiet: bool, as_json: bool) -> None:
        self.quiet, self.as_json = quiet, as_json

    def say(self, text: str) -> None:
        """One line for people."""
        if not self.quiet:
            words.print(text, markup=False)

    def result(self, data: Mapping[str, Any]) -> None:
        """The outcome for programs, where --json asks for it."""
        if self.as_json:
            sys.stdout.write(json.dumps(data, indent=2) + "\n")

    @contextmanager
    def progress(self, what: str, total: float) -> Iterator[Bar]:
        """A bar with the time that is left."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        shown = not self.quiet and words.is_terminal
        with Progress(*columns, console=words, transient=True, disable=not shown) as progress:
            yield Bar(progress, progress.add_task(what, total=total, note=""))


class Bar:
    """One line of progress."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def at(self, done: float, note: str = "") -> None:
        self._progress.update(self._task, completed=done, note=note)


def seconds(value: float) -> str:
    """'3.2 s', '1 min 20 s'."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def one_core_each() -> None:
    """scikit-learn's trees gain nothing from a second core on tables of this size. Its threads spin
    while they wait: ten times as long where another process has a core; and told to sleep instead,
    three times as long where none has. What can run side by side does so by itself."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
