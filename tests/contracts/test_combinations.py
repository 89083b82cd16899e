"""What every latent keeps with every prior that speaks its space, and every decoder."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import torch

from synthvae import artifact as artifacts
from synthvae import opening, pipeline
from synthvae.artifact import Artifact
from synthvae.model.spec import PARTS, priors_of
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.seeds import stream
from synthvae.settings import Settings, parse
from synthvae.table import from_frame

# A small one of each, so that a fit takes a second.
LATENTS = {
    "gaussian": {"size": 2},
    "hierarchical": {"levels": [1, 1], "hidden": 16},
    "vq": {"slots": 2, "codes": 4},
    "fsq": {"slots": 2, "levels": [2, 2]},
}
DECODERS = {
    "parallel": {"numeric": "modes", "decoder": {"kind": "parallel", "hidden": [16]}},
    "autoregressive": {
        "numeric": "quantiles",
        "scalar": {"kind": "mixture"},
        "decoder": {"kind": "autoregressive", "units": 8},
    },
}
COMBINATIONS = [
    (latent, prior, decoder)
    for latent, spec in PARTS["latent"].items()
    for prior, decoder in itertools.product(priors_of(spec()), PARTS["decoder"])
]
combinations = pytest.mark.parametrize("made", COMBINATIONS, ids="-".join, indirect=True)


def settings(latent: str, prior: str, decoder: str) -> Settings:
    parts = {
        "encoder": [16],
        "latent": {"kind": latent, **LATENTS[latent]},
        "prior": {"kind": prior},
        **DECODERS[decoder],
    }
    training = {"epochs": 2, "batch": 100, "regime": {"kind": "plain"}}
    return parse({"preset": "tvae", "model": parts, "training": training})


@pytest.fixture(scope="module")
def fit(frame: pd.DataFrame) -> Iterator[Callable[..., Artifact]]:
    """Each combination once."""
    made: dict[tuple[str, ...], Artifact] = {}

    def once(*parts: str) -> Artifact:
        if parts not in made:
            made[parts] = pipeline.fit(from_frame(frame), None, settings(*parts), threads=1)
        return made[parts]

    with pytest.MonkeyPatch.context() as quick:
        quick.setattr("synthvae.model.priors.flow._STEPS", 60)
        yield once


@pytest.fixture
def made(fit: Callable[..., Artifact], request: pytest.FixtureRequest) -> Artifact:
    return fit(*request.param)


def rows_of(artifact: Artifact, n: int, threads: int = 1) -> pa.Table:
    chunks = opening.sampler(artifact).chunks(n, 7, "text", threads=threads)
    return pa.concat_tables(chunks).unify_dictionaries().combine_chunks()


def model_of(artifact: Artifact) -> Vae:
    return opening.sampler(artifact).model


@combinations
def test_rows_are_the_same_however_they_are_drawn_and_after_a_file(
    made: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.sampling._BLOCK_ROWS", (64, 128))
    whole = rows_of(made, 300, threads=2)
    assert rows_of(made, 300).equals(whole)
    assert rows_of(made, 129).equals(whole.slice(0, 129))
    made.save(tmp_path / "m.synthvae")
    again = artifacts.load(tmp_path / "m.synthvae")
    assert again.to_bytes() == made.to_bytes()
    assert rows_of(again, 300).equals(whole)


@combinations
@torch.no_grad()
def test_nats_are_finite_and_of_the_shapes_that_the_legend_says(
    made: Artifact, frame: pd.DataFrame
) -> None:
    codec, model = opening.sampler(made).codec, model_of(made)
    prepared = pipeline.prepare(from_frame(frame), None, opening.settings_of(made))
    assert prepared.codec.layout == codec.layout
    rows = Rows.of(prepared.encoded)
    terms = model(rows, torch.randn(len(rows), model.space.size))
    units = model.space.slots or model.space.size
    assert terms.nats.shape == (len(rows), len(model.heads.columns))
    assert terms.rate.shape == (len(rows), units)
    assert torch.isfinite(terms.elbo).all()
    score = opening.scorer(made).chunks(from_frame(frame))
    assert pd.Series(pa.concat_tables(score)["score"]).map(float).abs().max() < 1e6


@combinations
@torch.no_grad()
def test_the_sampler_follows_the_density(made: Artifact) -> None:
    """Codes by enumeration; points by a narrower density, whose mean ratio to p, over draws of p,
    is 1."""
    model = model_of(made)
    n = 20_000
    drawn = model.prior.sample(model.noise(stream(0, "t"), n))
    own = model.prior.log_density(drawn)
    if model.space.slots:
        every = torch.cartesian_prod(*[torch.arange(model.space.classes)] * model.space.slots)
        mass = torch.exp(model.prior.log_density(every))
        assert float(mass.sum()) == pytest.approx(1.0, abs=1e-4)
        weight = model.space.classes ** torch.arange(model.space.slots - 1, -1, -1)
        found = torch.bincount((drawn * weight).sum(dim=1), minlength=len(every)) / n
        assert ((found - mass).abs() < 5 * torch.sqrt(mass / n) + 1e-4).all()
        return
    centre, spread = drawn.mean(dim=0), 0.5 * drawn.std(dim=0)
    q = torch.distributions.Normal(centre, spread).log_prob(drawn).sum(dim=1)
    ratio = torch.exp(q - own)
    error = float(ratio.std()) / n**0.5
    assert float(ratio.mean()) == pytest.approx(1.0, abs=5 * error)
    assert error < 0.1


def test_every_part_is_combined() -> None:
    for position, table in enumerate(("latent", "prior", "decoder")):
        assert {parts[position] for parts in COMBINATIONS} == set(PARTS[table])
