"""A small table with a bit of everything, models fitted on it once a session, and known noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from synthvae import Synthesizer, pipeline
from synthvae.artifact import Artifact
from synthvae.privacy.ledger import GRAIN
from synthvae.settings import parse
from synthvae.table import from_frame

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


class Tape:
    """Noise of a fixed seed, or none; `wanted`, in rows, is the next noise instead where it
    is set, and `chosen` are the next choices."""

    source = "a tape"

    def __init__(self, scale: float = 1.0) -> None:
        self.scale, self.wanted = scale, None
        self.chosen: list[NDArray[np.int64]] = []
        self._rng = np.random.default_rng(5)

    def gaussian(self, shape: tuple[int, ...], sigma: float) -> NDArray[np.int64]:
        wanted, self.wanted = self.wanted, None
        if wanted is not None:
            return np.rint(wanted * GRAIN).astype(np.int64)
        samples = self._rng.normal(0, sigma * self.scale, shape) if self.scale else np.zeros(shape)
        return np.rint(samples).astype(np.int64)

    def above(self, counts: Mapping[str, int], sigma: float, least: int) -> dict[str, int]:
        noise = self.gaussian((len(counts),), sigma).tolist()
        noisy = zip(
            counts, (n + m for n, m in zip(counts.values(), noise, strict=True)), strict=True
        )
        return {name: count for name, count in noisy if count >= least}

    def best(self, scores: NDArray[np.int64], scale: float, most: int) -> NDArray[np.int64]:
        if self.chosen:
            return self.chosen.pop(0)
        noise = self._rng.gumbel(0, scale * self.scale, len(scores)) if self.scale else 0
        return np.argsort(-(scores + noise), kind="stable")[:most]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Nightly tests are for who asks for them."""
    if "nightly" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("nightly")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """600 rows: a class that shifts a number, missing that depends on it, zeros, dates, ids."""
    rng = np.random.default_rng(7)
    rows = 600
    group = rng.choice(["low", "mid", "high", "rare"], rows, p=[0.5, 0.3, 0.18, 0.02])
    level = pd.Series(group).map({"low": 0.0, "mid": 3.0, "high": 6.0, "rare": 9.0}).to_numpy()
    score = np.round(level + rng.normal(0, 1, rows), 2)
    score[(group == "high") & (rng.random(rows) < 0.5)] = np.nan
    spend = np.where(rng.random(rows) < 0.4, 0.0, np.round(rng.lognormal(3, 1, rows), 2))
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D")
    return pd.DataFrame(
        {
            "customer_id": [f"K-{i:05d}" for i in rng.permutation(rows)],
            "group": group,
            "score": score,
            "spend": spend,
            "visits": rng.poisson(2 + level),
            "active": rng.random(rows) < 0.7,
            "since": days,
        }
    )


@pytest.fixture(scope="session")
def csv(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "table.csv"
    frame.to_csv(path, index=False)
    return path


def settings_for(preset: str, epochs: int = 3) -> dict[str, object]:
    """Settings that fit any preset in a second."""
    condition = ["group", "visits"] if preset == "cvae" else []
    return {
        "preset": preset,
        "condition": condition,
        "training": {"epochs": epochs, "batch": 100},
    }


@pytest.fixture(scope="session")
def fitted(frame: pd.DataFrame) -> Callable[[str], Artifact]:
    """The artifact of a preset, fitted for three epochs."""
    made: dict[str, Artifact] = {}

    def fit(preset: str) -> Artifact:
        if preset not in made:
            made[preset] = pipeline.fit(from_frame(frame), None, parse(settings_for(preset)))
        return made[preset]

    return fit


@pytest.fixture(autouse=True)
def numbers_of_its_own(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's random numbers don't follow from which tests ran before it."""
    if hasattr(request.module, "RNG"):
        monkeypatch.setattr(request.module, "RNG", np.random.default_rng(0))


@pytest.fixture(scope="session")
def model_file(csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tvae of the CSV file, written once."""
    path = tmp_path_factory.mktemp("model") / "model.synthvae"
    result = run_cli("fit", csv, "-o", path, "--epochs", "2")
    assert result.exit_code == 0, result.output
    return path


def run_cli(*arguments: object, input: bytes | None = None):
    """Drive the installed entry point, as a shell would."""
    (script,) = entry_points(group="console_scripts", name="synthvae")
    return CliRunner().invoke(script.load(), [str(a) for a in arguments], input=input)


@pytest.fixture(scope="session")
def cli():
    return run_cli


@pytest.fixture
def synthesizer() -> type[Synthesizer]:
    return Synthesizer
