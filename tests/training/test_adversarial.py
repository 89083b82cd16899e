"""Adversarial training: two players, each moved by its own step alone, and a fit that resumes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from synthvae import opening, pipeline
from synthvae.errors import MetadataError
from synthvae.model.compute import side_by_side
from synthvae.model.spec import build
from synthvae.model.values import Rows
from synthvae.pipeline import prepare
from synthvae.settings import Settings, parse
from synthvae.table import Table, from_frame
from synthvae.training.adversarial import Adversarial
from synthvae.training.checkpoint import Progress
from synthvae.training.descent import Batch
from synthvae.training.regimes import start


def settings(preset: str = "vae-gan", **more: object) -> Settings:
    return parse({"preset": preset, "training": {"epochs": 4, "batch": 300}, **more})


@pytest.fixture(scope="module")
def table(frame: pd.DataFrame) -> Table:
    return from_frame(frame)


@pytest.fixture
def game(table: Table):
    """A regime before its first step, and rows to make it on."""
    chosen = settings()
    prepared = prepare(table, None, chosen)
    rows = Rows.of(prepared.encoded)
    model = build(chosen.model, prepared.codec.layout, 0)
    with side_by_side(2) as pool:
        yield start(model, rows, chosen.model.objective, chosen.training, pool, 1), rows


def weights(module: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in module.parameters()]


def moved(module: torch.nn.Module, before: list[torch.Tensor]) -> list[bool]:
    return [not torch.equal(p, b) for p, b in zip(module.parameters(), before, strict=True)]


def test_one_step_moves_the_critic_and_the_model(game: tuple[Adversarial, Rows]) -> None:
    regime, rows = game
    before = weights(regime.critic), weights(regime.model)
    loss = regime.step(Batch.of(rows, torch.randn(len(rows), 32), 1.0, 7))
    assert loss > 0
    assert all(moved(regime.critic, before[0]))
    assert sum(moved(regime.model, before[1])) > 0.9 * len(before[1])


def test_each_players_loss_moves_it_alone(game: tuple[Adversarial, Rows]) -> None:
    regime, rows = game
    batch = Batch.of(rows, torch.randn(len(rows), 32), 1.0, 7)
    players = [list(regime.model.parameters()), list(regime.critic.parameters())]

    def reached(loss: torch.Tensor) -> list[bool]:
        gradients = torch.autograd.grad(
            loss.sum(), [*players[0], *players[1]], allow_unused=True, retain_graph=True
        )
        return [
            any(g is not None for g in part)
            for part in (gradients[: len(players[0])], gradients[len(players[0]) :])
        ]

    assert reached(regime._judged(batch)) == [False, True]
    # The critic is part of the model's graph, yet the model's step leaves it where it was.
    assert reached(regime._loss(batch))[0]
    before = weights(regime.critic), weights(regime.model)
    regime.descent.step(batch)
    assert not any(moved(regime.critic, before[0]))
    assert any(moved(regime.model, before[1]))
    before = weights(regime.critic), weights(regime.model)
    regime.judging.step(batch)
    assert any(moved(regime.critic, before[0]))
    assert not any(moved(regime.model, before[1]))


def test_belief_alone_reaches_the_decoder(game: tuple[Adversarial, Rows]) -> None:
    """The adversarial term has a gradient of its own, through draws that are one-hot."""
    regime, rows = game
    noise, seed = torch.randn(len(rows), 32), 3

    def gradient(**terms: float) -> torch.Tensor:
        changed = settings().training.regime.__class__(**{"belief": 0.0, "features": 0.0, **terms})
        regime.game = changed
        loss = regime._loss(Batch.of(rows, noise, 1.0, seed)).mean()
        (found,) = torch.autograd.grad(loss, [regime.model.decoder.out.weight])
        return found

    plain = gradient()
    assert float((gradient(belief=1.0) - plain).abs().max()) > 1e-6
    assert float((gradient(features=1.0) - plain).abs().max()) > 1e-6


def test_without_its_terms_it_is_plain_training(table: Table) -> None:
    """Weights 0 for both terms: the critic is trained for nothing, and the model is tvae's."""
    idle = {"belief": 0, "features": 0}
    training = {"epochs": 2, "batch": 300}
    gan = parse({"preset": "vae-gan", "training": {**training, "regime": idle}})
    tvae = parse({"preset": "tvae", "training": training})
    fitted = [pipeline.fit(table, None, one).weights for one in (gan, tvae)]
    assert fitted[0].keys() == fitted[1].keys()
    assert all(torch.allclose(fitted[0][name], fitted[1][name], atol=1e-6) for name in fitted[1])


class KilledError(Exception):
    """Stands for a kill at an arbitrary moment."""


@pytest.mark.parametrize("preset", ["vae-gan", "hvae"])
def test_a_killed_fit_resumes_to_the_same_bytes_on_any_threads(
    preset: str, table: Table, tmp_path: Path
) -> None:
    def watch(progress: Progress, _: int) -> None:
        if progress.epoch == 2:
            raise KilledError

    chosen, path = settings(preset), tmp_path / "fit.checkpoint"
    whole = pipeline.fit(table, None, chosen, threads=2)
    with pytest.raises(KilledError):
        pipeline.fit(table, None, chosen, watch, checkpoint=path, checkpoint_every=0)
    resumed = pipeline.fit(table, None, chosen, checkpoint=path, resume=True, threads=1)
    assert resumed.to_bytes() == whole.to_bytes()


def test_the_model_file_holds_nothing_of_the_critic(table: Table) -> None:
    chosen = settings()
    artifact = pipeline.fit(table, None, chosen)
    model = build(chosen.model, prepare(table, None, chosen).codec.layout, 0)
    assert artifact.weights.keys() == model.state_dict().keys()


def test_a_decoder_that_reads_its_own_draws_is_refused() -> None:
    adversarial = {"training": {"regime": {"kind": "adversarial"}}}
    with pytest.raises(MetadataError, match=r"regime: adversarial.*decoder: autoregressive"):
        parse({"preset": "arvae", **adversarial})
    parallel = {"preset": "arvae", "model": {"decoder": {"kind": "parallel"}}, **adversarial}
    assert parse(parallel).training.regime.kind == "adversarial"


def test_other_compositions_play_too(frame: pd.DataFrame) -> None:
    """Conditions, cells with a fine block, levels, mixture densities and a fitted prior."""
    adversarial = {"training": {"epochs": 1, "batch": 300, "regime": {"kind": "adversarial"}}}
    for chosen in (
        {"preset": "cvae", "condition": ["group"], **adversarial},
        {"preset": "hvae", **adversarial},
        {"preset": "arvae", "model": {"decoder": {"kind": "parallel"}}, **adversarial},
    ):
        artifact = pipeline.fit(from_frame(frame), None, parse(chosen))
        drawn = next(opening.sampler(artifact).chunks(50, 0, "text"))
        assert drawn.num_rows == 50
