"""Settings: strict, laid over a preset, and the same after a trip through a model file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthvae.errors import MetadataError, UsageError
from synthvae.model.presets import PRESETS
from synthvae.model.priors.flow import FlowSpec
from synthvae.model.schedules import Cyclical
from synthvae.settings import Settings, parse, read


def test_nothing_given_is_the_default_preset() -> None:
    assert parse({}) == Settings()
    assert parse({"preset": "tvae"}).model == PRESETS["tvae"].model


def test_fields_are_laid_over_the_preset() -> None:
    settings = parse(
        {
            "preset": "tvae",
            "seed": 3,
            "missing_values": ["?"],
            "model": {"latent": {"size": 8}, "decoder": {"hidden": [32]}, "objective": {"beta": 2}},
            "training": {"epochs": 5},
        }
    )
    assert settings.seed == 3
    assert settings.missing_values == ("?",)
    assert settings.model.latent.size == 8
    assert settings.model.decoder.hidden == (32,)
    assert settings.model.objective.beta == 2.0
    assert settings.model.objective.warmup_epochs == PRESETS["tvae"].model.objective.warmup_epochs
    assert settings.training.epochs == 5


def test_a_schedule_and_a_prior_are_chosen_by_kind() -> None:
    objective = {"warmup_epochs": 9, "schedule": {"kind": "cyclical", "cycles": 3}}
    content = {"preset": "tvae", "model": {"objective": objective, "prior": {"kind": "flow"}}}
    settings = parse(content)
    assert settings.model.objective.schedule == Cyclical(cycles=3)
    assert settings.model.prior == FlowSpec()
    assert parse(json.loads(json.dumps(settings.to_json()))) == settings


def test_json_round_trip() -> None:
    settings = parse({"preset": "cvae", "condition": ["a"], "model": {"encoder": [9, 4]}})
    assert parse(json.loads(json.dumps(settings.to_json()))) == settings


def test_all_reasons_at_once_with_hints() -> None:
    wrong = {
        "sed": 1,
        "training": {"epoch": 5, "batch": "many"},
        "model": {"latent": {"kind": "gausian"}, "numeric": "bins"},
    }
    with pytest.raises(MetadataError) as caught:
        parse(wrong)
    text = str(caught.value)
    assert len(caught.value.reasons) == 5
    for part in ("did you mean 'seed'?", "did you mean 'epochs'?", "'many'", "modes, cells"):
        assert part in text
    assert "did you mean 'gaussian'?" in text


def test_unknown_preset_and_missing_condition_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="did you mean 'tvae'"):
        parse({"preset": "tva"})
    with pytest.raises(UsageError, match="--condition-on"):
        parse({"preset": "cvae"})


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "synthvae.yaml"
    path.write_text("preset: tvae\nseed: 4\n")
    assert read(path).seed == 4
    path.write_text("# nothing but a comment\n")
    assert read(path) == Settings()
    path.write_text("- a list\n")
    with pytest.raises(MetadataError, match="is keys with values"):
        read(path)
    with pytest.raises(MetadataError, match="does not exist"):
        read(tmp_path / "none.yaml")


def test_a_date_without_quotes_is_text(tmp_path: Path) -> None:
    path = tmp_path / "synthvae.yaml"
    path.write_text(
        "missing_values: [1900-01-01]\n"
        "constraints:\n- {kind: range, column: since, min: 2019-06-01, max: 2030-01-01 12:30:00}\n"
    )
    settings = read(path)
    assert settings.missing_values == ("1900-01-01",)
    assert settings.constraints[0]["max"] == "2030-01-01 12:30:00"
    json.dumps(settings.to_json())  # as a model file holds it


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"training": {"epochs": 0}}, "epochs"),
        ({"training": {"batch": -1}}, "batch"),
        ({"training": {"validation": 1.0}}, "validation"),
        ({"training": {"learning_rate": -1.0}}, "learning_rate"),
        ({"training": {"patience": 0}}, "patience"),
        ({"model": {"latent": {"size": 0}}}, "size"),
        ({"model": {"encoder": []}}, "encoder"),
        ({"model": {"decoder": {"kind": "parallel", "hidden": [8, 0]}}}, "hidden"),
        ({"model": {"decoder": {"dropout": 1.5}}}, "dropout"),
        ({"model": {"decoder": {"units": 0}}}, "units"),
        ({"training": {"averaging": 1.0}}, "averaging"),
        ({"training": {"visits": 0}}, "visits"),
        ({"model": {"scalar": {"kind": "gaussian"}}}, "numeric: quantiles"),
        ({"model": {"numeric": "cells"}}, "decoder: autoregressive"),
        ({"preset": "tvae", "model": {"decoder": {"kind": "autoregressive"}}}, "numeric is modes"),
        ({"model": {"objective": {"beta": -1}}}, "beta"),
        ({"model": {"latent": {"kind": ["a"]}}}, "kind"),
        ({"model": {"prior": {"kind": "vamp", "components": 0}}}, "components"),
        ({"model": {"prior": {"kind": "flow", "layers": 0}}}, "layers"),
        ({"model": {"objective": {"schedule": {"kind": "capacity", "nats": -1}}}}, "nats"),
        ({"model": {"objective": {"schedule": {"kind": "cycle"}}}}, "did you mean 'cyclical'"),
        ({"model": {"objective": {"iwae": 5}}}, "iwae: 5.*free_nats"),
    ],
)
def test_values_out_of_range_are_named(content: dict[str, object], name: str) -> None:
    with pytest.raises(MetadataError, match=name):
        parse(content)


def test_a_preset_that_is_no_text_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="a preset is one of"):
        parse({"preset": ["tvae"]})
