"""Biases after training: as often as in the table is as often as expected."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthvae.layout import Block, Layout
from synthvae.model.compute import side_by_side
from synthvae.model.presets import PRESETS
from synthvae.model.spec import build
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.training import biases

LAYOUT = Layout(
    (
        Block("a", "a", "categorical", 3),
        Block("b", "b", "categorical", 20),
        Block("s", "s", "scalar", 1),
    )
)
presets = pytest.mark.parametrize("preset", ["tvae", "arvae"])


def rows(n: int = 5000) -> Rows:
    rng = np.random.default_rng(2)
    a = rng.choice(3, n, p=[0.9, 0.08, 0.02])
    b = np.minimum(rng.geometric(0.3, n) + 3 * a, 20) - 1
    b[rng.random(n) < 0.2] = -1
    codes = torch.from_numpy(np.stack([a, b], 1).astype(np.int32))
    return Rows(codes, torch.from_numpy(rng.normal(0, 0.3, (n, 1)).astype(np.float32)))


def model_of(preset: str) -> Vae:
    """Whose outputs depend on the row, but were never fitted to one."""
    model = build(PRESETS[preset].model, LAYOUT, 0)
    generator = torch.Generator().manual_seed(1)
    model.decoder.shift(torch.randn(model.heads.outputs, generator=generator))
    return model


def settled(model: Vae, found: Rows, workers: int = 1) -> Vae:
    with side_by_side(workers) as team:
        biases.settle_biases(model, found, 0, team)
    return model


@torch.no_grad()
def nats(model: Vae, found: Rows) -> float:
    noise = torch.zeros(len(found), model.space.size)
    return float(model(found, noise).distortion.mean())


@torch.no_grad()
def counts(model: Vae, found: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.zeros(len(found), model.space.size)
    outputs = model.outputs(model.encode(found, noise).z, found)
    return model.heads.counts(outputs, found)


@presets
def test_classes_are_expected_as_often_as_they_stand_there(preset: str) -> None:
    found, model = rows(), model_of(preset)
    observed, expected = counts(model, found)
    before = (observed - expected).abs().sum()
    observed, expected = counts(settled(model, found), found)
    assert (observed - expected).abs().sum() < 0.05 * before
    in_block = torch.tensor([found.codes[:, i].ge(0).sum() for i in range(2)])
    assert observed.sum() == in_block.sum()
    assert float(expected.sum()) == pytest.approx(float(in_block.sum()), rel=1e-4)


@presets
def test_every_round_raises_the_likelihood(preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, losses = rows(), []
    for rounds in range(4):
        monkeypatch.setattr(biases, "ROUNDS", rounds)
        losses.append(nats(settled(model_of(preset), found), found))
    assert losses[0] - losses[1] > 0.1
    assert losses == sorted(losses, reverse=True)


def test_the_counts_are_those_of_the_classes_alone() -> None:
    """Outputs of scalars, and those that pad a group, are shifted by nothing."""
    model = model_of("arvae")
    observed, expected = counts(model, rows(200))
    classes = torch.zeros(model.heads.outputs)
    for group in model.heads.groups:
        for i, block in enumerate(group.blocks):
            first = group.start + i * group.size
            classes[first : first + LAYOUT.sizes[block]] = 1
    assert not (expected * (1 - classes)).any()
    assert not (observed * (1 - classes)).any()


def test_shares_of_the_work_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(20_000)
    one, two = (settled(model_of("tvae"), found, workers).state_dict() for workers in (1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
