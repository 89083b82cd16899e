"""Frames as their owner knows them: values as text, dtypes, an index, holes filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


def written(value: Any) -> str:
    """A given value as the columns of a frame are met: Arrow's text of it."""
    scalar = pa.scalar(value.item() if hasattr(value, "item") else value)
    if pa.types.is_timestamp(scalar.type):
        scalar = scalar.cast(pa.timestamp("s"), safe=False)
    return "" if not scalar.is_valid else str(scalar.cast(pa.string()).as_py())


def indexed(rows: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """`rows` under the index of `frame`."""
    rows.index = frame.index
    return rows


def filled(
    frame: pd.DataFrame, drawn: pd.DataFrame, unknown: Mapping[str, np.ndarray[Any, Any]]
) -> pd.DataFrame:
    """`frame`, with the cells that are `unknown` from `drawn`; the dtypes of a frame stay."""
    filled = frame.copy()
    for label in frame.columns:
        mask = unknown.get(str(label))
        if mask is None:
            continue
        column, own = filled[label], drawn[str(label)].to_numpy()[mask]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.cat.add_categories(sorted({*own} - {*column.cat.categories}))
        column = column.copy()
        column.iloc[np.flatnonzero(mask)] = own
        filled[label] = column
    return filled


def as_given(frame: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """The dtypes of the frame that was learnt; columns read from a file keep what Arrow gave."""
    text = [str(name) for name in frame.select_dtypes("category")]
    inferred = {name: "object" for name in text if name not in dtypes}
    given = {n: dtype for n, dtype in dtypes.items() if str(frame[n].dtype) != dtype}
    others = {**inferred, **given}
    return frame.astype(others)
