"""One file, that a stopped run can go on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthvae.files import atomic
from synthvae.outputs.formats import Format
from synthvae.outputs.staging import KEEP_FROM, Pieces, Source, Staging


def write_file(
    path: Path,
    form: Format,
    source: Source,
    schema: pa.Schema,
    rows: int,
    run: Mapping[str, Any],
    resume: bool = False,
) -> None:
    """Write the `rows` rows of `source` to `path`, whole or not at all. `run`: all that shapes the
    bytes, as JSON; with `resume` rows that a stopped run of the same kept are not drawn again."""
    staging, lasting = Staging(path, run), rows >= KEEP_FROM
    with staging.working(resume, lasting) as folder:
        chunks = Pieces(folder, schema).rows(source) if lasting else source(0)
        with atomic(folder / "output") as stream:
            form.write(stream, chunks, schema)
        staging.release(folder / "output")
