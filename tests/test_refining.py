"""Engines that train on the rows themselves, after a model of drawn rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from synthvae import metadata, opening, private, refining
from synthvae.errors import PrivacyError, UsageError
from synthvae.marginals import chain
from synthvae.settings import Settings, parse
from synthvae.table import from_frame
from synthvae.training import private_plan
from synthvae.training.private import PrivateSpec, PrivateSteps

ROWS = 400
CONTENT = {
    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
    "columns": {
        "k": {"sdtype": "categorical", "range_values": ["a", "b"]},
        "n": {"sdtype": "numerical", "range_min": 0, "range_max": 9, "decimal_places": 0},
    },
}
TRAINED = pytest.mark.parametrize("engine", ["warm", "dpsgd"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "ITERATIONS", 3)
    monkeypatch.setattr(private, "ROWS", 300)
    monkeypatch.setattr(private_plan, "STEPS", 5)


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    k = rng.choice(["a", "b"], ROWS)
    n = rng.integers(0, 5, ROWS) + 5 * (k == "b")
    return pd.DataFrame({"k": k, "n": np.where(rng.random(ROWS) < 0.1, np.nan, n)})


def spending(engine: str, preset: str = "arvae", **privacy: Any) -> Settings:
    spent = {"epsilon": 3.0, "engine": engine, "rows": ROWS, **privacy}
    training = {"epochs": 1, "batch": 100}
    return parse({"preset": preset, "training": training, "privacy": spent})


def fit(frame: pd.DataFrame, settings: Settings, **given: Any) -> Any:
    meta = metadata.parse(CONTENT, "metadata")
    return private.fit(from_frame(frame), meta, settings, **given)


@TRAINED
def test_the_whole_budget_is_spent_and_steps_move_the_weights(
    engine: str, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    before: dict[str, torch.Tensor] = {}

    def kept(artifact: Any, *rest: Any) -> Any:
        before.update({name: weight.clone() for name, weight in artifact.weights.items()})
        return refining.refine(artifact, *rest)

    monkeypatch.setattr(private, "refine", kept)
    artifact = fit(frame, spending(engine))
    claim = artifact.content["privacy"]
    assert 2.99 < claim["claim"]["epsilon"] <= 3
    (event,) = [event for event in claim["events"] if event["stage"] == "training"]
    assert event["steps"] == 5
    moved = [name for name in before if not torch.equal(before[name], artifact.weights[name])]
    assert len(moved) > len(before) / 2
    drawn = opening.sampler(artifact)
    rows = next(iter(drawn.chunks(200, 1, "typed"))).to_pandas()
    assert set(rows["k"].dropna()) <= {"a", "b"}
    assert rows["n"].dropna().between(0, 9).all()


@TRAINED
def test_steps_are_those_that_were_paid_for(
    engine: str, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[PrivateSpec] = []
    step = PrivateSteps.step

    def counted(self: PrivateSteps, *rest: Any) -> None:
        taken.append(self.spec)
        step(self, *rest)

    monkeypatch.setattr(PrivateSteps, "step", counted)
    paid: list[Any] = []
    fit(frame, spending(engine), paid=lambda ledger: paid.extend(ledger.lines))
    (line,) = [line for line in paid if line.stage == "training"]
    assert len(taken) == line.steps == 5
    for spec in taken:
        assert (spec.noise * spec.clip, spec.rate) == (line.sigma, line.rate)


@TRAINED
def test_what_is_done_is_told(engine: str, frame: pd.DataFrame) -> None:
    told: list[tuple[str, float]] = []
    fit(frame, spending(engine), told=lambda stage, done: told.append((stage, done)))
    assert told[:2] == [("counts", (i + 1) / 2) for i in range(2)]
    assert told[2:7] == [("steps", (i + 1) / 5) for i in range(5)]
    assert told[7:] == [("calibration", pytest.approx((i + 1) / 3)) for i in range(3)]


def test_what_comes_back_is_calibrated(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the shares of the rows that were drawn from counts, after the steps."""
    monkeypatch.setattr(private, "ROWS", 4000)
    honest, before, known = refining.calibrate, [], []

    def blur(model: Any, *_: Any) -> None:
        generator = torch.Generator().manual_seed(3)
        model.decoder.shift(2 * torch.randn(model.heads.outputs, generator=generator))

    def spy(sampler: Any, wanted: Any, *rest: Any) -> None:
        known.append(wanted.codes[:, 0].numpy())
        before.append(apart(sampler, known[0]))
        honest(sampler, wanted, *rest)

    monkeypatch.setattr("synthvae.training.private.train_private", blur)
    monkeypatch.setattr(refining, "calibrate", spy)
    after = apart(opening.sampler(fit(frame, spending("warm"))), known[0])
    assert before[0] > 0.1
    assert after < before[0] / 5


def apart(sampler: Any, wanted: Any) -> float:
    """Total variation of the first block."""
    starts = range(0, 8000, sampler.block_rows)
    free = sampler.fixed({})
    found = np.concatenate([sampler.draw(start, 9, free).codes[:, 0] for start in starts])
    shares = [np.bincount(codes, minlength=99) / len(codes) for codes in (found, wanted)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


@TRAINED
def test_units_of_several_rows_are_refused(engine: str, frame: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="protects units of one row"):
        fit(frame, spending(engine, unit="n", contributions=3))


@TRAINED
def test_parts_that_cannot_be_clipped_are_refused(engine: str, frame: pd.DataFrame) -> None:
    with pytest.raises(PrivacyError, match="regime: adversarial"):
        fit(frame, spending(engine, "vae-gan"))
