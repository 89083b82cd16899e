"""The order in which columns are written."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from synthvae.codecs.dependence import ROWS, dependence, mutual_information, writing_order
from synthvae.codecs.table_codec import fit_table_codec
from synthvae.detect import detect
from synthvae.schema import resolve
from synthvae.seeds import stream
from synthvae.table import from_frame

N = 3_000


def ordered(frame: pd.DataFrame) -> tuple[str, ...]:
    table = from_frame(frame)
    codec = fit_table_codec(resolve(detect(table), table), table, "quantiles")
    return writing_order(codec.layout, codec.encode(table, 0), table, stream(0, "t"))


def test_mutual_information_of_equal_bins_is_their_entropy_and_of_others_nothing() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (2, N))
    assert mutual_information(a, a) == pytest.approx(math.log(4), abs=0.01)
    assert mutual_information(a, b) == pytest.approx(0, abs=0.005)
    assert mutual_information(a, np.zeros_like(a)) == 0


def test_few_rows_in_many_cells_are_no_dependence() -> None:
    rng = np.random.default_rng(1)
    shared = [mutual_information(*rng.integers(0, 16, (2, 300))) for _ in range(30)]
    uncorrected = 15 * 15 / (2 * 300)
    assert np.mean(shared) < uncorrected / 4


def test_the_column_on_which_others_hang_comes_first_and_the_lonely_one_after() -> None:
    rng = np.random.default_rng(2)
    hub = rng.normal(size=N).round(2)
    frame = pd.DataFrame(
        {
            "lonely": rng.integers(0, 5, N),
            "a": np.where(hub > 0, "x", "y"),
            "b": (hub + 0.3 * rng.normal(size=N)).round(1),
            "hub": hub,
        }
    )
    order = ordered(frame)
    assert order[0] == "hub"
    assert order[-1] == "lonely"


def test_a_running_number_comes_last() -> None:
    day = np.repeat(np.arange(30), N // 30)
    frame = pd.DataFrame({"row": np.arange(N) * 1.5, "day": day, "week": day // 7})
    assert ordered(frame)[-1] == "row"


def test_of_a_long_table_only_some_rows_are_looked_at() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.integers(0, 3, ROWS + 500)})
    frame["b"] = frame["a"]
    table = from_frame(frame)
    codec = fit_table_codec(resolve(detect(table), table), table, "quantiles")
    encoded = codec.encode(table, 0)
    total = dependence(codec.layout, encoded, stream(0, "t"))
    assert total["a"] == total["b"] == pytest.approx(math.log(3), abs=0.01)
