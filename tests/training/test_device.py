"""Steps on another device: `meta` stands for it, whose tensors have no values but refuse to be
mixed with those of the processor, as those of a GPU do."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
import torch

from synthvae import Synthesizer, pipeline
from synthvae.errors import UsageError
from synthvae.model.presets import PRESETS
from synthvae.model.spec import TrainingSpec, build
from synthvae.model.values import Rows
from synthvae.settings import parse
from synthvae.table import from_frame
from synthvae.training.descent import Batch
from synthvae.training.device import by_processor, device_of
from synthvae.training.flat import Flat
from tests.conftest import run_cli, settings_for

META = torch.device("meta")
on_a_gpu = [name for name, preset in PRESETS.items() if preset.training.regime.gpu is True]
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.mark.parametrize(
    ("preset", "draws"), [*((name, 1) for name in on_a_gpu), ("arvae", 3), ("tvae", 3)]
)
def test_a_step_mixes_no_devices(preset: str, draws: int, frame: pd.DataFrame) -> None:
    settings = parse(settings_for(preset))
    prepared = pipeline.prepare(from_frame(frame), None, settings)
    model = build(settings.model, prepared.codec.layout, 0).to(META)
    shape = (len(frame), draws, model.space.size) if draws > 1 else (len(frame), model.space.size)
    batch = Batch.of(Rows.of(prepared.encoded).to(META), torch.empty(shape, device=META), 1.0, 0)
    if model.space.slots:
        model.prior.fitted = torch.tensor(False)  # is asked for its value
    terms = model(batch.rows, batch.noise, _dropout(batch))
    loss = settings.model.objective.loss(terms, 1.0).sum()
    weights = [p for p in model.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
    assert {g.device for g in gradients} == {META}


def _dropout(batch: Batch):  # type: ignore[no-untyped-def]
    """As a batch has it; `meta` alone has no generator of its own."""
    with patch("torch.Generator", lambda _: torch._C.Generator()):
        return batch.dropout()


def test_tensors_of_two_devices_are_refused(frame: pd.DataFrame) -> None:
    settings = parse(settings_for("arvae"))
    prepared = pipeline.prepare(from_frame(frame), None, settings)
    model = build(settings.model, prepared.codec.layout, 0).to(META)
    rows = Rows.of(prepared.encoded).to(META)
    with pytest.raises(RuntimeError, match="device"):
        model(rows, torch.zeros(len(rows), model.space.size))


def test_parameters_become_one_vector_where_they_are() -> None:
    weights = [torch.nn.Parameter(torch.empty(3, 5, device=META)) for _ in range(2)]
    flat = Flat(weights)
    assert flat.vector.device == flat.zeros().device == weights[0].device == META


def test_of_the_processor_the_model_itself_is_looked_at(frame: pd.DataFrame) -> None:
    settings = parse(settings_for("arvae"))
    prepared = pipeline.prepare(from_frame(frame), None, settings)
    model = build(settings.model, prepared.codec.layout, 0)
    assert by_processor(model) is model


def test_auto_is_the_processor() -> None:
    assert device_of("auto", TrainingSpec()) == device_of("cpu", TrainingSpec())
    assert device_of("cpu", TrainingSpec()).type == "cpu"


def test_what_is_no_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="did you mean 'cuda'"):
        device_of("cudo", TrainingSpec())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="finds none"):
        device_of("cuda", TrainingSpec())


def test_a_critic_stays_with_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of("cuda", TrainingSpec()).type == "cuda"
    with pytest.raises(UsageError, match="regime: adversarial draws the rows of its critic"):
        device_of("cuda", parse({"preset": "vae-gan"}).training)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_on_the_command_line(csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.synthvae"
    refused = run_cli("fit", csv, "-o", out, "--epochs", 1, "--device", "cuda")
    assert refused.exit_code == 2
    assert "a GPU that torch finds, but it finds none" in refused.stderr
    assert not list(tmp_path.iterdir())
    for device in ("auto", "cpu"):
        path = tmp_path / device
        assert run_cli("fit", csv, "-o", path, "--epochs", 1, "--device", device).exit_code == 0
    assert (tmp_path / "auto").read_bytes() == (tmp_path / "cpu").read_bytes()


@needs_gpu
@pytest.mark.parametrize("preset", on_a_gpu)
def test_a_gpu_learns_what_a_processor_learns(preset: str, frame: pd.DataFrame) -> None:
    own = {k: v for k, v in settings_for(preset).items() if k != "preset"}
    fits = [
        Synthesizer(preset, settings=own).fit(frame, device=device) for device in ("cpu", "cuda")
    ]
    here, there = (fit.artifact.content["training"]["history"][0]["loss"] for fit in fits)
    assert there == pytest.approx(here, rel=0.02)
    assert list(fits[1].sample(100)) == list(frame)
