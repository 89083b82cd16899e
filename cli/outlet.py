"""Where `synthvae sample` writes to: the flags, what is refused, and what is left beside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthvae.errors import UsageError

from .console import Reporter, seconds

if TYPE_CHECKING:
    from synthvae.delivery import Draws
    from synthvae.outputs.places import Place
    from synthvae.requests import Request

Sink = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        help="A file: csv, tsv, jsonl (each also .gz), parquet or arrow by suffix. A folder/ of "
        "parts. A database's URL, with --table. - for stdout.",
    ),
]
FormatName = Annotated[
    str | None, typer.Option("--format", help="For stdout and folders.", show_default="by suffix")
]
RowsPerFile = Annotated[
    int | None,
    typer.Option(min=1, help="Write a folder of parts of so many rows.", show_default="1000000"),
]
TableName = Annotated[str | None, typer.Option("--table", help="The table of a database.")]
ResumeRun = Annotated[
    bool, typer.Option("--resume", help="Go on with a run of this output that was stopped.")
]
ManifestFile = Annotated[
    Path | None,
    typer.Option(
        help="Where the note of what was made, and how, is written.",
        show_default="beside the output",
    ),
]
NoManifest = Annotated[bool, typer.Option("--no-manifest", help="Write no such note.")]
Timestamp = Annotated[bool, typer.Option("--timestamp", help="Note the time in the manifest.")]


@dataclass(frozen=True)
class Outlet:
    """An output that may be written, and the manifest beside it."""

    place: Place
    manifest: Path | None
    reporter: Reporter
    resume: bool
    timestamp: bool

    @staticmethod
    def of(
        output: str,
        format: str | None,
        per_file: int | None,
        table: str | None,
        manifest: Path | None,
        no_manifest: bool,
        timestamp: bool,
        resume: bool,
        force: bool,
        json: bool,
        quiet: bool,
    ) -> Outlet:
        """UsageError for an output that can't be one, or that may not be overwritten."""
        if json and output == "-":
            raise UsageError(
                "stdout takes rows or JSON, but both were asked for; name an output with -o"
            )
        place = _place(output, table, format, per_file)
        if resume and place.path is None:
            raise UsageError(
                "files are resumed, but --resume is given for a pipe or database, which keeps "
                "nothing of a run that was stopped; leave --resume out"
            )
        place.refuse(force)
        noted = _noted(place, manifest, no_manifest, force or resume)
        return Outlet(place, noted, Reporter(quiet, json), resume, timestamp)

    def write(
        self,
        drawer: Draws,
        request: Request,
        threads: int | None,
        note: Callable[[], str] = str,
    ) -> dict[str, Any]:
        """Draw and write all rows and the manifest; what there is to say for programs. `note` is
        asked for more to say while it goes on."""
        from synthvae.delivery import deliver

        started = time.monotonic()
        with self.reporter.progress("sampling", request.rows) as bar:

            def watch(done: int) -> None:
                bar.at(done, note())

            files = deliver(drawer, request, self.place, self.resume, threads, watch)
        took = time.monotonic() - started
        name = self.place.words
        speed = f"{request.rows / took:,.0f} a second"
        self.reporter.say(f"{request.rows:,} rows in {seconds(took)} ({speed}) -> {name}")
        self._note(drawer, request, files)
        noted = {"manifest": str(self.manifest)} if self.manifest else {}
        return {"output": name, "rows": request.rows, "seconds": round(took, 3), **noted}

    def _note(self, drawer: Draws, request: Request, files: Any) -> None:
        from synthvae import manifest

        if self.manifest is None:
            if self.place.manifest is not None:  # one of another run would lie about these rows
                self.place.manifest.unlink(missing_ok=True)
            return
        stated = drawer.statement(request)
        if self.timestamp:
            stated["created"] = datetime.now(UTC).isoformat(timespec="seconds")
        manifest.write(self.manifest, stated, self.place.describe(), files)


def _place(output: str, table: str | None, format: str | None, per_file: int | None) -> Place:
    """What `output` names: a database, a pipe, a folder or a file."""
    from synthvae.outputs import database, places

    if database.is_url(output):
        return database.place_in(output, table, format, per_file)
    if table is not None:
        raise UsageError(
            f"--table names the table of a database, but '{output}' is none; pass a URL such as "
            "sqlite:///rows.db, or leave --table out"
        )
    return places.place_of(output, format, per_file)


def _noted(place: Place, manifest: Path | None, without: bool, force: bool) -> Path | None:
    """Where the manifest goes, if there is to be one."""
    from synthvae.files import refuse_overwrite

    if without and manifest is not None:
        raise UsageError(
            "a manifest is written or not, but --manifest and --no-manifest are both given; "
            "leave one out"
        )
    path = None if without else manifest or place.manifest
    if path is not None:
        refuse_overwrite(path, force)
    return path
