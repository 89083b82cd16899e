"""Texts that stand for themselves: missing values and codes."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthvae.codecs.presence import Presence
from synthvae.codecs.specials import Specials, describe, nulls, stands_apart
from synthvae.table import Column

MakeColumn = Callable[..., Column]
MISSING = frozenset(["", "NA"])


def test_specials_are_found_by_text_and_null_is_empty_text(column: MakeColumn) -> None:
    specials = Specials.of(column(["1", None, "N"]), ["N", "NA"], MISSING)
    assert specials.texts == ("", "N", "NA")
    assert specials.index(["NA", "1", "N"]).tolist() == [2, -1, 1, 0]
    assert Specials.of(column(["1", "N"]), ["N"], MISSING).index(["N"]).tolist() == [0, -1]


def test_specials_are_laid_over_values_as_written_or_as_null(column: MakeColumn) -> None:
    specials = Specials.of(column(["", "N"]), ["", "N"], MISSING)
    body, where = pa.array(["1", "2", "3"]), np.array([-1, 0, 1], np.int32)
    assert specials.overlay(body, where, specials.written).to_pylist() == ["1", "", "N"]
    assert specials.overlay(body, where, specials.typed).to_pylist() == ["1", None, "N"]
    assert specials.has_codes
    assert Specials.from_json(specials.to_json()) == specials
    assert describe(specials) == {"missing": [""], "codes": ["N"]}


@pytest.mark.parametrize(
    ("texts", "storage", "expected"),
    [
        (["1", None], "text", MISSING),
        (["1", None], "string", [""]),
        (["1", "NA"], "string", []),
        (["1", None], "int64", [""]),
    ],
)
def test_in_a_table_with_types_null_alone_is_null(
    texts: list[str | None], storage: str, expected: object, column: MakeColumn
) -> None:
    assert nulls(column(texts, storage), MISSING) == expected


def test_what_means_missing_stands_apart(column: MakeColumn) -> None:
    assert stands_apart(column(["1", "NA", "-999"]), {"NA", "-999"}).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("texts", "size"), [(["a", "b"], 0), (["a", ""], 2), (["a", "", "NA", None], 3)]
)
def test_presence_is_learnt_where_something_is_missing(
    texts: list[str | None], size: int, column: MakeColumn
) -> None:
    it = column(texts)
    presence = Presence.fit(it, MISSING)
    assert [block.size for block in presence.blocks] == ([size] if size else [])
    out = presence.fill(presence.encode(it), pa.array(["made up"] * len(texts)), "text")
    assert out.to_pylist() == ["made up" if t not in (None, "", "NA") else t or "" for t in texts]
