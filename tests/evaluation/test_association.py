"""Associations are Cramér's V of the definition, and differences from the real table are found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from synthvae.evaluation.association import association


def table(seed: int, rows: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.choice(list("xyz"), rows)
    same = np.where(rng.random(rows) < 0.6, a, rng.choice(list("xyz"), rows))
    number = rng.normal(size=rows)
    return pd.DataFrame({"a": a, "b": same, "n": number, "m": number**3, "one": "same"})


def naive(first: pd.Series, second: pd.Series) -> float:
    """Bias-corrected V of two text columns, from scipy's chi squared."""
    crossed = pd.crosstab(first, second)
    n, (r, k) = crossed.to_numpy().sum(), crossed.shape
    phi = chi2_contingency(crossed, correction=False)[0] / n
    phi = max(0, phi - (r - 1) * (k - 1) / (n - 1))
    r, k = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    return float(np.sqrt(phi / min(r - 1, k - 1)))


def test_v_is_that_of_the_definition():
    real, fresh = table(0), table(1)
    found = association(real, fresh, table(2), seed=0)
    assert found.real[0, 1] == pytest.approx(naive(real["a"], real["b"]))
    assert found.holdout[0, 1] == pytest.approx(naive(fresh["a"], fresh["b"]))
    assert found.names == ("a", "b", "n", "m", "one")


def test_columns_that_follow_from_each_other_have_1_and_strangers_0():
    found = association(table(0), table(1), table(2), seed=0)
    assert found.real[2, 3] == pytest.approx(1.0, abs=1e-6)  # the same deciles
    assert found.real[0, 2] < 0.05
    assert np.isnan(found.real[0, 4])  # a column of one value goes with nothing
    assert np.allclose(found.real, found.real.T, equal_nan=True)


def test_fresh_rows_are_at_the_floor_and_shuffled_ones_far_above():
    real, holdout = table(0), table(1)
    fresh = association(real, holdout, table(2), seed=0).metric
    assert fresh.interval.low < fresh.floor < fresh.interval.high * 2
    rng = np.random.default_rng(0)
    whole = table(2)
    shuffled = pd.DataFrame({n: whole[n].to_numpy()[rng.permutation(3000)] for n in whole})
    told = association(real, holdout, shuffled, seed=0).metric
    assert told.interval.low > told.floor_interval.high
    assert told.value == pytest.approx(100 * 1.6 / 10, abs=2)  # two of ten pairs lost theirs


def test_one_column_has_no_pairs():
    one = table(0)[["a"]]
    with pytest.raises(ValueError, match="at least two columns"):
        association(one, one, one, seed=0)
