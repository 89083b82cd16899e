"""Two tables that differ in one row, and the same noisy counts of both: nothing else may differ.

What is released of the larger table is set to what was released of the smaller one, which noise may
always do. All that comes of the fit has to be the same then, byte by byte: who could tell the fits
apart by anything else would know of the row at no cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.marginals import choosing, units
from synthvae.metadata import Metadata

# Values of a row that no other row is like; what is not said is as in row 0.
ROW: dict[str, dict[str, str]] = {
    "a category of its own": {"group": "unheard of"},
    "the name of all others": {"group": "__other__", "declared": "__other__"},
    "a huge number": {"found": "1e300", "bounded": "-1" + "0" * 400},
    "a tiny number": {"found": "-1e-300", "bounded": "1e-400"},
    "an infinite number": {"found": "inf", "bounded": "1e400"},
    "text among numbers": {"found": "n/k", "bounded": "3,5"},
    "digits without end": {"found": "0." + "7" * 60, "bounded": ".5"},
    "nothing but nulls": dict.fromkeys(
        ("group", "declared", "found", "bounded", "flag", "day", "id", "mail"), ""
    ),
    "the id of another": {"id": "K-3"},
    "a moment in the year 9999": {"day": "9999-12-31"},
    "a moment of no calendar": {"day": "2021-02-30", "mail": "\x00"},
    "a spelling of its own": {"flag": "T", "declared": "A"},
    "a flag that is none": {"flag": "maybe", "group": "x" * 5000},
}


def hold(one: Any, other: Any) -> None:
    """Equal but for what was counted, and that by as much as was declared."""
    assert one.failed == ""
    assert one.differences(other) == []
    moves = one.moves(other)
    assert [move for move in moves if move[1] > move[2] * (1 + 1e-12)] == []
    assert any(distance > 0 for _, distance, _ in moves)


@pytest.mark.parametrize("what", ROW)
def test_one_row_more_shows_in_nothing_but_counts(what: str, untouched: Any, next_to: Any) -> None:
    hold(untouched, next_to(ROW[what]))


@pytest.mark.parametrize("what", ["a category of its own", "nothing but nulls"])
def test_nor_does_it_in_which_partners_are_chosen(
    what: str, pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where columns are many."""
    monkeypatch.setattr(choosing, "PARTNERS", 2)
    one, other = pair(ROW[what])
    assert "partners of each column" in {asked.what for asked in one.door.asked}
    hold(one, other)


def test_what_is_compared_is_there(untouched: Any) -> None:
    assert len(untouched.artifact) > 10_000
    assert len(untouched.door.asked) >= 15
    assert {"losses.jsonl", "epoch-0001/real.csv"} <= untouched.files.keys()
    assert len(untouched.progress) == 1
    assert untouched.claim["claim"]["epsilon"] <= 20
    rows, total, _ = untouched.drawn
    assert len(rows["mail"]) == 200
    assert 200 < total < 280


TYPED = {
    "a fraction among whole numbers": {"code": 12.5},
    "a number with an exponent": {"code": 1e20},
    "a second with a fraction": {"at": np.datetime64("2020-03-01T10:00:00.5", "ns")},
    "a moment with a microsecond": {"at": np.datetime64("2020-03-01T10:00:00.000001", "ns")},
    "no value": {"at": np.datetime64("NaT"), "code": np.nan},
}


@pytest.mark.parametrize("what", TYPED)
def test_one_typed_row_more_shows_in_nothing_but_counts(what: str, typed_pair: Any) -> None:
    """How typed values are written depends on all of them, until they are met one by one."""
    hold(*typed_pair(TYPED[what]))


def test_a_row_without_the_values_that_every_row_should_have_shows_in_nothing_but_counts(
    pair_of: Any, make_table: Any, columns: Any, described: Any, settings: Any
) -> None:
    whole = {"range_is_nullable": False}
    metadata = described(
        group={"sdtype": "categorical", **whole},
        bounded={"sdtype": "numerical", "range_min": 0, "range_max": 5000, **whole},
        flag={"sdtype": "boolean", **whole},
        day={"sdtype": "datetime", "datetime_format": "%Y-%m-%d", **whole},
        id={"sdtype": "id", **whole},
    )
    kept = {name: columns[name] for name in metadata.columns}
    more = {name: ["", *texts] for name, texts in kept.items()}
    hold(*pair_of(make_table(kept), make_table(more), metadata, settings))


@pytest.mark.parametrize("partners", [12, 2])
def test_all_rows_of_one_person_show_in_nothing_but_counts(
    partners: int,
    pair_of: Any,
    make_table: Any,
    columns: dict[str, list[str]],
    meta: Metadata,
    spending: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(units, "fresh_stream", lambda: np.random.default_rng(8))
    monkeypatch.setattr(choosing, "PARTNERS", partners)
    odd = ["a category of its own", "a huge number", "nothing but nulls", "text among numbers"]
    columns["id"] = [f"K-{i // 2}" for i in range(len(columns["id"]))]
    more = {
        name: [
            *texts,
            *("K-new" if name == "id" else ROW[what].get(name, texts[0]) for what in odd),
        ]
        for name, texts in columns.items()
    }
    spec = spending(unit="id", contributions=2)
    one, other = pair_of(make_table(columns), make_table(more), meta, spec)
    hold(one, other)
    assert one.claim["claim"]["contributions"] == 2
    assert max(distance for _, distance, _ in one.moves(other)) > 1.4
