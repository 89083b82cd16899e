"""Train on synthetic, test on real: known winners and losers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from synthvae.evaluation import default_target, utility
from synthvae.evaluation.utility import utility_obstacle


def table(seed: int, rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, kind = rng.normal(size=rows), rng.choice(["p", "q"], rows).astype(object)
    lift = x + (kind == "p")
    grade = np.digitize(lift + 0.5 * rng.normal(size=rows), [-0.5, 1.0]).astype(float)
    label = np.where(lift + rng.normal(size=rows) > 0.5, "yes", "no").astype(object)
    amount = 10 + 3 * lift + rng.normal(size=rows)
    return pd.DataFrame({"x": x, "kind": kind, "grade": grade, "label": label, "amount": amount})


def only(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """The features that explain the targets, and one of the targets."""
    return frame[["x", "kind", target]]


REAL, HOLDOUT, FRESH = table(0, 1000), table(1, 800), table(2, 1000)
TARGETS = ["label", "grade", "amount"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than they bring on tables this small."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("target", TARGETS)
def test_fresh_rows_train_as_well_as_real_ones(target):
    metric = utility(*(only(frame, target) for frame in (REAL, HOLDOUT, FRESH)), target, 0)
    assert metric.name == "utility_gap"
    assert metric.value == pytest.approx(0, abs=0.04)
    assert metric.floor == pytest.approx(0, abs=0.06)
    assert metric.floor_interval.low < metric.floor < metric.floor_interval.high
    assert metric.interval.low < metric.value < metric.interval.high
    assert metric.n == 800


@pytest.mark.parametrize("target", TARGETS)
def test_a_shuffled_target_is_useless(target):
    shuffled = FRESH[target].sample(frac=1, random_state=0).to_numpy()
    synthetic = only(FRESH.assign(**{target: shuffled}), target)
    metric = utility(only(REAL, target), only(HOLDOUT, target), synthetic, target, 0)
    assert metric.interval.low > 0.15
    assert metric.interval.low > metric.floor_interval.high


def test_the_scores_behind_the_gap_are_told():
    labels = utility(*(only(frame, "label") for frame in (REAL, HOLDOUT, FRESH)), "label", 0)
    assert labels.value == pytest.approx(labels.detail["trtr"] - labels.detail["tstr"])
    assert 0.75 < labels.detail["trtr"] < 0.95
    assert labels.unit == "ROC AUC"
    amounts = utility(*(only(frame, "amount") for frame in (REAL, HOLDOUT, FRESH)), "amount", 0)
    assert amounts.value == pytest.approx(amounts.detail["tstr"] / amounts.detail["trtr"] - 1)
    assert 0.9 < amounts.detail["trtr"] < 1.4
    assert amounts.unit == "RMSE ratio - 1"


def test_the_interval_of_a_ratio_is_that_of_redrawn_holdouts():
    """The delta method against a plain bootstrap over holdout rows of a known pair of errors."""
    from synthvae.evaluation.utility import _Learner, _Score

    rng = np.random.default_rng(0)
    worse, better = rng.normal(size=(2, 2000)) ** 2 * np.array([[1.5], [1.0]])

    def score(squares: np.ndarray) -> _Score:
        rmse = math.sqrt(squares.mean())
        return _Score(rmse, (squares - rmse**2) / (2 * rmse))

    gap = _Learner(0, [], 0).gap(score(worse), score(better))
    draws = rng.integers(2000, size=(500, 2000))
    ratios = np.sqrt(worse[draws].mean(axis=1) / better[draws].mean(axis=1)) - 1
    assert gap.value == pytest.approx(math.sqrt(worse.mean() / better.mean()) - 1)
    width = gap.interval().high - gap.interval().low
    assert width == pytest.approx(2 * 1.96 * ratios.std(), rel=0.12)


def test_a_class_that_the_synthetic_table_lacks_costs_but_does_not_break():
    synthetic = only(FRESH[FRESH["grade"] != 2.0], "grade")
    metric = utility(only(REAL, "grade"), only(HOLDOUT, "grade"), synthetic, "grade", 0)
    assert metric.value > 0.1


def test_rare_classes_are_learned_too():
    """Trees without regularisation score 0.6 here, less than with the rare classes left out."""

    def steps(seed: int) -> pd.DataFrame:
        x = np.random.default_rng(seed).normal(size=3000)
        edges = [-3, -2.5, -1, 0, 1, 2, 2.5, 3]
        return pd.DataFrame({"x": x, "step": np.digitize(x, edges).astype(float)})

    scores = utility(steps(0), steps(1), steps(2), "step", 0).detail
    assert min(scores.values()) > 0.95


def test_a_single_class_teaches_nothing():
    synthetic = only(FRESH.assign(label="yes"), "label")
    metric = utility(only(REAL, "label"), only(HOLDOUT, "label"), synthetic, "label", 0)
    assert metric.detail["tstr"] == pytest.approx(0.5)


def test_an_invented_class_is_not_scored():
    invented = FRESH["label"].where(FRESH.index % 10 > 0, "maybe")
    synthetic = only(FRESH.assign(label=invented), "label")
    metric = utility(only(REAL, "label"), only(HOLDOUT, "label"), synthetic, "label", 0)
    assert metric.value == pytest.approx(0, abs=0.05)


def test_rows_without_a_target_are_not_used():
    empty = HOLDOUT["label"].where(HOLDOUT.index % 2 == 0, None)
    frames = REAL, HOLDOUT.assign(label=empty), FRESH
    assert utility(*(only(frame, "label") for frame in frames), "label", 0).n == 400


def test_both_models_see_equally_many_rows():
    """Few synthetic rows are no fault of theirs: real rows are cut to the same number."""
    frames = REAL, HOLDOUT, FRESH.iloc[:150]
    few = utility(*(only(frame, "label") for frame in frames), "label", 0)
    many = utility(*(only(frame, "label") for frame in (REAL, HOLDOUT, FRESH)), "label", 0)
    assert few.detail["trtr"] < many.detail["trtr"]
    assert few.value == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"holdout": HOLDOUT.assign(label="yes")}, "fewer in the holdout table"),
        ({"real": REAL.assign(label=None)}, "fewer in the real table"),
        ({"synthetic": FRESH.assign(label=None)}, "empty in the synthetic table"),
        (
            {"holdout": HOLDOUT.assign(label=HOLDOUT["label"] + "!")},
            "only new ones in the holdout",
        ),
    ],
)
def test_what_can_not_be_predicted_says_why(change, fact):
    frames = {"real": REAL, "holdout": HOLDOUT, "synthetic": FRESH} | change
    assert fact in utility_obstacle(**frames, target="label")
    with pytest.raises(ValueError, match=fact):
        utility(**frames, target="label", seed=0)


def test_a_target_alone_has_nothing_to_be_predicted_from():
    one = REAL[["label"]]
    assert "only column" in utility_obstacle(one, one, one, "label")
    assert utility_obstacle(REAL, HOLDOUT, FRESH, "label") is None


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        ({"a": ["x", "y"], "b": ["u", "v"], "n": [1.0, 2.0]}, "b"),
        ({"a": ["x", "x"], "n": [1.0, 2.0], "m": [3.0, 4.0]}, "m"),
        ({"n": [1.0, 1.0], "a": ["x", None]}, None),
        ({"n": [1.0, 2.0], "m": [0.0, 0.0]}, "n"),
        ({}, None),
    ],
)
def test_the_default_target_of_small_tables(columns, target):
    assert default_target(pd.DataFrame(columns)) == target


def test_the_default_target_prefers_classes_to_amounts():
    wide = [f"v{k}" for k in range(21)]
    numbers = pd.DataFrame({"few": [0.0, 1.0, 2.0] * 7, "many": np.arange(21.0), "text": wide})
    assert default_target(numbers) == "few"
    assert default_target(numbers[["many", "text"]]) == "many"
    assert default_target(numbers[["text"]]) is None
