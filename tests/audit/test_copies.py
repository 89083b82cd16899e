"""Copies in tables small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synthvae.audit.copies import copies, exact_copies, near_copies, rare_combinations, reuse
from synthvae.audit.criteria import judged, questions_of
from synthvae.audit.policy import Policy
from synthvae.audit.sides import Effort, Tables, pool_of

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


def customers(real: range, holdout: range, released: range, rows: int = 2) -> Tables:
    """`rows` rows of each customer, and a number that tells all rows apart."""
    frames, rng = [], np.random.default_rng(0)
    for ids in (real, holdout, released):
        names = pd.Series([f"C{i}" for i in ids for _ in range(rows)], dtype=object)
        frames.append(pd.DataFrame({"id": names, "x": rng.normal(size=len(names))}))
    return Tables(frames[0], frames[1], frames[2], None, ("x",), {"id": "id"})


def test_values_of_two_rows_each_are_looked_for_too():
    """Distinct values of as many rows, all on one side: 40 customers came back, and no stranger."""
    tables = customers(range(40), range(50, 60), range(40))
    training, control = reuse(tables, tables.synthetic, "id").rates()
    assert (training.hits, training.n, control.hits, control.n) == (40, 40, 0, 10)


def test_values_of_as_many_rows_are_compared_those_of_most_values():
    tables = customers(range(40), range(50, 60), range(40))
    more = pd.DataFrame({"id": pd.Series(["D1", "D2"], dtype=object), "x": [0.5, 0.7]})
    real, holdout = pd.concat([tables.real, more[:1]]), pd.concat([tables.holdout, more[1:]])
    tables = replace(tables, real=real, holdout=holdout)
    training, control = reuse(tables, tables.synthetic, "id").rates()
    assert (training.n, control.n) == (40, 10)


def test_a_key_that_cannot_be_checked_is_open():
    """Every customer has a row on either side: whose it was that came back can't be told."""
    tables = customers(range(300), range(300), range(300), rows=1)
    found = copies(tables, pool_of(tables, {}, Effort(), 0), 0)
    assert [each.name for each in found.reused] == ["reused values"]
    assert np.isnan(found.reused[0].value)
    assert any("'id'" in note and "not checked" in note for note in found.notes)
    (question,) = questions_of([], (), [], found.reused, Policy())
    answer = judged(question, 0.95)
    assert answer.outcome == "INCONCLUSIVE"
    assert "too few rows to measure it" in answer.reason


def test_a_key_without_a_value_has_nothing_to_copy():
    tables = customers(range(300), range(300, 600), range(300), rows=1)
    none = {"id": pd.Series([None] * 300, dtype=object)}
    tables = replace(tables, real=tables.real.assign(**none), holdout=tables.holdout.assign(**none))
    assert copies(tables, pool_of(tables, {}, Effort(), 0), 0).reused == ()
