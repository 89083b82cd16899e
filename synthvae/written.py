"""Reading written forms: which texts are numbers or moments in time, and what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Values = NDArray[np.float64]

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y%m%dT%H%M%S",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%m-%Y",
    "%H:%M:%S",
    "%H:%M",
    "%Y-%m",
)


def numbers_of(levels: pa.StringArray) -> Values:
    """float64 of each text [L], NaN for what is no number."""
    return np.asarray(pd.to_numeric(levels.to_pandas(), errors="coerce"), dtype=np.float64)


def moments(levels: pa.StringArray, format: str, unit: str) -> Values:
    """Whole `unit`s since 1970 of each text [L], NaN for what does not fit `format`."""
    parsed = pd.to_datetime(levels.to_pandas(), format=format, errors="coerce", utc=True)
    ticks = parsed.to_numpy(f"datetime64[{unit}]")
    return np.where(np.isnat(ticks), np.nan, ticks.astype(np.int64))


def write_moments(values: Values, format: str, unit: str) -> pa.Array:
    """Text [n] of whole `unit`s since 1970. Arrow writes fractions with %S, never with %f."""
    stamps = pa.array(values.astype(np.int64)).cast(pa.timestamp(unit))
    return pc.strftime(stamps, format.replace(".%f", ""))


def unpadded(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, r"(^|[^\d:])0(\d)", r"\1\2")


def format_of(levels: pa.StringArray) -> str | None:
    """The first known format that all texts fit and, written back, equal; None if there is none."""
    sample = levels.slice(0, 200)
    for format in FORMATS:
        if all(_restores(part, format, unit_of(part, format)) for part in (sample, levels)):
            return format
    return None


def unit_of(levels: pa.StringArray, format: str) -> str:
    if "%f" not in format:
        return "s"
    digits = pc.all(pc.match_substring_regex(levels, r"\.\d{3}(\D|$)")).as_py()
    return "ms" if digits else "us"


def _restores(levels: pa.StringArray, format: str, unit: str) -> bool:
    values = moments(levels, format, unit)
    if np.isnan(values).any():
        return False
    text = write_moments(values, format, unit)
    return any(pc.all(pc.equal(t, levels)).as_py() for t in (text, unpadded(text)))
