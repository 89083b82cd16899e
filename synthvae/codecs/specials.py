"""Texts in a numeric column that are no numbers: missing values, and codes such as 'N' or '<5'."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class Specials:
    """Written forms that are states of their own; `missing` says which of them mean 'no value'."""

    texts: tuple[str, ...] = ()
    missing: tuple[bool, ...] = ()

    @staticmethod
    def of(texts: Sequence[str], missing: Collection[str], has_null: bool) -> Specials:
        """Specials from the forms that are no values; a null of a typed column is written ''."""
        forms = sorted({*texts, ""} if has_null else set(texts))
        return Specials(tuple(forms), tuple(form in missing for form in forms))

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def has_codes(self) -> bool:
        return not all(self.missing)

    def index(self, levels: Sequence[str]) -> NDArray[np.int32]:
        """Which special each level is [L + 1]: -1 for a value. The last entry serves null."""
        known = {text: i for i, text in enumerate(self.texts)}
        return np.array([*(known.get(text, -1) for text in levels), known.get("", -1)], np.int32)

    def overlay(self, body: pa.Array, special: NDArray[np.int32], text: bool) -> pa.Array:
        """`body` [n] with specials put in: as written, or null where `text` is false."""
        if not len(self) or not (special >= 0).any():
            return body
        if not text:
            return pc.if_else(pa.array(special < 0), body, None)
        forms = pa.array(self.texts, pa.string()).take(pa.array(special, mask=special < 0))
        return pc.coalesce(forms, body)

    def without_missing(self, values: pa.Array, special: NDArray[np.int32]) -> pa.Array:
        """Text `values` [n] with null wherever the special means 'no value'."""
        flags = np.array([*self.missing, False])
        return pc.if_else(pa.array(~flags[special]), values, None)

    def to_json(self) -> list[list[Any]]:
        return [[text, flag] for text, flag in zip(self.texts, self.missing, strict=True)]

    @staticmethod
    def from_json(data: Sequence[Sequence[Any]]) -> Specials:
        return Specials(tuple(t for t, _ in data), tuple(m for _, m in data))


def describe(specials: Specials) -> Mapping[str, list[str]]:
    """For `inspect`: the written forms that are held."""
    pairs = list(zip(specials.texts, specials.missing, strict=True))
    return {
        "missing": [text for text, missing in pairs if missing],
        "codes": [text for text, missing in pairs if not missing],
    }
