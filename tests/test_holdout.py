"""Rows that a fit leaves out: which, how many, and that nothing of them is learnt or told."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthvae import holdout
from synthvae.errors import ArtifactError, SchemaError
from synthvae.holdout import Holdout, count_of, reserve, reserve_private, without
from synthvae.table import Table, from_frame

ROWS = 6000


def table(rows: int = ROWS, seed: int = 0) -> Table:
    """Few distinct rows among many that are their own."""
    rng = np.random.default_rng(seed)
    number = np.where(rng.random(rows) < 0.5, 7.0, np.round(rng.normal(size=rows), 3))
    number[rng.random(rows) < 0.05] = np.nan
    who = rng.integers(0, rows // 3, rows)
    return from_frame(pd.DataFrame({"n": number, "k": rng.choice(["a", "b"], rows), "who": who}))


def rows_of(table: Table) -> list[tuple[str, ...]]:
    """What stands in each row, sorted."""
    columns = [[*c.texts, "null"] for c in table.columns]
    codes = [c.codes for c in table.columns]
    cells = zip(*([t[i] for i in c] for t, c in zip(columns, codes, strict=True)), strict=True)
    return sorted(cells)


@pytest.mark.parametrize(
    ("rows", "share", "count"),
    [
        (100_000, 0.1, 10_000),
        (8_000, 0.1, 1_000),
        (4_000, 0.1, 800),
        (2_500, 0.1, 500),
        (2_499, 0.1, 0),
        (1_000, 0.5, 500),
        (900, 0.5, 0),
        (100_000, 0.0, 0),
    ],
)
def test_a_tenth_or_a_thousand_or_a_fifth_or_none(rows: int, share: float, count: int) -> None:
    assert count_of(rows, share) == count


def test_the_count_is_kept_and_the_seed_chooses() -> None:
    data = table()
    masks = [reserve(data, 0.1, seed) for seed in (0, 0, 1)]
    assert [int(mask.sum()) for mask in masks] == [1000] * 3
    assert (masks[0] == masks[1]).all()
    assert 100 < (masks[0] & masks[2]).sum() < 240  # by chance: a sixth of a thousand


def test_the_order_of_rows_and_columns_changes_nothing() -> None:
    data = table()
    order = np.random.default_rng(1).permutation(ROWS)
    other = Table(tuple(column.rows(order) for column in reversed(data.columns)))
    mask = reserve(other, 0.1, 0)
    left = Table(other.columns[::-1]).rows(~mask)
    assert rows_of(left) == rows_of(without(data, reserve(data, 0.1, 0)))


def test_every_row_has_the_same_lot_however_common_it_is() -> None:
    same = from_frame(pd.DataFrame({"x": ["often"] * 4000 + [str(i) for i in range(6000)]}))
    mask = reserve(same, 0.1, 0)
    assert 320 < mask[:4000].sum() < 480  # 400 expected, 19 the deviation


def test_one_row_more_in_a_private_fit_is_at_most_one_more_that_is_learnt() -> None:
    data = table(300)
    whole = rows_of(without(data, reserve_private(data, 0.3, 0, 50_000, None)))
    for left_out in range(0, 300, 7):
        fewer = data.rows(np.arange(300) != left_out)
        less = rows_of(without(fewer, reserve_private(fewer, 0.3, 0, 50_000, None)))
        gone = list(whole)
        for row in less:
            gone.remove(row)  # ValueError: a row that the whole table did not give
        assert len(gone) <= 1


MOMENTS = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(3000), "D")
TYPED = {
    "a fraction of a second": (MOMENTS, pd.Timestamp("2024-03-01 10:00:00.250")),
    "a time of day": (MOMENTS, pd.Timestamp("2024-03-01 10:00:00")),
    "a fraction": (10.0**15 + np.arange(3000.0), 0.5),
    "an exponent": (np.arange(3000.0), 1e300),
    "a missing number": (np.arange(3000.0), np.nan),
}


@pytest.mark.parametrize(("values", "other"), TYPED.values(), ids=list(TYPED))
def test_how_one_value_is_written_changes_no_lot_of_others(values: Any, other: Any) -> None:
    whole = from_frame(pd.DataFrame({"v": [*values, other]}))
    lots = reserve_private(from_frame(pd.DataFrame({"v": values})), 0.1, 0, 3000, None)
    assert (reserve_private(whole, 0.1, 0, 3000, None)[:-1] == lots).all()
    owned = reserve_private(from_frame(pd.DataFrame({"v": values})), 0.1, 0, 3000, "v")
    assert (reserve_private(whole, 0.1, 0, 3000, "v")[:-1] == owned).all()


def test_a_private_fit_leaves_out_all_rows_of_a_person_or_none() -> None:
    data = table()
    mask = reserve_private(data, 0.1, 0, 50_000, "who")
    codes = data["who"].codes
    assert 0.08 < mask.mean() < 0.12
    assert not set(codes[mask].tolist()) & set(codes[~mask].tolist())


def test_what_a_private_fit_leaves_out_depends_on_a_public_number_of_rows() -> None:
    data = table()
    assert not reserve_private(data, 0.1, 0, 2000, None).any()
    assert 850 < reserve_private(data, 0.1, 0, 6000, None).sum() < 1150


def test_values_of_rows_left_out_are_gone() -> None:
    data = table()
    mask = reserve(data, 0.1, 0)
    kept = without(data, mask)
    assert all(column.counts.all() for column in kept.columns)
    only_left_out = set(rows_of(data.rows(mask))) - set(rows_of(kept))
    assert only_left_out
    assert len(kept) == ROWS - 1000


def test_the_note_tells_the_rows_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, model, path = table(), tmp_path / "m.synthvae", tmp_path / "m.synthvae.holdout.json"
    model.write_bytes(b"weights")
    mask = reserve(data, 0.1, 0)
    monkeypatch.setattr(Path, "chmod", None)  # nobody may read it before
    Holdout.of(data, mask, model).save(path)
    assert holdout.beside(model) == path
    assert len({holdout.beside(tmp_path / name) for name in ("a.v1", "a.v2", "a")}) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = holdout.load(path)
    order = np.random.default_rng(2).permutation(ROWS)
    found = data.rows(order).rows(again.mask(data.rows(order)))
    assert rows_of(found) == rows_of(data.rows(mask))
    assert again.model == holdout.sha256(model)


def test_the_note_holds_keyed_hashes_and_no_value(tmp_path: Path) -> None:
    data, model = table(), tmp_path / "m.synthvae"
    model.write_bytes(b"weights")
    notes = [Holdout.of(data, reserve(data, 0.1, 0), model) for _ in range(2)]
    assert not notes[0].hashes & notes[1].hashes  # no two notes can be joined
    notes[0].save(tmp_path / "n.json")
    content = json.loads((tmp_path / "n.json").read_text())
    assert set(content) == {"format", "model", "salt", "rows"}
    assert all(len(text) == 32 for text in content["rows"])


def test_another_table_is_refused(tmp_path: Path) -> None:
    data, model = table(), tmp_path / "m.synthvae"
    model.write_bytes(b"weights")
    note = Holdout.of(data, reserve(data, 0.1, 0), model)
    with pytest.raises(SchemaError, match="pass that very file"):
        note.mask(table(seed=1))
    with pytest.raises(SchemaError, match="it has 9"):
        note.mask(data.rows(slice(0, ROWS - 60)))


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2}', "[1]", '{"format": 1, "salt": "x"}'])
def test_a_note_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "n.json"
    path.write_text(text)
    with pytest.raises(ArtifactError, match="restore it"):
        holdout.load(path)
