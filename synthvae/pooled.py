"""Tables put together, and their rows as a fit would have learnt them.

A fit does not learn what too few rows hold: a rare number stands at a common one. A model finds
rows strange that it met in another form, so they are asked about in the form that it learnt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from synthvae import metadata as metadatas
from synthvae import opening
from synthvae.artifact import Artifact
from synthvae.schema import resolve
from synthvae.suppression import Rare, suppressed
from synthvae.table import Column, Table


def joined(tables: Sequence[Table]) -> Table:
    """One below the other; columns as those of the first."""
    columns = []
    for first in tables[0].columns:
        parts = [table[first.name] for table in tables]
        starts = np.cumsum([0, *(len(part.levels) for part in parts)])
        levels = pa.concat_arrays([part.levels for part in parts]).dictionary_encode()
        places = np.append(levels.indices.to_numpy(zero_copy_only=False), -1).astype(np.int32)
        codes = [
            places[np.where(part.codes < 0, -1, part.codes + start)]
            for part, start in zip(parts, starts, strict=False)
        ]
        texts = levels.dictionary
        columns.append(Column(first.name, np.concatenate(codes), texts, first.storage))
    return Table(tuple(columns), tables[0].frame_dtypes)


def as_learnt(artifact: Artifact, tables: Sequence[Table]) -> list[Table]:
    """`tables` with numbers and dates as the fit of `artifact` would have learnt them. What is rare
    is counted over all of them, so that the form of a row does not tell which it stands in.

    Categories stay as they are, since the codec knows which of them were learnt; so does everything
    of a private fit, which withholds nothing, and under constraints, which a changed number breaks.
    """
    settings = opening.settings_of(artifact)
    if artifact.content.get("privacy") or settings.constraints:
        return list(tables)
    whole, rare = joined(tables), settings.rare
    described = metadatas.parse(artifact.content["metadata"], "the model file")
    schema = resolve(described, tables[0], settings.missing_values)
    learnt = artifact.content["training"]["rows"]
    least = Rare(round(rare.least(learnt) * len(whole) / learnt), rare.unit)
    units = None if rare.unit is None else whole[rare.unit].codes
    common, _ = suppressed(schema, whole, described, least, units, settings.seed)
    numbers = {c.name for c in schema.columns if c.sdtype in ("numerical", "datetime")}
    columns = tuple(common[c.name] if c.name in numbers else c for c in whole.columns)
    ends = np.cumsum([len(table) for table in tables])
    return [
        Table(columns, table.frame_dtypes).rows(slice(end - len(table), end))
        for table, end in zip(tables, ends.tolist(), strict=True)
    ]
