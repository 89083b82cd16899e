"""The neighbours' test of engines that train on rows, which hand on noisy sums of gradients.

Coins that choose a step's rows, noise of z and noise of gradients come from a tape: of rows that
both tables hold they are the same. What a step hands on is set to what that of the smaller table
did; then nothing else may differ, and before the noise sums differ by one clipped gradient at most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from synthvae import refining
from synthvae.metadata import Metadata
from synthvae.privacy import ledger as ledgers
from synthvae.settings import Settings
from synthvae.training import private as steps
from synthvae.training import private_plan
from synthvae.training.private import NoisyOptimizer

CLIP, STEPS = 1.0, 4
ODD: dict[str, dict[str, str]] = {
    "as another row": {},
    "values of its own": {
        "group": "unheard of",
        "declared": "__other__",
        "found": "1e300",
        "bounded": "-1" + "0" * 400,
        "flag": "maybe",
        "day": "9999-12-31",
    },
    "nothing but nulls": dict.fromkeys(
        ("group", "declared", "found", "bounded", "flag", "day", "id", "mail"), ""
    ),
}


class Tape:
    """Random numbers of which each call's follow from how many calls there were before, and the
    first of them not from how many there are."""

    def __init__(self) -> None:
        self.calls = 0

    def random(self, size: int) -> Any:
        return self._next().random(size)

    def standard_normal(self, shape: tuple[int, ...], kind: Any) -> Any:
        return self._next().standard_normal(shape, kind)

    def _next(self) -> np.random.Generator:
        self.calls += 1
        return np.random.default_rng((5, self.calls))


class Reel:
    """Sums of gradients of all fits, one list a fit, and what the first fit handed on."""

    def __init__(self) -> None:
        self.sums: list[list[Tensor]] = []
        self.noisy: list[Tensor] = []

    def secret(self) -> Tape:
        self.sums.append([])
        return Tape()

    def add_noise(self, optimizer: NoisyOptimizer) -> None:
        (parameter,) = optimizer.params
        self.sums[-1].append(parameter.summed_grad.clone())
        HONEST(optimizer)
        if len(self.sums) == 1:
            self.noisy.append(parameter.grad.clone())
        parameter.grad = self.noisy[len(self.sums[-1]) - 1].clone()

    def moves(self) -> list[float]:
        """How far the sums of the last two fits are apart, step by step."""
        one, other = self.sums[0], self.sums[-1]
        return [float((a - b).norm()) for a, b in zip(one, other, strict=True)]


HONEST = NoisyOptimizer.add_noise


@pytest.fixture(autouse=True)
def reel(monkeypatch: pytest.MonkeyPatch) -> Reel:
    made = Reel()
    monkeypatch.setattr(steps, "Secret", made.secret)
    monkeypatch.setattr(NoisyOptimizer, "add_noise", lambda optimizer: made.add_noise(optimizer))
    monkeypatch.setattr(refining, "fresh_seed", lambda: 11)
    monkeypatch.setattr(private_plan, "STEPS", STEPS)
    monkeypatch.setattr(ledgers, "sampled_noise", lambda *_: 1.0)
    monkeypatch.setattr(ledgers, "attack_limits", lambda *_: {})
    return made


@pytest.fixture
def fit(
    watched: Callable[..., Any],
    make_table: Any,
    columns: dict[str, list[str]],
    meta: Metadata,
    spending: Callable[..., Settings],
) -> Callable[..., Any]:
    """A fit of `columns` and, if it is given, of one row more at their end."""

    def fitted(engine: str, row: dict[str, str] | None = None, like: Any = None) -> Any:
        more = {name: [] if row is None else [row.get(name, t[0])] for name, t in columns.items()}
        table = make_table({name: [*texts, *more[name]] for name, texts in columns.items()})
        return watched(table, meta, spending(engine=engine, rows=240), like)

    return fitted


@pytest.mark.parametrize("engine", ["warm", "dpsgd"])
def test_one_row_more_shows_in_nothing_but_counts_and_gradients(
    engine: str, fit: Callable[..., Any], reel: Reel
) -> None:
    one = fit(engine)
    assert one.failed == ""
    assert len(reel.noisy) == STEPS
    moved = 0.0
    for row in ODD.values():
        other = fit(engine, row, one)
        assert one.differences(other) == []
        assert all(distance <= declared * (1 + 1e-12) for _, distance, declared in one.moves(other))
        assert max(reel.moves()) <= CLIP * (1 + 1e-5)
        moved = max(moved, *reel.moves())
    assert moved > CLIP / 2  # the row took part in a step, and was clipped


def leak_rows(patch: pytest.MonkeyPatch) -> None:
    """The step is divided by the number of rows that are there."""
    honest = steps.train_private

    def train(model: Any, rows: Any, layout: Any, objective: Any, spec: Any, _: int, *rest: Any):
        honest(model, rows, layout, objective, spec, len(rows), *rest)

    patch.setattr(steps, "train_private", train)


def leak_prior(patch: pytest.MonkeyPatch) -> None:
    """The prior is fitted to the rows themselves."""
    seen: list[Any] = []
    honest, settle = steps.train_private, refining.settle

    def train(model: Any, rows: Any, *rest: Any) -> None:
        seen.append(rows)
        honest(model, rows, *rest)

    patch.setattr(steps, "train_private", train)
    patch.setattr(refining, "settle", lambda model, _, *rest: settle(model, seen[-1], *rest))


def leak_error(patch: pytest.MonkeyPatch) -> None:
    """Rows go to codecs that know what was drawn as they are."""
    patch.setattr(refining, "_readable", lambda table, _: table)


def leak_rate(patch: pytest.MonkeyPatch) -> None:
    """How far a step goes follows from who takes part."""
    honest = steps.PrivateSteps.step

    def step(self: Any, rows: Any, weight: float, factor: float) -> None:
        honest(self, rows, weight, factor if len(rows) % 2 else 0.5 * factor)

    patch.setattr(steps.PrivateSteps, "step", step)


LEAKS = {
    "the number of rows": (leak_rows, "as another row", "artifact"),
    "a prior of the rows": (leak_prior, "values of its own", "artifact"),
    "an error for a value": (leak_error, "values of its own", "failed"),
    "a learning rate that follows from the batch": (leak_rate, "as another row", "artifact"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_that_is_planted_is_found(
    leak: str, fit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, row, shows = LEAKS[leak]
    plant(monkeypatch)
    one = fit("dpsgd")
    assert shows in one.differences(fit("dpsgd", ODD[row], one))


def test_a_row_that_is_not_clipped_is_found(
    fit: Callable[..., Any], reel: Reel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps.ClippedSum, "factor", lambda _, squares: torch.ones_like(squares))
    monkeypatch.setattr(steps, "check", lambda *_: None)
    fit("dpsgd", ODD["values of its own"], fit("dpsgd"))
    assert max(reel.moves()) > 2 * CLIP
