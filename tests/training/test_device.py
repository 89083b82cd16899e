"""Steps on another device: `meta` stands for it, whose tensors have no values but refuse to be
mixed with those of the processor, as those of a GPU do."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
import torch

from synthvae import Synthesizer, pipeline, private
from synthvae.errors import UsageError
from synthvae.metadata import Metadata
from synthvae.model.compute import side_by_side
from synthvae.model.objective import Objective
from synthvae.model.presets import PRESETS
from synthvae.model.spec import TrainingSpec, build
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.settings import parse
from synthvae.table import from_frame
from synthvae.training import device
from synthvae.training.descent import Batch
from synthvae.training.device import by_processor, device_of
from synthvae.training.flat import Flat
from synthvae.training.loop import Loop
from synthvae.training.plain import Plain
from tests.conftest import run_cli, settings_for

META = torch.device("meta")
on_a_gpu = [name for name, preset in PRESETS.items() if preset.training.regime.gpu is True]
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def prepared(frame: pd.DataFrame, preset: str = "arvae") -> pipeline.Prepared:
    return pipeline.prepare(from_frame(frame), None, parse(settings_for(preset)))


@pytest.fixture
def model(frame: pd.DataFrame) -> Vae:
    return build(parse(settings_for("arvae")).model, prepared(frame).codec.layout, 0)


@pytest.mark.parametrize(
    ("preset", "draws"), [*((name, 1) for name in on_a_gpu), ("arvae", 3), ("tvae", 3)]
)
def test_a_step_mixes_no_devices(preset: str, draws: int, frame: pd.DataFrame) -> None:
    settings, learnt = parse(settings_for(preset)), prepared(frame, preset)
    model = build(settings.model, learnt.codec.layout, 0).to(META)
    shape = (len(frame), draws, model.space.size) if draws > 1 else (len(frame), model.space.size)
    batch = Batch.of(Rows.of(learnt.encoded).to(META), torch.empty(shape, device=META), 1.0, 0)
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


def test_tensors_of_two_devices_are_refused(model: Vae, frame: pd.DataFrame) -> None:
    rows = Rows.of(prepared(frame).encoded).to(META)
    with pytest.raises(RuntimeError, match="device"):
        model.to(META)(rows, torch.zeros(len(rows), model.space.size))


def test_parameters_become_one_vector_where_they_are() -> None:
    weights = [torch.nn.Parameter(torch.empty(3, 5, device=META)) for _ in range(2)]
    flat = Flat(weights)
    assert flat.vector.device == flat.zeros().device == weights[0].device == META


def test_a_model_elsewhere_is_copied_to_be_looked_at(
    model: Vae, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert by_processor(model) is model
    monkeypatch.setattr(device, "_CPU", META)  # what is here is elsewhere then
    seen = by_processor(model)
    assert {p.device for p in seen.parameters()} == {META}
    assert {p.device.type for p in model.parameters()} == {"cpu"}


def test_what_steps_keep_stands_where_the_model_does(model: Vae) -> None:
    with side_by_side(1) as team:
        regime = Plain(model.to(META), Objective(), TrainingSpec(averaging=0.9), team)
        kept = [*regime.descent.gradients, *regime.descent.moments.values(), regime.descent.own]
        loop = Loop(model, regime, Objective(), TrainingSpec(), 0)
    assert {tensor.device for tensor in [*kept, *regime.average.values]} == {META}
    assert loop._noise(3, torch.Generator()).device == META


def test_an_epoch_gets_rows_where_the_model_is(
    model: Vae, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[Rows] = []

    def epoch(self: Loop, *rows: Rows) -> None:
        got.extend(rows)
        self.progress.epoch = self.plan.epochs
        self.best = model.state_dict()

    monkeypatch.setattr(Loop, "_epoch", epoch)
    rows = Rows.of(prepared(frame).encoded)
    with side_by_side(1) as team:
        regime = Plain(model.to(META), Objective(), TrainingSpec(), team)
        Loop(model, regime, Objective(), TrainingSpec(), 0).run(rows, lambda *_: None, None, False)
    assert {part.codes.device for part in got} == {part.scalars.device for part in got} == {META}


def test_a_fit_moves_its_model(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(model: Vae, *_: object) -> None:
        raise UsageError(f"steps on {next(model.parameters()).device}")

    monkeypatch.setattr(pipeline, "device_of", lambda *_: META)
    monkeypatch.setattr(pipeline, "start", start)
    with pytest.raises(UsageError, match="steps on meta"):
        pipeline.fit(from_frame(frame), None, parse(settings_for("arvae")), device="cuda")


def test_a_device_that_is_asked_for_arrives(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*asked: object, device: str = "", **_: object) -> None:
        raise UsageError(f"it is to be {device or asked[-1]}")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(pipeline, "fit", fit)
    frame = pd.DataFrame({"a": ["x", "y"] * 600})
    levels = {"sdtype": "categorical", "range_values": ["x", "y"], "range_is_nullable": False}
    settings = {"privacy": {"epsilon": 50.0}, "holdout": 0.0}
    with pytest.raises(UsageError, match="to be cuda"):
        Synthesizer(settings=settings).fit(frame, {"columns": {"a": levels}}, device="cuda")
    with pytest.raises(UsageError, match="to be cuda"):
        Synthesizer().fit(frame, device="cuda")
    refused = run_cli("fit", csv, "-o", csv.with_name("none.synthvae"), "--device", "cuda")
    assert "to be cuda" in refused.stderr


def test_what_is_not_there_is_said_before_anything_is_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(private, "meet", lambda *_: pytest.fail("the rows were met"))
    settings = parse({"privacy": {"epsilon": 1.0}})
    table = from_frame(pd.DataFrame({"a": [1, 2]}))
    with pytest.raises(UsageError, match="finds none"):
        private.fit(table, Metadata({}), settings, device="cuda")


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
    for name in ("auto", "cpu"):
        path = tmp_path / name
        assert run_cli("fit", csv, "-o", path, "--epochs", 1, "--device", name).exit_code == 0
    assert (tmp_path / "auto").read_bytes() == (tmp_path / "cpu").read_bytes()


@needs_gpu
@pytest.mark.parametrize("preset", on_a_gpu)
def test_a_gpu_learns_what_a_processor_learns(preset: str, frame: pd.DataFrame) -> None:
    own = {k: v for k, v in settings_for(preset).items() if k != "preset"}
    torch.cuda.reset_peak_memory_stats()
    fits = [
        Synthesizer(preset, settings=own).fit(frame, device=device) for device in ("cpu", "cuda")
    ]
    here, there = (fit.artifact.content["training"]["history"][0]["loss"] for fit in fits)
    assert there == pytest.approx(here, rel=0.02)
    assert torch.cuda.max_memory_allocated() > 0
    assert list(fits[1].sample(100)) == list(frame)


@needs_gpu
def test_a_fit_on_a_gpu_is_taken_up_again(csv: Path, tmp_path: Path) -> None:
    command = ("fit", csv, "-o", tmp_path / "m.synthvae", "--device", "cuda", "--log", tmp_path)
    assert run_cli(*command, "--epochs", 2, "--checkpoint-every", 0).exit_code == 0
    assert (tmp_path / "epoch-0001" / "samples.csv").exists()
    assert run_cli(*command, "--epochs", 2, "--resume", "--force").exit_code == 0
