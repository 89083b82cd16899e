"""Priors trained after the model, and models with discrete latents from end to end."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
import torch

from synthvae import pipeline
from synthvae.errors import MetadataError
from synthvae.model.compute import side_by_side
from synthvae.model.presets import PRESETS
from synthvae.model.priors.codes import CodesPrior, CodesSpec
from synthvae.model.spec import PARTS, build, priors_of
from synthvae.model.values import Space
from synthvae.settings import Settings, parse
from synthvae.table import from_frame
from synthvae.training.checkpoint import Progress
from synthvae.training.findings import in_words, warnings
from synthvae.training.stage_two import fit_prior

DISCRETE = [name for name, preset in PRESETS.items() if preset.model.latent.space.slots]


def dependent(n: int, seed: int = 0) -> torch.Tensor:
    """Codes [n, 3] of 6: the second is the first or the next one, the third their sum."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(0, 6, (n,), generator=generator)
    second = (first + torch.randint(0, 2, (n,), generator=generator)) % 6
    return torch.stack([first, second, (first + second) % 6], dim=1)


def settings(preset: str, **more: object) -> Settings:
    model = {"latent": {"slots": 3}, "prior": {"units": 8}}
    return parse(
        {"preset": preset, "training": {"epochs": 4, "batch": 300}, "model": model, **more}
    )


def test_it_learns_what_depends_on_what() -> None:
    codes, prior = dependent(2000), CodesPrior(Space(3, 3, 6), CodesSpec(units=16)._network())
    prior.requires_grad_(False)
    with side_by_side(1) as pool:
        told = fit_prior(prior, codes, 1, pool)
    truth = math.log(6) + math.log(2)  # of the marginals alone: 3 log 6
    fresh = -float(prior.log_density(dependent(2000, seed=9)).mean())
    assert truth - 0.02 < fresh < truth + 0.15
    assert told == pytest.approx(fresh, abs=0.1)
    assert not any(p.requires_grad for p in prior.parameters())


@pytest.mark.parametrize("preset", DISCRETE)
def test_the_model_is_trained_without_its_prior(preset: str, frame: pd.DataFrame) -> None:
    table, asked = from_frame(frame), settings(preset)
    prepared = pipeline.prepare(table, None, asked)
    model = build(asked.model, prepared.codec.layout, 0)
    assert not any(p.requires_grad for p in model.prior.parameters())
    assert all(p.requires_grad for p in model.latent.parameters())
    fitted = pipeline.fit(table.rows(slice(0, 200)), None, asked)
    assert bool(fitted.weights["prior.fitted"])
    assert any(
        not torch.equal(fitted.weights[f"prior.{name}"], weight)
        for name, weight in model.prior.named_parameters()
    )


@pytest.mark.parametrize("preset", DISCRETE)
def test_same_seed_same_bytes_stopped_or_not_on_one_thread_or_two(
    preset: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    table, path = from_frame(frame), tmp_path / "fit.checkpoint"

    def stop(progress: Progress, _: int) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    whole = pipeline.fit(table, None, settings(preset), threads=1).to_bytes()
    with pytest.raises(KeyboardInterrupt):
        pipeline.fit(table, None, settings(preset), stop, checkpoint=path, checkpoint_every=0)
    resumed = pipeline.fit(table, None, settings(preset), checkpoint=path, resume=True, threads=2)
    assert resumed.to_bytes() == whole


def test_few_codes_in_use_are_told_with_what_to_do(frame: pd.DataFrame) -> None:
    wasteful = {"model": {"latent": {"levels": [16, 16], "slots": 2}, "prior": {"units": 8}}}
    latent = pipeline.fit(from_frame(frame), None, settings("fsq-vae", **wasteful)).content[
        "training"
    ]["latent"]
    assert set(latent) == {"rate", "slots", "codes", "perplexity", "utilisation"}
    assert latent["codes"] == 256
    assert 1 <= latent["perplexity"] <= 256 * latent["utilisation"]
    assert 0 < latent["rate"] < 2 * math.log(256)
    few = {**latent, "utilisation": 0.2}
    assert "2 slots of 256 codes, 20% in use" in in_words(few)
    assert "lower" in warnings({"latent": few})[0]
    assert "levels" in warnings({"latent": few})[0]
    assert warnings({"latent": latent | {"utilisation": 0.9}}) == []


@pytest.mark.parametrize("latent", PARTS["latent"])
@pytest.mark.parametrize("prior", PARTS["prior"])
def test_prior_and_latent_speak_of_the_same_or_both_are_named(latent: str, prior: str) -> None:
    content = {"preset": "tvae", "model": {"latent": {"kind": latent}, "prior": {"kind": prior}}}
    if prior in priors_of(PARTS["latent"][latent]()):
        assert parse(content).model.prior.kind == prior
        return
    with pytest.raises(MetadataError, match=f"prior: {prior} .* latent: {latent}"):
        parse(content)
