"""What an audit is made of: which rows were learnt, which were not, which are released.

With a model, rows that were not learnt are those that its fit left out, and released rows are drawn
if none are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthvae import holdout as holdouts
from synthvae import metadata as metadatas
from synthvae.audit.sides import LEAST
from synthvae.errors import ArtifactError, Problems, SchemaError, UsageError
from synthvae.reading import read_table
from synthvae.schema import Schema, resolve
from synthvae.seeds import stream
from synthvae.table import Column, Table, from_arrow

if TYPE_CHECKING:
    from synthvae.artifact import Artifact

Places = NDArray[np.int64]

MORE = 10  # times the released rows: so many may come to be released
MOST_ROWS = 1_000_000  # that are drawn


@dataclass(frozen=True)
class Sources:
    """What an audit is made of: tables by path, the model file, what describes the columns.
    `shadows`: how many shadow models a deep audit learns; None: it is not deep. `missing`: texts
    that mean 'no value'."""

    real: str
    holdout: str | None = None
    synthetic: str | None = None
    model: Path | None = None
    metadata: Path | None = None
    shadows: int | None = None
    missing: tuple[str, ...] = ()

    def check(self) -> None:
        """UsageError with every reason why they are not enough."""
        problems = Problems()
        if self.model is None:
            for name in ("holdout", "synthetic"):
                if getattr(self, name) is None:
                    problems.add(
                        f"without a model an audit takes three tables, but --{name} is missing; "
                        f"add it, or the model with -m"
                    )
            if self.shadows is not None:
                problems.add(
                    "shadow models are like the model under audit, but --deep is given without "
                    "one; add it with -m, or leave --deep out"
                )
        problems.raise_as(UsageError)


@dataclass(frozen=True)
class Sides:
    """What was learnt, and what was not. `places` [len(real)]: where rows that were learnt stand
    in the table that the user gave, from 0."""

    real: Table
    holdout: Table
    schema: Schema
    places: Places


def sides_of(artifact: Artifact, sources: Sources) -> Sides:
    """The rows that the model learnt, and rows that it did not, as it reads them."""
    _refuse_described(artifact, sources)
    table, path = read_table(sources.real), holdouts.beside(Path(str(sources.model)))
    note = holdouts.load(path) if path.exists() else None
    if note is not None and note.model != holdouts.sha256(Path(str(sources.model))):
        if sources.holdout is None:
            raise ArtifactError(
                f"rows that a fit left out are noted beside its model, but '{path}' is the note "
                "of another model; restore it, or pass rows that were not learnt with --holdout"
            )
        note = None
    if note is None and sources.holdout is None:
        raise UsageError(
            "an audit compares rows that were learnt with rows that were not, but no note "
            f"'{path}' of rows that the fit left out is there; pass such rows with --holdout"
        )
    if sources.holdout is None and note is not None:
        left_out = note.mask(table)
        if not left_out.any():
            raise UsageError(
                f"an audit compares rows that were learnt with rows that were not, but by '{path}' "
                "none was left out; pass such rows with --holdout"
            )
        holdout = table.rows(left_out)
    else:
        left_out = np.zeros(len(table), bool) if note is None else note.found(table)
        holdout = _cut(read_table(str(sources.holdout)), table.names)
    places = np.flatnonzero(~left_out)
    real = table.rows(places)
    check_columns(real, {"holdout": holdout})
    _check_learnt(artifact, len(real))
    described = metadatas.parse(artifact.content["metadata"], "the model file")
    missing = artifact.content["settings"]["missing_values"]
    return Sides(real, holdout, resolve(described, real, missing), places)


def _refuse_described(artifact: Artifact, sources: Sources) -> None:
    """UsageError where somebody else describes the columns too."""
    more = set(sources.missing) - set(artifact.content["settings"]["missing_values"])
    if sources.metadata is None and not more:
        return
    what = f"missing_values {sorted(more)}" if more else f"metadata '{sources.metadata}'"
    raise UsageError(
        f"columns are what the model says that they are, but {what} is given too; leave it out"
    )


def one_of_each(sides: Sides, unit: str, seed: int) -> Sides:
    """One row, drawn at random, of each value of the column `unit` on either side. Rows without a
    value are nobody's and were not learnt."""
    ours, theirs = (
        _drawn(table[unit], stream(seed, "audit", "units", what))
        for what, table in (("real", sides.real), ("holdout", sides.holdout))
    )
    return Sides(
        sides.real.rows(ours), sides.holdout.rows(theirs), sides.schema, sides.places[ours]
    )


def _drawn(units: Column, rng: np.random.Generator) -> Places:
    order = rng.permutation(np.flatnonzero(units.codes >= 0))
    _, first = np.unique(units.codes[order], return_index=True)
    return np.sort(order[first])


def _cut(table: Table, names: tuple[str, ...]) -> Table:
    """Without columns of other names."""
    kept = tuple(column for column in table.columns if column.name in names)
    return Table(kept, table.frame_dtypes)


def _check_learnt(artifact: Artifact, rows: int) -> None:
    learnt = artifact.content["training"]["rows"]
    if not artifact.content.get("privacy") and rows > learnt:
        raise SchemaError(
            f"an audit takes rows that the model learnt, but of the real table {rows:,} rows "
            f"would count as learnt, and it learnt {learnt:,}; pass the table that was fitted"
        )


def given_rows(sources: Sources, real: Table) -> Table | None:
    """The released rows, if the user has them. SchemaError if they lack a column of `real`."""
    if sources.synthetic is None:
        return None
    given = read_table(sources.synthetic)
    check_columns(real, {"synthetic": given})
    return given


def released(
    artifact: Artifact, given: Table | None, rows: int, seed: int, threads: int | None
) -> tuple[Table, Table | None]:
    """The rows that are released, and as many more as may be, ten times as many in all; but no more
    than MOST_ROWS are drawn. None if no table of more rows is left."""
    from synthvae import opening

    count = rows if given is None else len(given)
    most = min(MORE * count, MOST_ROWS)
    if given is not None and most < count + LEAST:
        return given, None
    chunks = list(opening.sampler(artifact).chunks(most, seed, "text", threads=threads))
    drawn = from_arrow(pa.concat_tables(chunks, promote_options="permissive"), "the drawn rows")
    more = None if most < count + LEAST else drawn.rows(slice(count, None))
    return drawn.rows(slice(0, count)) if given is None else given, more


def check_columns(real: Table, others: Mapping[str, Table]) -> None:
    """SchemaError with every column of `real` that one of the others lacks."""
    problems = Problems()
    for what, table in others.items():
        for name in real.names:
            if name not in table.names:
                problems.add(
                    f"all tables have the columns of the real one, but the {what} table has no "
                    f"column '{name}'; add it"
                )
    problems.raise_as(SchemaError)
