"""Conditions are drawn as often as they stand in the table, together if they are few."""

import json

import numpy as np
import pytest

from synthvae import conditions
from synthvae.conditions import Conditions, given_columns
from synthvae.layout import Block, Layout


def codes(rows: int) -> np.ndarray:
    """Two columns, the second of two blocks, which depend on the first."""
    rng = np.random.default_rng(0)
    first = rng.choice(3, rows, p=[0.6, 0.3, 0.1])
    return np.stack([first, first % 2, np.where(first == 2, -1, first)], axis=1).astype(np.int32)


COLUMNS = ["a", "b", "b"]


def shares(rows: np.ndarray) -> dict[tuple[int, ...], float]:
    found, counts = np.unique(rows, axis=0, return_counts=True)
    return {tuple(f): c / len(rows) for f, c in zip(found.tolist(), counts, strict=True)}


def test_few_combinations_are_drawn_together_as_often_as_in_the_table() -> None:
    table = codes(5000)
    drawn = Conditions.fit(table, COLUMNS).draw(np.random.default_rng(1), 20_000)
    real, new = shares(table), shares(drawn)
    assert drawn.dtype == np.int32
    assert new.keys() == real.keys()
    assert all(abs(new[key] - real[key]) < 0.02 for key in real)


def test_many_combinations_are_drawn_a_column_apart_but_blocks_stay_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conditions, "MAX_COMBINATIONS", 2)
    table = codes(5000)
    drawn = Conditions.fit(table, COLUMNS).draw(np.random.default_rng(1), 20_000)
    assert shares(drawn[:, 1:]).keys() == shares(table[:, 1:]).keys()
    real, new = shares(table[:, :1]), shares(drawn[:, :1])
    assert all(abs(new[key] - real[key]) < 0.02 for key in real)
    assert len(shares(drawn)) > len(shares(table))


def test_json_gives_the_same_draws() -> None:
    fitted = Conditions.fit(codes(500), COLUMNS)
    again = Conditions.from_json(json.loads(json.dumps(fitted.to_json())))
    one, two = (c.draw(np.random.default_rng(5), 1000) for c in (fitted, again))
    assert (one == two).all()


def test_no_conditions_are_drawn_as_no_columns() -> None:
    fitted = Conditions.fit(np.empty((7, 0), np.int32), [])
    assert fitted.draw(np.random.default_rng(0), 4).shape == (4, 0)
    assert Conditions.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


def test_given_columns_are_named_block_by_block() -> None:
    blocks = tuple(Block(f"{c}:{i}", c, "categorical", 4) for i, c in enumerate(["a", "b", "b"]))
    assert given_columns(Layout(blocks, ("b",)).part(given=True)) == ["b", "b"]


def test_a_combination_of_few_rows_is_not_kept() -> None:
    table = np.repeat(np.array([[0, 0], [1, 1], [2, 2]], np.int32), [50, 6, 5], axis=0)
    fitted = Conditions.fit(table, ["a", "b"])
    kept = {tuple(row) for factor in fitted.factors for row in factor.codes.tolist()}
    assert kept == {(0, 0), (1, 1)}
    assert abs(sum(fitted.factors[0].shares) - 1) < 1e-12


def test_where_every_combination_is_rare_none_is_told_from_another() -> None:
    table = np.repeat(np.array([[0], [1], [2]], np.int32), [5, 3, 1], axis=0)
    (factor,) = Conditions.fit(table, ["a"]).factors
    assert factor.codes.tolist() == [[0], [1], [2]]
    assert factor.shares.tolist() == [1 / 3] * 3


def test_combinations_of_one_unit_are_not_kept() -> None:
    table = np.repeat(np.array([[0, 0], [1, 1]], np.int32), [50, 40], axis=0)
    units = np.r_[np.arange(50), np.full(40, 99)].astype(np.int32)
    (factor,) = Conditions.fit(table, ["a", "b"], units).factors
    assert factor.codes.tolist() == [[0, 0]]


def test_where_no_combination_is_common_those_of_rare_levels_are_not_kept() -> None:
    pairs = [(a, b) for a in range(5) for b in range(5)] + [(9, 0), (0, 9)]
    table = np.repeat(np.array(pairs, np.int32), 2, axis=0)
    (factor,) = Conditions.fit(table, ["a", "a"]).factors
    assert factor.codes.tolist() == [list(pair) for pair in pairs[:25]]
    assert factor.shares.tolist() == [1 / 25] * 25


def test_what_is_fixed_stays_and_the_others_follow_from_it() -> None:
    fitted = Conditions.fit(codes(5000), COLUMNS)
    drawn = fitted.draw(np.random.default_rng(0), 1000, {0: 1})
    assert np.unique(drawn, axis=0).tolist() == [[1, 1, 1]]
    # Code 7 stands in no combination: the others are drawn as if nothing were fixed.
    unseen = fitted.draw(np.random.default_rng(0), 1000, {0: 7})
    assert (unseen[:, 0] == 7).all()
    assert shares(unseen[:, 1:]).keys() == shares(codes(5000)[:, 1:]).keys()
