"""Rows of one person: at most so many are kept, at random, so that a person counts for no more."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from synthvae.errors import ColumnError, hint
from synthvae.privacy.budget import ROW, Budget
from synthvae.privacy.noise import fresh_stream
from synthvae.schema import MISSING
from synthvae.table import Table


def bounded(table: Table, budget: Budget, missing: Collection[str] = ()) -> Table:
    """`table` with at most `budget.contributions` rows of each value of the unit's column; rows
    without one are left out, since nobody knows whose they are. `missing` adds to the texts that
    mean 'no value'. ColumnError if there is no such column."""
    if budget.unit == ROW:
        return table
    if budget.unit not in table.names:
        raise ColumnError(
            "privacy",
            f"a privacy unit is a column, but the table has no column '{budget.unit}'; "
            f"{hint(budget.unit, table.names)}",
        )
    column, absent = table[budget.unit], MISSING | frozenset(missing)
    named = np.array([*(text not in absent for text in column.texts), False])
    codes = np.where(named[column.codes], column.codes, -1)
    order = fresh_stream().permutation(len(codes))
    by_unit = order[np.argsort(codes[order], kind="stable")]
    sorted_codes = codes[by_unit]
    first = np.searchsorted(sorted_codes, sorted_codes)
    kept = by_unit[(np.arange(len(codes)) - first < budget.contributions) & (sorted_codes >= 0)]
    return table.rows(np.sort(kept))
