"""The Python API."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthvae
from synthvae import Synthesizer, UsageError

QUICK = {"training": {"epochs": 2}}


@pytest.fixture(scope="module")
def learnt(frame: pd.DataFrame) -> Synthesizer:
    return Synthesizer("tvae", settings=QUICK).fit(frame)


def test_a_sample_is_like_the_frame(learnt: Synthesizer, frame: pd.DataFrame) -> None:
    rows = learnt.sample(200, seed=7)
    assert rows.shape == (200, frame.shape[1])
    pd.testing.assert_series_equal(rows.dtypes, frame.dtypes)
    assert rows["customer_id"].is_unique
    assert not set(rows["customer_id"]) & set(frame["customer_id"]) or len(frame) > 10**5


def test_seeds_and_prefixes(learnt: Synthesizer) -> None:
    pd.testing.assert_frame_equal(learnt.sample(50, seed=1), learnt.sample(200, seed=1).head(50))
    assert not learnt.sample(50, seed=1).equals(learnt.sample(50, seed=2))


def test_save_and_load(learnt: Synthesizer, tmp_path: Path) -> None:
    learnt.save(tmp_path / "m.synthvae")
    again = Synthesizer.load(tmp_path / "m.synthvae")
    pd.testing.assert_frame_equal(again.sample(30), learnt.sample(30))


def test_an_empty_sample_keeps_the_columns(learnt: Synthesizer, frame: pd.DataFrame) -> None:
    assert list(learnt.sample(0).columns) == list(frame.columns)


def test_rows_are_balanced_or_counted(learnt: Synthesizer) -> None:
    assert learnt.sample(40, balance="group")["group"].value_counts().tolist() == [10] * 4
    counted = learnt.sample(per={"active": {True: 30, False: 5}})
    assert counted["active"].value_counts().to_dict() == {True: 30, False: 5}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"balance": "group"},
        {"n": 5, "per": {"group": {"low": 5}}},
        {"balance": "group", "per": {"group": {"low": 5}}},
        {"per": {"group": {"low": 5}, "active": {True: 5}}},
        {"per": {}},
    ],
)
def test_a_sample_that_is_asked_for_in_two_ways_or_none_is_refused(
    learnt: Synthesizer, asked: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match="pass"):
        learnt.sample(**asked)


@pytest.mark.parametrize(
    "dtype",
    [
        "int64",
        "Int64",
        "int8",
        "float32",
        "Float64",
        "bool",
        "boolean",
        "category",
        "string",
        "object",
    ],
)
def test_dtypes_come_back(dtype: str) -> None:
    rng = np.random.default_rng(0)
    values = pd.Series(rng.integers(0, 2, 60)).astype(dtype if dtype != "category" else "str")
    frame = pd.DataFrame({"a": values.astype(dtype), "b": rng.choice(["x", "y"], 60)})
    rows = Synthesizer(settings={"training": {"epochs": 1}}).fit(frame).sample(20)
    assert str(rows["a"].dtype) == dtype


def test_sampling_before_fitting_is_an_error() -> None:
    with pytest.raises(UsageError, match="call fit"):
        Synthesizer().sample(1)


def test_the_door_names_everything_and_loads_nothing() -> None:
    assert synthvae.__all__ == sorted(synthvae.__all__)
    for name in synthvae.__all__:
        assert getattr(synthvae, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = synthvae.nothing
    code = (
        "import sys, synthvae;"
        "assert not {'torch', 'pandas', 'pyarrow', 'sklearn', 'opacus'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_given_values_are_those_of_the_frame(frame: pd.DataFrame) -> None:
    settings = {"condition": ["active", "group"], "training": {"epochs": 1}}
    model = Synthesizer("cvae", settings=settings).fit(frame)
    rows = model.sample(20, given={"active": True, "group": "mid"})
    assert rows["active"].all()
    assert set(rows["group"]) == {"mid"}


def test_what_a_fitted_model_tells_of_a_frame(learnt: Synthesizer, frame: pd.DataFrame) -> None:
    some = frame[100:160]
    scores = learnt.score(some, draws=2)
    assert scores.index.equals(some.index)
    z = learnt.encode(some)
    assert z.index.equals(some.index)
    for rows in (
        learnt.decode(z),
        learnt.decode((z[:30].to_numpy() + z[30:].to_numpy()) / 2),
        learnt.reconstruct(some),
        learnt.interpolate(some, 0, -1, steps=5),
        learnt.traverse(0, steps=5, row=some[:1]),
        learnt.traverse(0, steps=5),
    ):
        pd.testing.assert_series_equal(rows.dtypes, frame.dtypes)


def test_a_frame_is_filled(learnt: Synthesizer, frame: pd.DataFrame) -> None:
    holes = frame[100:160].copy()
    holes["group"] = holes["group"].astype("category")
    holes.loc[110:120, "group"] = None
    full = learnt.impute(holes)
    for name in holes:
        observed = holes[name].notna()
        assert full[name][observed].tolist() == holes[name][observed].tolist()
    assert not full.isna().any().any()
    assert isinstance(full["group"].dtype, pd.CategoricalDtype)
    assert full["visits"].dtype == holes["visits"].dtype
    twice = learnt.impute(holes, draws=2)
    pd.testing.assert_frame_equal(twice.loc[0], full)
    assert len(twice) == 2 * len(holes)
