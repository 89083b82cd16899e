"""Columns that follow from one other, and the place that they get."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthvae.codecs import following as module
from synthvae.codecs.following import following, told
from synthvae.seeds import stream
from synthvae.table import from_frame

N = 4_000


def found(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    told_by = following(from_frame(frame), list(frame), list(frame), stream(0, "t"))
    return {name: others for name, others in told_by.items() if others}


def test_mistakes_that_are_spared_on_rows_that_were_not_counted() -> None:
    """Lambda by hand: beside x the guess is right in 3 of 4 rows, alone in 2 of 4."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 40_000)
    y = np.where(rng.random(40_000) < 0.75, x, 1 - x)
    assert told(x, y) == pytest.approx(0.5, abs=0.02)
    assert told(x, x) == 1.0
    assert told(rng.permutation(x), y) == pytest.approx(0.0, abs=0.02)


def test_a_running_number_tells_nothing() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"row": rng.permutation(N), "day": rng.integers(0, 7, N)})
    assert found(frame) == {}


def test_a_part_follows_from_the_whole_and_not_the_whole_from_a_part() -> None:
    rng = np.random.default_rng(2)
    hour, minute = rng.integers(0, 24, N), 5 * rng.integers(0, 12, N)
    frame = pd.DataFrame({"time": 100 * hour + minute, "minute": minute, "hour": hour})
    assert found(frame) == {"time": ("minute", "hour")}


def test_a_few_exceptions_are_none() -> None:
    rng = np.random.default_rng(3)
    town = rng.integers(0, 60, N)
    country = np.where(rng.random(N) < 0.05, rng.integers(0, 6, N), town // 10)
    assert found(pd.DataFrame({"town": town, "country": country})) == {"town": ("country",)}


def test_what_tells_each_other_keeps_its_order() -> None:
    rng = np.random.default_rng(4)
    code = rng.integers(0, 12, N)
    other = np.where(rng.random(N) < 0.15, rng.integers(0, 11, N), np.minimum(code, 10))
    frame = pd.DataFrame({"code": code, "name": [f"n{c}" for c in other]})
    assert found(frame) == {}


@pytest.mark.parametrize(("share", "parts"), [(0.4, {}), (0.6, {"many": ("few",)})])
def test_half_of_the_mistakes_are_to_be_spared(
    share: float, parts: dict[str, tuple[str, ...]]
) -> None:
    rng = np.random.default_rng(5)
    many = rng.integers(0, 30, N)
    few = np.where(rng.random(N) < share, many // 10, rng.integers(0, 3, N))
    assert found(pd.DataFrame({"many": many, "few": few})) == parts


def test_of_a_wide_table_fewer_rows_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    once = told
    monkeypatch.setattr(module, "told", lambda a, b: looked.append(len(a)) or once(a, b))
    monkeypatch.setattr(module, "_CELLS", 5_000)
    found(pd.DataFrame({"a": np.arange(N) % 9, "b": np.arange(N) % 3}))
    assert set(looked) == {1_250}


@pytest.mark.parametrize("rows", [12, 30])
def test_chance_makes_no_parts_of_few_rows(rows: int) -> None:
    for seed in range(10):
        codes = np.random.default_rng(seed).integers(0, [[2], [3], [5], [8], [13], [20]], (6, rows))
        assert found(pd.DataFrame({f"c{i}": column for i, column in enumerate(codes)})) == {}


def test_nor_of_the_fewest_that_are_looked_at() -> None:
    rng = np.random.default_rng(6)
    sizes = rng.integers(2, 40, 30)
    codes = rng.integers(0, sizes[:, None], (30, module.ROWS[0]))
    assert found(pd.DataFrame({f"c{i}": column for i, column in enumerate(codes)})) == {}
