"""Reading written forms: which texts are numbers or moments in time, and what they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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


# '007' is a code: as a number it would lose its zeros.
_NUMBER = r"^[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def numbers_of(levels: pa.StringArray) -> Values:
    """The nearest float64 of each text [L], NaN for what is no number."""
    texts = pc.utf8_trim_whitespace(levels)
    numbers = pc.if_else(pc.match_substring_regex(texts, _NUMBER), texts, None)
    values = pc.utf8_ltrim(numbers, characters="+").cast(pa.float64())
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def moments(levels: pa.StringArray, format: str, unit: str) -> Values:
    """Whole `unit`s since 1970 of each text [L], NaN for what does not fit `format`."""
    parsed = pd.to_datetime(levels.to_pandas(), format=format, errors="coerce", utc=True)
    ticks = parsed.to_numpy(f"datetime64[{unit}]")
    values = np.where(np.isnat(ticks), np.nan, ticks.astype(np.int64))
    for i in np.flatnonzero(np.isnan(values)).tolist():
        values[i] = _far(levels[i].as_py(), format, unit)
    return values


def _far(text: str, format: str, unit: str) -> float:
    """As `moments`, one text. pandas ends in 2262, but tables say 'for ever' as 9999-12-31."""
    try:
        moment = datetime.strptime(text, format)
    except ValueError:
        return np.nan
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return since // timedelta(microseconds=1_000_000 // PER_SECOND[unit])


def write_moments(values: Values, format: str, unit: str, padded: bool = True) -> pa.Array:
    """Text [n] of whole `unit`s since 1970; not `padded`: '1/5/2014' rather than '01/05/2014'."""
    seconds, rest = np.divmod(values.astype(np.int64), PER_SECOND[unit])
    zone = "UTC" if "%z" in format or "%Z" in format else None
    stamps = pa.array(seconds).cast(pa.timestamp("s", zone))
    # Arrow has no %f, so what stands before and after the fraction is written apart.
    parts = [pc.strftime(stamps, part) for part in format.split("%f")]
    parts = parts if padded else [_unpadded(part) for part in parts]
    if len(parts) == 1:
        return parts[0]
    digits = len(str(PER_SECOND[unit])) - 1
    fraction = pc.utf8_lpad(pa.array(rest).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(*parts, fraction)


def _unpadded(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, r"(^|[^\d:])0(\d)", r"\1\2")


def format_of(levels: pa.StringArray) -> str | None:
    """The first known format that all texts fit and, written back, equal; None if there is none."""
    sample = levels.slice(0, 200)
    if not pc.all(pc.match_substring_regex(sample, r"\d")).as_py():
        return None
    for format in FORMATS:
        if all(_restores(part, format, unit_of(part, format)) for part in (sample, levels)):
            return format
    return None


def unit_of(levels: pa.StringArray, format: str) -> str:
    if "%f" not in format:
        return "s"
    digits = pc.all(pc.match_substring_regex(levels, r"[.,]\d{3}(\D|$)")).as_py()
    return "ms" if digits else "us"


def _restores(levels: pa.StringArray, format: str, unit: str) -> bool:
    values = moments(levels, format, unit)
    if np.isnan(values).any():
        return False
    return any(is_written(levels, values, format, unit, padded) for padded in (True, False))


def is_written(
    levels: pa.StringArray, values: Values, format: str, unit: str, padded: bool
) -> bool:
    """Whether the texts `levels` [L] are what `write_moments` gives."""
    return bool(pc.all(pc.equal(write_moments(values, format, unit, padded), levels)).as_py())
