"""Rows of which some cells are given, to be completed: one new row for each.

What is given stays as it is written. Empty cells, and columns that are left out, are free: drawn
from p(free | given) by importance resampling (`completion`), missing values among them.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthvae.codecs.parts import Codec
from synthvae.codecs.table_codec import TableCodec
from synthvae.errors import Problems, SchemaError, UsageError, hint
from synthvae.interventions import check_possible
from synthvae.matching import in_its_form
from synthvae.table import Column, Table

FREE = frozenset({""})
_NAMED = 5  # values of a column that are named one by one


def partial_rows(codec: TableCodec, table: Table) -> Table:
    """`table` with all columns of the model, in its order, those that it lacks all free.
    SchemaError with every column that the model does not have, every value that it never writes."""
    if codec.bindings.relations:
        raise UsageError(
            "given cells are of columns that are learnt as they are, but constraints of this model "
            "make some of others; fit without constraints"
        )
    if codec.bindings.unique:
        rules = "; ".join(rule.words for rule in codec.bindings.unique)
        raise UsageError(
            "given cells stay as they are, so rows may come twice, but the model keeps "
            f"constraints of uniqueness: {rules}; fit without them"
        )
    problems = Problems()
    names = [one.name for one in codec.codecs]
    for name in table.names:
        if name not in names:
            problems.add(
                f"given cells are of columns of the model, but it has no '{name}'; "
                f"{hint(name, names)}"
            )
    columns = []
    for one in codec.codecs:
        if one.name in table.names:
            columns.append(table[one.name])
            _check(one, table[one.name], problems)
        else:
            free = np.full(len(table), -1, np.int32)
            columns.append(Column(one.name, free, pa.array([], pa.string())))
    problems.raise_as(SchemaError)
    return Table(tuple(columns))


def _check(codec: Codec, column: Column, problems: Problems) -> None:
    """Every given value is one that the model writes."""
    if codec.made_up:
        return
    formed = in_its_form(column, codec).texts
    wrong: list[str] = []
    for level, (text, written) in enumerate(zip(formed, column.texts, strict=True)):
        if not column.counts[level] or (column.storage == "text" and written in FREE):
            continue
        try:
            check_possible(codec, text)
        except SchemaError as error:
            row = column.first_row(level)
            wrong += [f"{reason} (row {row:,})" for reason in error.reasons]
    problems.reasons.extend(wrong[:_NAMED])
    if len(wrong) > _NAMED:
        problems.add(f"column '{codec.name}': and {len(wrong) - _NAMED:,} more values like that")
