"""The encoded row: order, parts, JSON and the one-hot view."""

import json

import numpy as np
import pytest

from synthvae.layout import Block, Encoded, Layout

BLOCKS = (
    Block("sex", "sex", "categorical", 2),
    Block("age:mode", "age", "categorical", 3),
    Block("age:scalar", "age", "scalar", 1),
    Block("pay:coarse", "pay", "categorical", 4),
    Block("pay:fine", "pay", "categorical", 2),
    Block("debt:scalar", "debt", "scalar", 1),
)
LAYOUT = Layout(BLOCKS, ("pay",))
ROWS = Encoded(
    np.array([[0, 1, 2, -1], [1, 2, 0, 1]], np.int32),
    np.array([[0.5, np.nan], [np.nan, -0.25]], np.float32),
)


def test_sizes_follow_the_order_of_the_codes() -> None:
    assert LAYOUT.sizes == (2, 3, 4, 2)
    assert (LAYOUT.n_scalars, LAYOUT.width) == (2, 13)


def test_json_round_trip_is_the_identity() -> None:
    assert Layout.from_json(json.loads(json.dumps(LAYOUT.to_json()))) == LAYOUT


@pytest.mark.parametrize(
    ("given", "names", "codes", "scalars"),
    [
        (True, ["pay:coarse", "pay:fine"], [[2, -1], [0, 1]], (2, 0)),
        (False, ["sex", "age:mode", "age:scalar", "debt:scalar"], [[0, 1], [1, 2]], (2, 2)),
    ],
)
def test_given_and_modelled_split_the_row(
    given: bool, names: list[str], codes: list[list[int]], scalars: tuple[int, int]
) -> None:
    part = LAYOUT.part(given)
    taken = part.take(ROWS)
    assert [block.name for block in part.layout.blocks] == names
    assert taken.codes.tolist() == codes
    assert taken.scalars.shape == scalars


def test_without_given_columns_all_is_modelled() -> None:
    layout = Layout(BLOCKS)
    np.testing.assert_array_equal(layout.part(given=False).take(ROWS).scalars, ROWS.scalars)
    assert layout.part(given=True).take(ROWS).codes.shape == (2, 0)


def test_blocks_of_a_column_stand_where_they_stood() -> None:
    age = LAYOUT.of_column("age")
    taken = age.take(ROWS)
    assert [block.name for block in age.layout.blocks] == ["age:mode", "age:scalar"]
    assert taken.codes.tolist() == [[1], [2]]
    np.testing.assert_array_equal(taken.scalars, ROWS.scalars[:, :1])


def test_the_one_hot_view_leaves_absent_blocks_zero() -> None:
    expected = [
        [1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0.5, 0],
        [0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, -0.25],
    ]
    assert LAYOUT.one_hot(ROWS).tolist() == expected


def test_columns_are_put_side_by_side_and_rows_taken() -> None:
    left, right = LAYOUT.part(True).take(ROWS), LAYOUT.part(False).take(ROWS)
    both = Encoded.side_by_side([left, right], 2)
    assert both.codes.tolist() == [[2, -1, 0, 1], [0, 1, 1, 2]]
    assert both.rows([1]).codes.tolist() == [[0, 1, 1, 2]]
    assert len(both.rows(np.array([True, False]))) == 1
    assert len(Encoded.side_by_side([], 5)) == 5
