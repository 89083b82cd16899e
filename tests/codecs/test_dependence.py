"""The order in which columns are written."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from synthvae.codecs import dependence as module
from synthvae.codecs.dependence import ROWS, dependence, mutual_information, writing_order
from synthvae.codecs.table_codec import fit_table_codec
from synthvae.detect import detect
from synthvae.schema import resolve
from synthvae.seeds import stream
from synthvae.table import from_frame

N = 3_000


def _plug_in(a: np.ndarray, b: np.ndarray) -> float:
    joint = np.histogram2d(a, b, bins=16)[0] / len(a)
    there = joint > 0
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    return float((joint[there] * np.log(joint[there] / expected[there])).sum())


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


def test_the_bias_of_few_rows_in_many_cells_is_taken_off() -> None:
    """Of independent columns the plug-in estimate is (k - 1)^2 / 2n too high to first order."""
    rng = np.random.default_rng(1)
    bias = 15 * 15 / (2 * N)
    pairs = rng.integers(0, 16, (30, 2, N))
    shared = np.mean([mutual_information(*pair) for pair in pairs])
    same = [_plug_in(*pair) for pair in pairs]
    assert np.mean(same) == pytest.approx(bias, rel=0.1)
    assert shared < bias / 10


def test_the_column_on_which_others_hang_comes_first_and_the_lonely_one_after() -> None:
    rng = np.random.default_rng(2)
    hub = rng.normal(size=N).round(2)
    frame = pd.DataFrame(
        {
            "lonely": rng.integers(0, 5, N),
            "a": np.where(hub + 0.8 * rng.normal(size=N) > 0, "x", "y"),
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


def test_a_part_comes_before_the_whole() -> None:
    rng = np.random.default_rng(3)
    hour = rng.integers(0, 24, N)
    time = 100 * hour + 5 * rng.integers(0, 12, N)
    late = (time + 20 * rng.normal(size=N)).round()
    frame = pd.DataFrame({"late": late, "time": time, "hour": hour, "night": hour < 6})
    order = ordered(frame)
    assert order.index("night") < order.index("hour") < order.index("time")


def test_many_classes_come_first_if_they_are_about_equally_common() -> None:
    """Of 60 each: towns share nothing with the rest; four accounts in five are one."""
    rng = np.random.default_rng(4)
    hub = rng.normal(size=N).round(2)
    frame = pd.DataFrame(
        {
            "hub": hub,
            "with_hub": (hub + 0.3 * rng.normal(size=N)).round(1),
            "town": [f"town {i}" for i in rng.integers(0, 60, N)],
            "account": [f"a{i}" for i in np.where(rng.random(N) < 0.8, 0, rng.integers(0, 60, N))],
        }
    )
    order = ordered(frame)
    assert order[0] == "town"
    assert order.index("account") > order.index("with_hub")


def test_a_number_with_a_density_is_no_part() -> None:
    """A price follows from its article, and is easier to tell from it than the other way round."""
    rng = np.random.default_rng(5)
    article = rng.integers(0, 600, N)
    price = (rng.lognormal(3, 1, 300).round(2))[article // 2]
    frame = pd.DataFrame({"price": price, "article": [f"no {i}" for i in article]})
    assert ordered(frame) == ("article", "price")


def test_of_a_long_table_only_some_rows_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    bins = module._binned
    monkeypatch.setattr(
        module, "_binned", lambda column: looked.append(len(column)) or bins(column)
    )
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.integers(0, 3, ROWS + 500)})
    frame["b"] = frame["a"]
    table = from_frame(frame)
    codec = fit_table_codec(resolve(detect(table), table), table, "quantiles")
    encoded = codec.encode(table, 0)
    total = dependence(codec.layout, encoded, stream(0, "t"))
    assert looked == [ROWS, ROWS]
    assert total["a"] == total["b"] == pytest.approx(math.log(3), abs=0.01)
