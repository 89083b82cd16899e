"""What every preset keeps, whatever it is composed of."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from synthvae import artifact as artifacts
from synthvae import opening, pipeline
from synthvae.artifact import Artifact
from synthvae.conditional import Conditional, Kind
from synthvae.errors import UsageError
from synthvae.exporting import sampler_only
from synthvae.fields import fields_of
from synthvae.guarantee import Guarantee
from synthvae.holdings import describe
from synthvae.model.presets import PRESETS
from synthvae.model.spec import PARTS, build
from synthvae.model.values import Rows
from synthvae.opening import settings_of
from synthvae.pipeline import prepare
from synthvae.settings import parse
from synthvae.table import from_frame

Fitted = Callable[[str], Artifact]
presets = pytest.mark.parametrize("preset", list(PRESETS))
a_few = pytest.mark.parametrize(
    "preset",
    [
        p if p in ("arvae", "tvae", "vamp-vae") else pytest.param(p, marks=pytest.mark.nightly)
        for p in PRESETS
    ],
)


def rows_of(artifact: Artifact, n: int, **options: object) -> pa.Table:
    chunks = list(opening.sampler(artifact).chunks(n, 7, "text", **options))
    return pa.concat_tables(chunks).unify_dictionaries().combine_chunks()


@presets
def test_columns_and_types_are_those_of_the_table(
    preset: str, fitted: Fitted, frame: pd.DataFrame
) -> None:
    sampler = opening.sampler(fitted(preset))
    table = pa.concat_tables(list(sampler.chunks(500, 1, "typed")))
    assert table.column_names == list(frame.columns)
    assert table.num_rows == 500
    assert table.schema == sampler.codec.arrow_schema("typed")
    assert set(table["group"].to_pylist()) <= set(frame["group"])


@presets
def test_saved_and_loaded_it_draws_the_same_rows(
    preset: str, fitted: Fitted, tmp_path: Path
) -> None:
    artifact = fitted(preset)
    artifact.save(tmp_path / "m.synthvae")
    again = artifacts.load(tmp_path / "m.synthvae")
    assert again.to_bytes() == artifact.to_bytes()
    assert rows_of(again, 300).equals(rows_of(artifact, 300))
    assert settings_of(again) == settings_of(artifact)


@presets
def test_rows_do_not_depend_on_n_threads_or_blocks(
    preset: str, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.sampling._BLOCK_ROWS", (64, 128))
    artifact = fitted(preset)
    many = rows_of(artifact, 1000, threads=2)
    assert rows_of(artifact, 1000, threads=1).equals(many)
    for n in (1, 127, 128, 129, 640):
        assert rows_of(artifact, n).equals(many.slice(0, n))
    chunks = list(opening.sampler(artifact).chunks(300, 7, "text"))
    assert [len(chunk) for chunk in chunks] == [128, 128, 44]


@presets
def test_a_sampler_draws_the_same_rows_and_meets_none(
    preset: str, fitted: Fitted, tmp_path: Path
) -> None:
    artifact = fitted(preset)
    sampler_only(artifact, "0" * 64).save(tmp_path / "s.synthvae")
    slim = artifacts.load(tmp_path / "s.synthvae")
    assert rows_of(slim, 9000).equals(rows_of(artifact, 9000))
    assert "encoder.embedding.weight" in artifact.weights
    assert "encoder.embedding.weight" not in slim.weights
    assert not {"history", "scores"} & set(slim.content["training"])
    assert describe(slim)["columns"] == describe(artifact)["columns"]
    assert "scores" not in " ".join(describe(slim)["also"])
    for use in (opening.scorer, opening.latent_space, opening.imputer, opening.fitted):
        with pytest.raises(UsageError, match="exported with --sampler-only"):
            use(slim)


@presets
def test_half_a_sampler_draws_rows_of_the_same_kind(preset: str, fitted: Fitted) -> None:
    whole, half = fitted(preset), sampler_only(fitted(preset), "0" * 64, half=True)
    assert len(half.to_bytes()) < 0.8 * len(sampler_only(whole, "0" * 64).to_bytes())
    guarantee = Guarantee(fields_of(opening.sampler(half).codec), "text")
    table = pa.concat_tables(guarantee.held(opening.sampler(half).chunks(9000, 7, "text")))
    before = pa.concat_tables(opening.sampler(whole).chunks(9000, 7, "text"))
    same = np.mean(np.array(table["group"].to_pylist()) == np.array(before["group"].to_pylist()))
    assert same > 0.95  # rounding moves a draw now and then


@presets
def test_rows_meet_conditions(preset: str, fitted: Fitted) -> None:
    sampler = opening.sampler(fitted(preset))
    where = "active == true and spend > 20 and (visits < 6 or score is missing)"
    asked = Conditional(sampler, Kind.of(sampler, where, {}, {}))
    rows = pa.concat_tables(asked.chunks(200, 1, "typed", threads=1)).to_pandas()
    assert len(rows) == 200
    assert rows["active"].all()
    assert (rows["spend"] > 20).all()
    assert ((rows["visits"] < 6) | rows["score"].isna()).all()
    assert 0 < asked.tally.acceptance <= 1


@presets
def test_seeds_differ_and_views_agree(preset: str, fitted: Fitted) -> None:
    sampler = opening.sampler(fitted(preset))
    one, two = (next(sampler.chunks(50, seed, "text")) for seed in (1, 2))
    assert not one.equals(two)
    typed = next(sampler.chunks(50, 1, "typed"))
    assert [str(v) for v in typed["visits"].to_pylist()] == one["visits"].to_pylist()


@presets
def test_terms_are_finite_and_rows_are_independent(
    preset: str, fitted: Fitted, frame: pd.DataFrame
) -> None:
    artifact = fitted(preset)
    settings = settings_of(artifact)
    rows = Rows.of(prepare(from_frame(frame), None, settings).encoded)
    model = build(settings.model, opening.sampler(artifact).codec.layout, 0)
    noise = torch.randn(len(rows), model.space.size)
    with torch.no_grad():
        terms = model(rows, noise)
        assert torch.isfinite(terms.elbo).all()
        # A rate that is estimated from one draw may be negative in a row, but not in the mean.
        error = terms.rate.std(dim=0) / len(rows) ** 0.5
        assert (terms.rate.mean(dim=0) > -1e-6 - 4 * error).all()
        some = torch.tensor([3, 17, 99])
        alone = model(rows.at(some), noise[some])
    assert torch.allclose(alone.elbo, terms.elbo[some], atol=1e-4)


@presets
def test_the_file_holds_tensors_and_json_and_no_row(
    preset: str, fitted: Fitted, frame: pd.DataFrame
) -> None:
    data = fitted(preset).to_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert all(
        set(v) == {"dtype", "shape", "data_offsets"} for k, v in header.items() if k[:2] != "__"
    )
    assert b"pickle" not in data
    for key in frame["customer_id"]:
        assert key.encode() not in data
    # No array is as long as the table, so no column can be hidden in one.
    content = json.loads(json.loads(header["__metadata__"]["synthvae"])["artifact"])
    assert longest(content) < len(frame) - 100


def longest(value: object) -> int:
    if isinstance(value, dict):
        return max(map(longest, value.values()), default=0)
    if isinstance(value, list):
        return max(len(value), max(map(longest, value), default=0))
    return 0


@a_few
def test_missing_depends_on_what_it_depended_on(preset: str) -> None:
    rng = np.random.default_rng(0)
    group = rng.choice(["low", "high"], 3000)
    score = rng.normal(size=3000).round(2)
    score[(group == "high") & (rng.random(3000) < 0.8)] = np.nan
    frame = pd.DataFrame({"group": group, "score": score, "other": rng.choice(["a", "b"], 3000)})
    settings = {"preset": preset, "condition": ["other"] if preset == "cvae" else []}
    artifact = pipeline.fit(
        from_frame(frame), None, parse({**settings, "training": {"epochs": 40}})
    )
    drawn = rows_of(artifact, 4000)
    missing, groups = (np.array(drawn[name].to_pylist()) for name in ("score", "group"))
    high, low = ((missing == "")[groups == name].mean() for name in ("high", "low"))
    # Missing at random would give a difference of 0, give or take 0.02.
    assert high - low > 0.35


def test_every_part_file_stands_in_the_tables() -> None:
    import synthvae.model as package

    for table, folder in (("latent", "latents"), ("prior", "priors"), ("decoder", "decoders")):
        files = {p.stem for p in (Path(package.__file__).parent / folder).glob("*.py")}
        homes = {spec.__module__.split(".")[-1] for spec in PARTS[table].values()}
        assert homes == files - {"__init__"}
        assert all(spec().kind == kind for kind, spec in PARTS[table].items())
