"""Hashes are equal where values are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthvae.audit.hashing import column_hash, counts_of, rows_hash


def test_equal_values_have_equal_hashes():
    numbers = column_hash(pd.Series([0.0, -0.0, 1.5, np.nan, np.nan, 1.5000001]), "x")
    assert numbers[0] == numbers[1]
    assert numbers[3] == numbers[4]
    assert len(set(numbers.tolist())) == 4
    texts = column_hash(pd.Series(["a", "b", None, "a", "None", np.nan], dtype=object), "x")
    assert texts[0] == texts[3]
    assert texts[2] == texts[5]
    assert len(set(texts.tolist())) == 4


def test_the_same_value_in_another_column_is_another():
    frame = pd.DataFrame({"a": ["u", "v"], "b": ["v", "u"]})
    assert rows_hash(frame)[0] != rows_hash(frame)[1]


def test_the_order_of_columns_does_not_matter():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["v", "u"]})
    assert rows_hash(frame).tolist() == rows_hash(frame[["b", "a"]]).tolist()


def test_a_column_can_be_taken_away():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["v", "u"], "c": [3.0, 3.0]})
    rest = rows_hash(frame) - column_hash(frame["a"], "a")
    assert rest.tolist() == rows_hash(frame[["b", "c"]]).tolist()


def test_hashes_of_many_values_do_not_meet():
    values = pd.Series(np.arange(200_000) / 100)
    assert len(np.unique(column_hash(values, "x"))) == 200_000


def test_counts():
    assert counts_of(np.array([3, 1, 2]), np.array([1, 1, 3, 5])).tolist() == [1, 2, 0]
