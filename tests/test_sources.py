"""What an audit is made of: rows learnt and not learnt, and rows released."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthvae import sources
from synthvae.artifact import Artifact, load
from synthvae.audit import Claim
from synthvae.auditing import held, of_rows
from synthvae.errors import SchemaError, UsageError
from synthvae.pooled import joined
from synthvae.reading import read_table
from synthvae.schema import Schema
from synthvae.sources import (
    Sides,
    Sources,
    check_columns,
    given_rows,
    one_of_each,
    released,
    sides_of,
)
from synthvae.table import Table, from_frame

Fitted = Callable[[str], Artifact]


def texts(table: Table, name: str) -> list[str | None]:
    column = table[name]
    levels = [*column.texts, None]
    return [levels[code] for code in column.codes]


def test_ten_times_as_many_rows_are_drawn_and_the_first_are_those_of_a_sample(
    fitted: Fitted,
) -> None:
    artifact = fitted("tvae")
    few, more = released(artifact, None, 40, 7, 1)
    assert (len(few), len(more)) == (40, 360)
    other, _ = released(artifact, None, 20, 7, 1)
    assert texts(other, "spend") == texts(few, "spend")[:20]


def test_rows_that_are_given_are_audited_and_more_drawn_beside_them(
    fitted: Fitted, csv: Path, frame: pd.DataFrame
) -> None:
    table = read_table(str(csv))
    theirs = given_rows(Sources(str(csv), synthetic=str(csv)), table)
    given, more = released(fitted("tvae"), theirs, 40, 0, 1)
    assert texts(given, "customer_id") == frame["customer_id"].tolist()
    assert len(more) == 9 * len(frame)


def test_many_rows_are_not_drawn_ten_times(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_ROWS", 100)
    for rows, found in ((80, (80, 20)), (90, (90, 0)), (300, (100, 0))):
        few, more = released(fitted("tvae"), None, rows, 0, 1)
        assert (len(few), len(more or ())) == found


def test_beside_as_many_rows_as_may_be_drawn_none_are(
    fitted: Fitted, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST_ROWS", 610)
    theirs = read_table(str(csv))
    assert released(fitted("tvae"), theirs, 40, 0, 1) == (theirs, None)
    notes = of_rows(Sources(str(csv), synthetic=str(csv)), 600, 0, 0)
    assert "at most 1,000,000 are drawn" in notes[-1]


def test_a_holdout_of_the_users_own_goes_with_all_rows_that_were_learnt(
    model_file: Path, csv: Path
) -> None:
    artifact = load(model_file)
    found = sides_of(artifact, Sources(str(csv), holdout=str(csv), model=model_file))
    assert (len(found.real), len(found.holdout)) == (600, 600)
    with pytest.raises(UsageError, match="pass such rows with --holdout"):
        sides_of(artifact, Sources(str(csv), model=model_file))


def test_a_holdout_has_the_columns_of_the_real_table_and_no_others(
    model_file: Path, csv: Path, frame: pd.DataFrame, tmp_path: Path
) -> None:
    artifact = load(model_file)
    frame.assign(more=1).to_csv(tmp_path / "wide.csv", index=False)
    found = sides_of(artifact, Sources(str(csv), str(tmp_path / "wide.csv"), model=model_file))
    assert set(found.holdout.names) == set(frame)
    joined([found.real, found.holdout])  # as a deep audit does
    frame.drop(columns="spend").to_csv(tmp_path / "narrow.csv", index=False)
    narrow = str(tmp_path / "narrow.csv")
    with pytest.raises(SchemaError, match="the holdout table has no column 'spend'"):
        sides_of(artifact, Sources(str(csv), narrow, model=model_file))
    with pytest.raises(SchemaError, match="the synthetic table has no column 'spend'"):
        given_rows(Sources(str(csv), synthetic=narrow), found.real)


def test_one_row_of_each_unit_is_drawn_on_both_sides() -> None:
    people = [None, *"aaabbc"]
    table = from_frame(pd.DataFrame({"who": people, "x": range(7)}))
    sides = Sides(table, table.rows(slice(1, 4)), Schema(()), np.arange(10, 17))
    found = [one_of_each(sides, "who", seed) for seed in range(40)]
    assert {tuple(texts(each.real, "who")) for each in found} == {("a", "b", "c")}
    assert {texts(each.real, "x")[0] for each in found} == {"1", "2", "3"}
    assert {tuple(texts(each.holdout, "who")) for each in found} == {("a",)}
    for each in found:
        assert each.places.tolist() == [10 + int(x or 0) for x in texts(each.real, "x")]


@pytest.mark.parametrize("unit", ["row", "who"])
def test_the_promise_to_people_is_not_held_against_attacks_on_rows(unit: str) -> None:
    table = from_frame(pd.DataFrame({"who": list("aab"), "x": range(3)}))
    sides = Sides(table, table, Schema(()), np.arange(3))
    promised = {"epsilon": 2.0, "delta": 1e-5, "unit": unit}
    found, claim, notes = held(Artifact({"privacy": {"claim": promised}}, {}), sides, 0)
    if unit == "row":
        assert (found, claim, notes) == (sides, Claim(2.0, 1e-5, "one row"), ())
        return
    assert claim is None
    assert len(found.real) == len(found.holdout) == 2
    assert "for all rows of one 'who', is not held against" in notes[0]


def test_every_column_that_is_missing_is_named() -> None:
    one = from_frame(pd.DataFrame({"a": [1], "b": [2], "c": [3]}))
    two = from_frame(pd.DataFrame({"a": [1]}))
    with pytest.raises(SchemaError) as caught:
        check_columns(one, {"holdout": one, "synthetic": two})
    assert len(caught.value.reasons) == 2
