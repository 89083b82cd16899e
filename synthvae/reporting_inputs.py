"""What a report is made of: tables by path, the model file, what other commands wrote.

With a model, the holdout are the rows that its fit left out, and rows are drawn if none are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthvae import holdout as holdouts
from synthvae import metadata as metadatas
from synthvae.comparison import same_columns
from synthvae.detect import detect
from synthvae.errors import TableError, UsageError
from synthvae.reading import read_table
from synthvae.report import evidence as written
from synthvae.report.content import Evidence
from synthvae.schema import Schema, resolve
from synthvae.seeds import stream
from synthvae.sources import Sources, sides_of
from synthvae.table import Table, from_arrow

if TYPE_CHECKING:
    from synthvae.artifact import Artifact

STAND_IN = 0.2  # of the real rows, where no holdout is given
MOST_DRAWN = 100_000
FEWEST_DRAWN = 1000  # of a private model, whose own number of rows is a noisy one


@dataclass(frozen=True)
class Asked:
    """What `synthvae report` was asked for. `command`: how, for the record."""

    real: str
    holdout: str | None = None
    synthetic: str | None = None
    model: Path | None = None
    metadata: Path | None = None
    target: str | None = None
    missing: tuple[str, ...] = ()
    audit: Path | None = None
    check: Path | None = None
    log: Path | None = None
    certificate: Path | None = None
    seed: int = 0
    threads: int | None = None
    command: str = "synthvae report"

    def validate(self) -> None:
        """UsageError if there is nothing to report on."""
        if self.model is None and self.synthetic is None:
            raise UsageError(
                "a report is on synthetic rows, or on a model that draws them, but neither is "
                "given; add --synthetic or -m"
            )


@dataclass(frozen=True)
class Trio:
    """Three tables with the same columns. `stood_in`: no holdout was given, and some of the real
    rows stand in for it."""

    real: Table
    holdout: Table
    synthetic: Table
    schema: Schema
    stood_in: bool

    @property
    def tables(self) -> Mapping[str, Table]:
        return {"real": self.real, "holdout": self.holdout, "synthetic": self.synthetic}


def evidence_of(asked: Asked) -> Evidence:
    """What other commands wrote, read and checked."""
    log = written.losses(asked.log) if asked.log else None
    kept = None
    if log:
        kept = 1 + int(np.argmin([entry["loss"] for entry in log]))
    return Evidence(
        check=written.check(asked.check) if asked.check else None,
        audit=written.audit(asked.audit) if asked.audit else None,
        certificate=written.certificate(asked.certificate) if asked.certificate else None,
        history=log,
        kept=kept,
    )


def artifact_of(asked: Asked) -> Artifact | None:
    """The model, if one is given."""
    if asked.model is None:
        return None
    from synthvae.artifact import load

    return load(asked.model)


def trio_of(asked: Asked, artifact: Artifact | None, drawing: Callable[[str], None]) -> Trio:
    """The tables; `drawing` is told before rows are drawn. SchemaError if one lacks a column."""
    real, holdout, schema, stood_in = _real_sides(asked, artifact)
    if asked.synthetic is not None:
        synthetic = read_table(asked.synthetic)
    else:
        drawing("drawing rows")
        assert artifact is not None
        synthetic = _drawn(artifact, _rows_of(artifact, real), asked)
    trio = Trio(real, holdout, synthetic, schema, stood_in)
    same_columns(trio.tables)
    return trio


def _real_sides(asked: Asked, artifact: Artifact | None) -> tuple[Table, Table, Schema, bool]:
    """Rows that were learnt and rows that were not, as an audit takes them; without either a note
    or a holdout, some of the real rows stand in."""
    if artifact is not None:
        noted = holdouts.beside(Path(str(asked.model))).exists()
        if noted or asked.holdout:
            files = (asked.real, asked.holdout, None, asked.model, asked.metadata)
            sources = Sources(*files, missing=asked.missing)
            sides = sides_of(artifact, sources)
            return sides.real, sides.holdout, sides.schema, False
    table = read_table(asked.real)
    schema = resolve(_described(asked, artifact, table), table, _missing(asked, artifact))
    if asked.holdout:
        return table, read_table(asked.holdout), schema, False
    if len(table) < 4:
        raise TableError(f"a report needs at least 4 real rows, but there are {len(table)}")
    order = stream(asked.seed, "report", "stand-in").permutation(len(table))
    cut = max(2, round(STAND_IN * len(table)))
    return table.rows(np.sort(order[cut:])), table.rows(np.sort(order[:cut])), schema, True


def _described(asked: Asked, artifact: Artifact | None, table: Table) -> metadatas.Metadata:
    if asked.metadata:
        return metadatas.read(asked.metadata)
    if artifact is not None:
        return metadatas.parse(artifact.content["metadata"], "the model file")
    return detect(table)


def _missing(asked: Asked, artifact: Artifact | None) -> tuple[str, ...]:
    learnt = () if artifact is None else artifact.content["settings"]["missing_values"]
    return (*asked.missing, *learnt)


def _rows_of(artifact: Artifact, real: Table) -> int:
    """As many as are real, or as many as a private fit paid to know of: a report says how many."""
    private = artifact.content.get("privacy")
    rows = max(int(private.get("rows", 0)), FEWEST_DRAWN) if private else len(real)
    return min(rows, MOST_DRAWN)


def _drawn(artifact: Artifact, rows: int, asked: Asked) -> Table:
    import pyarrow as pa

    from synthvae import opening

    chunks = opening.sampler(artifact).chunks(rows, asked.seed, "text", threads=asked.threads)
    whole = pa.concat_tables(list(chunks), promote_options="permissive")
    return from_arrow(whole, "the drawn rows")
