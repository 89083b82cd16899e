"""New rows that know what counts of pairs say, and what private steps taught beyond it.

drawn rows -> a small model -> private steps on the real rows -> its rows, weighed by the counts

The small model has few weights, since noise grows with their number; what is learnt from its rows
may be of any kind and size. All but the steps is free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae import opening, pipeline
from synthvae.artifact import Artifact
from synthvae.marginals.axes import PresenceAxis, column_of
from synthvae.marginals.engine import Drawn
from synthvae.marginals.raking import taken, weighed
from synthvae.metadata import ColumnMetadata, Metadata
from synthvae.model.decoders.autoregressive import AutoregressiveSpec
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.presets import PRESETS
from synthvae.refining import refine
from synthvae.seeds import derive, stream
from synthvae.settings import PrivacySpec, Settings
from synthvae.suppression import Rare
from synthvae.table import Column, Table

if TYPE_CHECKING:
    from synthvae.training.private import PrivateSpec

PRESET = "arvae"
SMALL = replace(
    PRESETS[PRESET].model,
    encoder=(64,),
    latent=GaussianSpec(size=2),
    decoder=AutoregressiveSpec(units=16, layers=1),
)
SPARE = 2  # rows to be weighed for each that is taken
_PRESENT = "present"


def redrawn(
    drawn: Drawn,
    table: Table,
    metadata: Metadata,
    settings: Settings,
    steps: PrivateSpec,
    threads: int | None = None,
    watch: Callable[[float], None] = lambda _: None,
) -> Drawn:
    """As many rows as `drawn` has, from a small model of it that took private `steps` on `table`,
    of which each value stands in a form that follows from it alone. A column that comes out without
    a value stays as it was drawn, which has one. `watch` is told the share of the steps that is
    done."""
    small = replace(
        settings,
        preset=PRESET,
        model=SMALL,
        training=replace(PRESETS[PRESET].training, epochs=settings.training.epochs),
        target=None,
        condition=(),
        privacy=PrivacySpec(),
        rare=Rare(rows=0),
        constraints=(),
    )
    known = replace(drawn, table=_presence(drawn))
    first = pipeline.fit(known.table, _categorical(drawn, metadata), small, threads=threads)
    taught = refine(first, known, table, small, steps, threads, watch)
    rows = len(drawn.table)
    new = _rows_of(taught, SPARE * rows, derive(settings.seed, "redrawn"), threads)
    classes = np.stack([axis.classes(new[axis.name]) for axis in drawn.axes], axis=1)
    rng = stream(settings.seed, "redrawn", "rows")
    kept = taken(weighed(classes, drawn.mixture, drawn.pairs), rows, rng)
    columns = [
        column_of(axis.name, axis.texts(classes[kept, i], rng))
        if isinstance(axis, PresenceAxis)
        else new[axis.name].rows(kept)
        for i, axis in enumerate(drawn.axes)
    ]
    held = [c if (c.codes >= 0).any() else drawn.table[c.name] for c in columns]
    return replace(drawn, table=Table(tuple(held)))


def _presence(drawn: Drawn) -> Table:
    """The rows of `drawn`, where what is made up is no more than present or missing."""
    return Table(
        tuple(
            _present(drawn.table[axis.name])
            if isinstance(axis, PresenceAxis)
            else drawn.table[axis.name]
            for axis in drawn.axes
        )
    )


def _present(column: Column) -> Column:
    texts = pa.array(np.full(len(column.codes), _PRESENT), pa.string(), mask=column.codes < 0)
    return column_of(column.name, texts)


def _categorical(drawn: Drawn, metadata: Metadata) -> Metadata:
    """`metadata` of those rows."""
    made_up = {axis.name for axis in drawn.axes if isinstance(axis, PresenceAxis)}
    return Metadata(
        {
            name: ColumnMetadata("categorical") if name in made_up else column
            for name, column in metadata.columns.items()
        }
    )


def _rows_of(artifact: Artifact, rows: int, seed: int, threads: int | None) -> Table:
    chunks = opening.sampler(artifact).chunks(rows, seed, "text", threads=threads)
    table = pa.concat_tables(chunks).unify_dictionaries()
    return Table(tuple(_column(name, table[name]) for name in table.column_names))


def _column(name: str, values: pa.ChunkedArray) -> Column:
    texts = values.cast(pa.string()).combine_chunks()
    return column_of(name, pc.if_else(pc.equal(texts, ""), None, texts))
