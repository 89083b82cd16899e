"""Texts in a numeric column that stand for themselves: missing values, and codes such as 'N' or
'<5'."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synthvae.table import Column


@dataclass(frozen=True)
class Specials:
    """Written forms that are states of their own; `missing` says which of them are null in the
    typed view."""

    texts: tuple[str, ...] = ()
    missing: tuple[bool, ...] = ()

    @staticmethod
    def of(column: Column, texts: Sequence[str], missing: Collection[str]) -> Specials:
        """Specials from the forms of `column` that are no values; a null is written ''."""
        forms = sorted({*texts, ""} if column.n_null else set(texts))
        empty = nulls(column, missing)
        return Specials(tuple(forms), tuple(form in empty for form in forms))

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def has_codes(self) -> bool:
        return not all(self.missing)

    @property
    def codes(self) -> pa.StringArray:
        """The written forms that are no missing value."""
        return self.written.filter(pc.invert(pa.array(self.missing, pa.bool_())))

    def index(self, levels: Sequence[str]) -> NDArray[np.int32]:
        """Which special each level is [L + 1]: -1 for a value. The last entry serves null."""
        known = {text: i for i, text in enumerate(self.texts)}
        return np.array([*(known.get(text, -1) for text in levels), known.get("", -1)], np.int32)

    @property
    def written(self) -> pa.StringArray:
        return pa.array(self.texts, pa.string())

    @property
    def typed(self) -> pa.StringArray:
        """`written` with null for those that are null in the typed view."""
        pairs = zip(self.texts, self.missing, strict=True)
        return pa.array([None if missing else text for text, missing in pairs], pa.string())

    def overlay(self, body: pa.Array, special: NDArray[np.int32], forms: pa.Array) -> pa.Array:
        """`body` [n], and `forms` [len(self)] where a special stands."""
        if not (special >= 0).any():
            return body
        put_in = forms.take(pa.array(np.maximum(special, 0)))
        return pc.if_else(pa.array(special < 0), body, put_in)

    def to_json(self) -> list[list[Any]]:
        return [[text, flag] for text, flag in zip(self.texts, self.missing, strict=True)]

    @staticmethod
    def from_json(data: Sequence[Sequence[Any]]) -> Specials:
        return Specials(tuple(t for t, _ in data), tuple(m for _, m in data))


def nulls(column: Column, missing: Collection[str]) -> Collection[str]:
    """The written forms that are null in the typed view; where the table had types, null alone."""
    if column.storage == "text":
        return missing
    return [""] if column.n_null else []


def describe(specials: Specials) -> Mapping[str, list[str]]:
    """For `inspect`: the written forms that are held."""
    pairs = list(zip(specials.texts, specials.missing, strict=True))
    return {
        "missing": [text for text, missing in pairs if missing],
        "codes": [text for text, missing in pairs if not missing],
    }


def stands_apart(column: Column, missing: Collection[str]) -> NDArray[np.bool_]:
    """Which levels [L] mean 'no value', even if they look like one: -999, 9999-12-31."""
    return np.array([text in missing for text in column.texts], bool)
