"""What commands that write rows share: where to, as what, and how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthvae.errors import UsageError
from synthvae.files import refuse_overwrite

from .console import Reporter, seconds

if TYPE_CHECKING:
    import pyarrow as pa

    from synthvae.storage import View

Data = Annotated[str, typer.Argument(help="CSV, TSV or Parquet by suffix; - for CSV on stdin.")]
Model = Annotated[Path, typer.Option("-m", "--model", help="A file of 'synthvae fit'.")]
Output = Annotated[
    str, typer.Option("-o", "--output", help="CSV, TSV or Parquet by suffix; - for stdout.")
]
MODEL = Path("model.synthvae")


@dataclass(frozen=True)
class Target:
    """An output that may be written, and what is said while it is."""

    path: str
    view: View
    reporter: Reporter

    @staticmethod
    def of(path: str, force: bool, json: bool, quiet: bool) -> Target:
        """UsageError for an output that can't be one."""
        from synthvae.reading import format_of

        if json and path == "-":
            raise UsageError(
                "stdout takes rows or JSON, but both were asked for; name an output with -o"
            )
        form = format_of(path)
        if path != "-":
            refuse_overwrite(Path(path), force)
        return Target(path, "typed" if form.parquet else "text", Reporter(quiet, json))

    def write(
        self,
        what: str,
        chunks: Iterable[pa.Table],
        schema: pa.Schema,
        rows: int,
        note: Callable[[], str] = str,
    ) -> dict[str, object]:
        """Write `rows` rows, and what there is to say about them; `note` is asked for more while it
        goes on."""
        from synthvae.outputs.record import beside
        from synthvae.writing import as_text, text_schema, write_table

        if self.view == "text":
            chunks, schema = map(as_text, chunks), text_schema(schema)
        started = time.monotonic()
        with self.reporter.progress(what, rows) as bar:

            def watched() -> Iterator[pa.Table]:
                done = 0
                for chunk in chunks:
                    yield chunk
                    done += len(chunk)
                    bar.at(done, note())

            write_table(self.path, watched(), schema)
        if self.path != "-":  # one of another run would tell lies about these rows
            beside(Path(self.path)).unlink(missing_ok=True)
        took = time.monotonic() - started
        speed = f"{rows / took:,.0f} a second"
        self.reporter.say(f"{rows:,} rows in {seconds(took)} ({speed}) -> {self.path}")
        return {"output": self.path, "rows": rows, "seconds": round(took, 3)}
