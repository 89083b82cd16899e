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


def as_given(
    frame: pd.DataFrame, dtypes: Mapping[str, str], types: Mapping[str, pa.DataType]
) -> pd.DataFrame:
    """The dtypes of the frame that was learnt, whose columns are of Arrow's `types`; columns read
    from a file keep what Arrow gave."""
    text = [str(name) for name in frame.select_dtypes("category")]
    inferred: dict[str, Any] = {name: "object" for name in text if name not in dtypes}
    given = {
        name: _dtype(frame[name], dtype, types[name])
        for name, dtype in dtypes.items()
        if str(frame[name].dtype) != dtype
    }
    return frame.astype({**inferred, **given})


def _dtype(drawn: pd.Series[Any], given: str, kind: pa.DataType) -> Any:
    """The dtype `given`, or its neighbour that can hold what was `drawn`."""
    try:
        dtype = pd.api.types.pandas_dtype(given)
    except (TypeError, ValueError, NotImplementedError):  # Arrow's types with parameters
        return pd.ArrowDtype(kind.value_type if pa.types.is_dictionary(kind) else kind)
    whole = isinstance(dtype, np.dtype) and dtype.kind in "iub"
    if not (whole and drawn.isna().any()):
        return dtype
    return "boolean" if dtype.kind == "b" else given.replace("int", "Int").replace("u", "U")
