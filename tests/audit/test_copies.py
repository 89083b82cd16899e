"""Copies in tables small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthvae.audit.copies import exact_copies, near_copies, rare_combinations, reuse
from synthvae.audit.sides import Tables

REAL = pd.DataFrame(
    {
        "x": [1.0, 2.0, 3.0, 4.0, 4.0],
        "g": pd.Series(list("aabbb"), dtype=object),
        "h": pd.Series(list("uvuvv"), dtype=object),
    }
)
HOLDOUT = pd.DataFrame(
    {
        "x": [5.0, 6.0, 7.0],
        "g": pd.Series(list("aab"), dtype=object),
        "h": pd.Series(list("uvw"), dtype=object),
    }
)
ONCE = np.array([True, True, True, False, False]), np.array([True, True, True])


def test_exact_copies_are_counted_among_rows_that_stand_once():
    released = pd.concat([REAL.iloc[[0, 3]], HOLDOUT.iloc[[2]].assign(x=70.0)])
    training, control = exact_copies((REAL, HOLDOUT), released, ONCE).rates()
    assert (training.hits, training.n, control.hits, control.n) == (1, 3, 0, 3)


def test_near_copies_agree_in_all_columns_but_one():
    released = pd.DataFrame(
        {
            "x": [2.0, 9.0, 6.0],
            "g": pd.Series(["b", "a", "a"], dtype=object),
            "h": pd.Series(["v", "z", "z"], dtype=object),
        }
    )
    exact = exact_copies((REAL, HOLDOUT), released, ONCE)
    found = near_copies((REAL, HOLDOUT), released, ONCE, exact)
    assert found.back[0].tolist() == [False, True, False, False, False]
    assert found.back[1].tolist() == [False, True, False]


def test_rare_combinations_are_those_of_one_real_row():
    """Only (b, u), (b, w) and numbers stand once; the fresh row brings (b, u) back."""
    released = pd.DataFrame(
        {
            "x": [9.0],
            "g": pd.Series(["b"], dtype=object),
            "h": pd.Series(["u"], dtype=object),
        }
    )
    names = ["g", "h"]
    found = rare_combinations((REAL[names], HOLDOUT[names]), released[names], 0)
    assert found.asked[0].tolist() == [False, False, True, False, False]
    assert found.asked[1].tolist() == [False, False, True]
    assert found.back[0].tolist() == [False, False, True, False, False]
    assert found.back[1].tolist() == [False] * 3


def test_reused_values_are_those_that_one_row_holds():
    real, holdout, released = (
        pd.DataFrame({"name": pd.Series(values, dtype=object)})
        for values in (["ann", "bob", "bob", "cem", None], ["dan", "eve"], ["cem", "bob", None])
    )
    tables = Tables(real, holdout, released, None, (), {"name": "name"})
    training, control = reuse(tables, released, "name").rates()
    assert (training.hits, training.n, control.hits, control.n) == (1, 2, 0, 2)
