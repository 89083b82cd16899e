"""Can the values of a synthetic table be read as what the real table's columns are."""

from __future__ import annotations

import numpy as np

from synthvae.evaluation.stats import Bools
from synthvae.schema import ColumnSchema, Schema
from synthvae.table import Column, Table
from synthvae.written import Values, format_of, moments, numbers_of, unit_of


def unreadable(real: Table, synthetic: Table, schema: Schema) -> dict[str, str]:
    """Columns with values that can't be read as the column's kind, and why, in words without a
    value. A code among numbers or moments is no fault where the real column has it too."""
    found = {}
    for column in schema.columns:
        theirs = synthetic[column.name]
        wrong = _unfit(theirs, column) & (theirs.counts > 0)
        known = set(real[column.name].texts) | column.missing
        texts = theirs.texts
        bad = [at for at in np.flatnonzero(wrong).tolist() if texts[at] not in known]
        if bad:
            rows = int(theirs.counts[bad].sum())
            found[column.name] = f"{rows:,} values are no {column.sdtype} value"
    return found


def _unfit(column: Column, schema: ColumnSchema) -> Bools:
    """Which written forms [L] are none of the column's kind."""
    if schema.sdtype == "numerical":
        return np.asarray(~np.isfinite(numbers_of(column.levels)))
    if schema.sdtype == "datetime":
        return np.asarray(np.isnan(_moments(column, schema.datetime_format)))
    if schema.sdtype == "boolean":
        return np.ones(len(column.levels), bool)  # what the real column has is all there is
    return np.zeros(len(column.levels), bool)


def _moments(column: Column, format: str) -> Values:
    """A typed file may write moments in another format."""
    found = moments(column.levels, format, "us")
    if np.isnan(found).all() and (other := format_of(column.levels)):
        return moments(column.levels, other, unit_of(column.levels, other))
    return found
