"""Nothing of fewer than ten real rows is drawn, and no edge is a value of the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthvae.report.cells import LEAST, overlay
from synthvae.report.edges import linear_edges, log_edges, moment_edges, nice_step, written


def counts(found, rows: int, table: str) -> np.ndarray:
    cells = (*found.bars, *found.bins)
    return np.array([getattr(cell, table) * rows for cell in cells])


def texts(**levels: int) -> pd.Series:
    return pd.Series([level for level, n in levels.items() for _ in range(n)], dtype=object)


def test_rare_categories_are_merged_until_other_holds_ten_rows_of_both_tables():
    real = texts(common=500, usual=300, scarce=40, nine=9, one=1)
    holdout = texts(common=100, usual=80, scarce=12, nine=2)
    synthetic = texts(common=500, usual=250, scarce=50, invented=40)
    found = overlay(real, holdout, synthetic)
    labels = [cell.label for cell in found.bars]
    # 'other' would hold 10 real, but 2 holdout rows: it takes the rarest level in.
    assert labels == ["common", "usual", "other"]
    assert found.bars[-1].real == pytest.approx(50 / 850, abs=1e-4)
    assert found.bars[-1].synthetic == pytest.approx(90 / 840, abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_every_cell_holds_ten_rows_of_each_real_table(seed: int):
    rng = np.random.default_rng(seed)
    columns = {
        "text": lambda n: pd.Series(rng.choice(list("abcdefghijklmnopqrst"), n, p=share)),
        "few": lambda n: pd.Series(rng.poisson(3, n).astype(float)),
        "wide": lambda n: pd.Series(np.where(rng.random(n) < 0.3, 0, rng.lognormal(8, 2, n))),
        "plain": lambda n: pd.Series(np.where(rng.random(n) < 0.02, np.nan, rng.normal(0, 1, n))),
    }
    share = rng.dirichlet(np.full(20, 0.3))
    for name, draw in columns.items():
        sizes = {"real": 900, "holdout": 260, "synthetic": 900}
        found = overlay(*(draw(n) for n in sizes.values()))
        if found is None:
            continue
        for table in ("real", "holdout"):
            # Shares are of the drawn rows, which may be a few less than all.
            assert (counts(found, sizes[table], table) > LEAST - 0.6).all(), name
            assert sum(counts(found, 1, table)) == pytest.approx(1, abs=0.005)


def test_edges_are_round_and_no_values_of_the_table():
    rng = np.random.default_rng(0)
    values = rng.normal(1234.5678, 99, 5000).round(4)
    edges = linear_edges(values, 40)
    assert not set(edges) & set(values)
    assert {round(step, 9) for step in np.diff(edges)} <= {10.0, 20.0, 25.0, 50.0}
    skewed = rng.lognormal(9, 2, 5000).round(3)
    assert not set(log_edges(skewed, 40)) & set(skewed)
    found = overlay(*(pd.Series(rng.lognormal(9, 2, 3000)) for _ in range(3)))
    assert found.scale == "log"
    assert all(float(f"{edge:.1e}") == pytest.approx(edge) for edge in found.edges)


def test_whole_numbers_get_no_empty_bins_between_them():
    rng = np.random.default_rng(0)
    edges = linear_edges(rng.integers(0, 60, 5000).astype(float), 40)
    assert (np.diff(edges) == 2).all()
    days = pd.Series(np.repeat(np.arange(1.0, 32.0), 1000))
    found = overlay(days, days, days)
    assert {cell.real for cell in found.bins} == {round(1 / 31, 4)}  # the last day has its own


def test_moments_are_cut_on_the_calendar():
    days = pd.date_range("2019-12-05", "2021-02-03", freq="7h")
    edges = moment_edges(days.astype("int64").to_numpy() / 1e9, 20)
    starts = pd.to_datetime(edges, unit="s")
    assert (starts.day == 1).all()
    assert starts[0] <= days[20]
    assert starts[-1] >= days[-20]


def test_outliers_stand_in_the_last_bin_and_no_axis_reaches_them():
    rng = np.random.default_rng(0)
    real = pd.Series(np.append(rng.normal(50, 5, 4000), 1e6))
    found = overlay(real, pd.Series(rng.normal(50, 5, 900)), real)
    assert found.edges[-1] < 100
    assert "1000000" not in str(found.to_json())


def test_few_missing_values_are_not_drawn():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, 2000)
    few, many = values.copy(), values.copy()
    few[:9], many[:200] = np.nan, np.nan
    fresh = pd.Series(values)
    assert overlay(pd.Series(few), fresh, fresh).bars == ()
    bars = overlay(pd.Series(many), pd.Series(many), fresh).bars
    assert [bar.label for bar in bars] == ["no value"]


def test_a_spike_is_a_bar_of_its_own():
    rng = np.random.default_rng(0)
    column = pd.Series(np.where(rng.random(3000) < 0.4, 0.0, rng.lognormal(3, 1, 3000)))
    found = overlay(column, column, column)
    assert [bar.label for bar in found.bars] == ["= 0"]
    assert found.scale == "log"


def test_what_is_too_rare_throughout_is_not_drawn():
    names = pd.Series([f"name {i}" for i in range(40)], dtype=object)
    assert overlay(names, names, names) is None
    assert overlay(*(pd.Series(np.full(500, 3.0)),) * 3) is None  # one value has no distribution


def test_steps_and_numbers_are_written_as_people_write_them():
    assert [nice_step(x) for x in (0.9, 1.0, 1.1, 0.3, 26)] == [1.0, 1.0, 2.0, 0.5, 50.0]
    assert [written(x) for x in (1200.0, 0.25, 3.0)] == ["1,200", "0.25", "3"]
