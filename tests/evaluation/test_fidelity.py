"""Shape, pair and detector on tables whose faults are known."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from synthvae.evaluation import detector, pair, shape

COLOURS = np.array(["red", "green", "blue", "rare"], dtype=object)


def table(seed: int, rows: int) -> pd.DataFrame:
    """Five columns that hang together, with missing values in one of either kind."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows)
    colour = COLOURS[rng.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])]
    weight = 2 * size + rng.normal(size=rows)
    weight[rng.random(rows) < 0.1] = np.nan
    mood = np.where(size > 0, "up", "down").astype(object)
    mood[rng.random(rows) < 0.2] = None
    count = rng.poisson(1.0 + (colour == "red"), rows).astype(float)
    return pd.DataFrame(
        {"size": size, "colour": colour, "weight": weight, "mood": mood, "count": count}
    )


def permuted(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {name: frame[name].to_numpy()[rng.permutation(len(frame))] for name in frame}
    )


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than they bring on tables this small."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return table(0, 800)


@pytest.fixture(scope="module")
def holdout() -> pd.DataFrame:
    return table(1, 400)


@pytest.fixture(scope="module")
def fresh() -> pd.DataFrame:
    return table(2, 800)


# ---------------------------------------------------------------- a second, naive opinion


def naive_column(real: pd.Series, other: pd.Series) -> float:
    """KS or total variation, straight from the definition."""
    if real.dtype == float:
        a, b = real.dropna(), other.dropna()
        gaps = [abs((a <= x).mean() - (b <= x).mean()) for x in {*a, *b}]
        return 100 * max(*gaps, abs(real.isna().mean() - other.isna().mean()))
    a, b = real.fillna("-"), other.fillna("-")
    return 50 * sum(abs((a == x).mean() - (b == x).mean()) for x in {*a, *b})


def naive_cells(real: pd.Series, column: pd.Series) -> pd.Series:
    """Names of the cells: deciles of `real`, or from value to value, and missing."""
    if real.dtype != float:
        return column.fillna("missing")
    few = real.nunique() <= 10
    edges = np.unique(real.dropna() if few else np.nanquantile(real, np.linspace(0, 1, 11)))
    cells = pd.cut(column, [-np.inf, *edges, np.inf], right=False).astype(str)
    return cells.where(column.notna(), "missing")


def naive_pair(real: pd.DataFrame, other: pd.DataFrame, a: str, b: str) -> float:
    joint = []
    for frame in (real, other):
        cells = naive_cells(real[a], frame[a]), naive_cells(real[b], frame[b])
        joint.append(pd.Series(list(zip(*cells, strict=True))).value_counts(normalize=True))
    return 50 * float(joint[0].subtract(joint[1], fill_value=0).abs().sum())


def test_shape_is_the_naive_mean_over_columns(real, holdout):
    synthetic = permuted(holdout).assign(size=lambda frame: frame["size"] * 1.3)
    metric = shape(real, holdout, synthetic, seed=0)
    columns = {name: naive_column(real[name], synthetic[name]) for name in real}
    assert metric.detail == pytest.approx(columns)
    assert metric.value == pytest.approx(np.mean(list(columns.values())))
    floor = np.mean([naive_column(real[name], holdout[name]) for name in real])
    assert metric.floor == pytest.approx(floor)
    assert metric.ratio == pytest.approx(metric.value / floor)


def test_pair_is_the_naive_mean_over_all_pairs(real, holdout):
    synthetic = permuted(holdout)
    assert real["count"].nunique() <= 10 < real["size"].nunique()
    metric = pair(real, holdout, synthetic, seed=0)
    pairs = {
        f"{a} x {b}": naive_pair(real, synthetic, a, b) for a, b in itertools.combinations(real, 2)
    }
    assert metric.detail == pytest.approx(pairs)
    assert metric.value == pytest.approx(np.mean(list(pairs.values())))
    floor = np.mean([naive_pair(real, holdout, a, b) for a, b in itertools.combinations(real, 2)])
    assert metric.floor == pytest.approx(floor)


# ---------------------------------------------------------------- known truths


def test_fresh_rows_score_like_the_holdout(real, holdout, fresh):
    for metric in (shape(real, holdout, fresh, 0), pair(real, holdout, fresh, 0)):
        assert 0.5 < metric.ratio < 1.6
        assert metric.interval.low < metric.value < metric.interval.high
        assert metric.n == 400
    assert detector(real, holdout, fresh, 0).value == pytest.approx(0.5, abs=0.04)


def test_permuted_columns_pass_shape_but_neither_pair_nor_detector(real, holdout, fresh):
    synthetic = permuted(fresh)
    assert 0.5 < shape(real, holdout, synthetic, 0).ratio < 1.5
    pairs = pair(real, holdout, synthetic, 0)
    assert pairs.interval.low > pairs.floor_interval.high
    assert next(iter(pairs.detail)) in ("size x weight", "size x mood")
    told = detector(real, holdout, synthetic, 0)
    assert told.interval.low > 0.75
    assert told.floor_interval.low < 0.5 < told.floor_interval.high
    assert max(told.detail, key=told.detail.get) in ("size", "weight", "mood")


def test_a_shifted_column_is_caught_and_named(real, holdout, fresh):
    synthetic = fresh.assign(count=fresh["count"] + 1.0)
    metric = shape(real, holdout, synthetic, 0)
    assert metric.interval.low > metric.floor_interval.high
    assert max(metric.detail, key=metric.detail.get) == "count"
    told = detector(real, holdout, synthetic, 0)
    assert told.interval.low > 0.6
    assert max(told.detail, key=told.detail.get) == "count"
    assert told.detail["count"] > 0.1
    assert told.detail["mood"] == pytest.approx(0, abs=0.05)
    worst = next(iter(pair(real, holdout, synthetic, 0).detail))
    assert "count" in worst.split(" x ")


def test_an_invented_level_is_caught_and_named(real, holdout, fresh):
    synthetic = fresh.assign(colour=fresh["colour"].where(fresh["colour"] != "green", "grey"))
    assert shape(real, holdout, synthetic, 0).detail["colour"] > 25
    told = detector(real, holdout, synthetic, 0)
    assert max(told.detail, key=told.detail.get) == "colour"


@pytest.mark.parametrize("column", ["size", "colour"])
def test_the_missing_share_counts(real, holdout, fresh, column):
    synthetic = fresh.copy()
    synthetic.loc[synthetic.index[::4], column] = None
    metric = shape(real, holdout, synthetic.iloc[:400], 0)
    assert metric.detail[column] == pytest.approx(25, abs=3)
    assert pair(real, holdout, synthetic.iloc[:400], 0).value > 8


def test_a_column_without_any_value_is_as_far_away_as_can_be(real, holdout, fresh):
    synthetic = fresh.assign(size=np.nan, colour=pd.Series([None] * len(fresh), dtype=object))
    detail = shape(real, holdout, synthetic, 0).detail
    assert detail["size"] == pytest.approx(100)
    assert detail["colour"] == pytest.approx(100)


def test_none_and_nan_are_the_same_missing_text(real, holdout):
    other = holdout.assign(mood=holdout["mood"].where(holdout["mood"].notna(), np.nan))
    assert shape(real, holdout, other, 0).ratio == pytest.approx(1.0)
    assert pair(real, holdout, other, 0).ratio == pytest.approx(1.0)


def test_one_outlier_does_not_move_the_pairs(real, holdout, fresh):
    before = pair(real, holdout, fresh.iloc[:400], 0)
    wild = fresh.iloc[:400].reset_index(drop=True)
    wild.loc[0, "size"] = 1e9
    after = pair(real, holdout, wild, 0)
    assert after.value == pytest.approx(before.value, abs=0.15)


def test_copies_of_real_rows_score_below_a_half(real, holdout):
    assert detector(real, holdout, real.copy(), 0).interval.high < 0.5


def test_the_order_of_real_rows_gives_nothing_away(real, holdout):
    told = detector(real.sort_values("size", ignore_index=True), holdout, holdout, 0)
    assert told.floor == pytest.approx(0.5, abs=0.07)


def test_text_that_is_mostly_new_does_not_give_fresh_rows_away(real, holdout, fresh):
    rng = np.random.default_rng(0)
    frames = [
        frame.assign(code=[f"c{k}" for k in rng.integers(1500, size=len(frame))])
        for frame in (real, holdout, fresh)
    ]
    told = detector(*frames, 0)
    assert told.value == pytest.approx(0.5, abs=0.05)
    assert told.floor == pytest.approx(0.5, abs=0.06)


# ---------------------------------------------------------------- intervals and seeds


@pytest.mark.parametrize("metric", [shape, pair])
def test_the_interval_covers_the_mean_distance_of_redrawn_rows(metric):
    real, holdout = table(0, 1000), table(1, 300)
    found = [metric(real, holdout, table(seed, 300), seed) for seed in range(100, 160)]
    truth = np.mean([each.value for each in found])
    hits = [each.interval.low <= truth <= each.interval.high for each in found]
    assert np.mean(hits) >= 0.88
    # Wide enough is not too wide: about two standard deviations of the redrawn values each way.
    half_width = np.mean([each.interval.high - each.value for each in found])
    assert half_width < 3.5 * np.std([each.value for each in found])


def test_the_same_seed_gives_the_same_record(real, holdout, fresh):
    for metric in (shape, pair):
        first = metric(real, holdout, fresh, 3)
        assert metric(real, holdout, fresh, 3) == first
        assert metric(real, holdout, fresh, 4).value != first.value
        assert first.seed == 3


def test_the_detector_repeats_itself_and_leaves_the_frames_alone():
    frames = [table(seed, 50) for seed in range(3)]
    copies = [frame.copy() for frame in frames]
    assert detector(*frames, 7) == detector(*frames, 7)
    for frame, copy in zip(frames, copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_two_rows_are_enough():
    frames = [table(seed, 2) for seed in range(3)]
    for metric in (shape, pair, detector):
        assert metric(*frames, 0).n == 2


def test_a_constant_table_has_no_ratio():
    frame = pd.DataFrame({"a": [1.0] * 9, "b": ["x"] * 9})
    metric = shape(frame, frame, frame, 0)
    assert metric.value == metric.floor == 0
    assert metric.ratio is None


def test_a_single_column_has_no_pairs(real):
    one = real[["size"]]
    with pytest.raises(ValueError, match="two columns; the table has 1;"):
        pair(one, one, one, 0)


# ---------------------------------------------------------------- what a report draws


def test_parts_have_floors_and_intervals_and_make_the_whole(real, holdout, fresh):
    metric = shape(real, holdout, fresh, 0)
    assert list(metric.parts) == list(real)
    assert np.mean([part.value for part in metric.parts.values()]) == pytest.approx(metric.value)
    assert np.mean([part.floor for part in metric.parts.values()]) == pytest.approx(metric.floor)
    for part in metric.parts.values():
        assert part.interval.low <= part.value <= part.interval.high
        assert part.floor_interval.low <= part.floor <= part.floor_interval.high
    assert "parts" not in metric.to_json()
    assert "curves" not in metric.to_json()


def test_roc_curves_have_the_areas_that_are_reported(real, holdout, fresh):
    metric = detector(real, holdout, permuted(fresh), 0)
    for name, area in (("synthetic", metric.value), ("holdout", metric.floor)):
        curve = np.array(metric.curves[name])
        assert len(curve) == 101
        assert curve[-1] == 1.0
        assert (np.diff(curve) >= 0).all()
        assert np.trapezoid(curve, dx=0.01) == pytest.approx(area, abs=0.01)
