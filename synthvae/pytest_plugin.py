"""A pytest plugin: tables for tests, drawn from a model file.

    def test_report(synthetic_table):
        rows = synthetic_table("bank.synthvae", n=200, seed=7)

The same arguments give the same rows, which are drawn once a session; each call gets a copy, so
that tests can't spoil each other's. `synthvae_model` in pytest's settings names the file to draw
from where a call names none; paths are relative to the root of the tests.

Nothing but pytest is loaded until a test asks for rows: every run of pytest where synthvae is
installed imports this file.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pandas as pd

SETTING = "synthvae_model"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The setting `synthvae_model`."""
    parser.addini(SETTING, "Model file that the fixture synthetic_table draws from.", default="")


@pytest.fixture(scope="session")
def synthetic_table(request: pytest.FixtureRequest) -> Callable[..., pd.DataFrame]:
    """`synthetic_table(model=None, n=1000, seed=0, **options)` -> a DataFrame of new rows.

    `options` are those of `Synthesizer.sample`, such as `given={"income": ">50K"}`.
    """
    config = request.config
    models: dict[Path, Any] = {}
    drawn: dict[bytes, pd.DataFrame] = {}

    def table(
        model: str | Path | None = None, n: int | None = 1000, seed: int = 0, **options: Any
    ) -> pd.DataFrame:
        named = model or config.getini(SETTING)
        if not named:
            raise pytest.UsageError(
                "a synthetic table is drawn from a model file, but none is named; pass one, or "
                f"set {SETTING} in pytest's settings"
            )
        path = (config.rootpath / named).resolve()
        # All of every option: the repr of a frame leaves out what stands in its middle.
        key = pickle.dumps((str(path), n, seed, sorted(options.items())))
        if key not in drawn:
            if path not in models:
                from synthvae import Synthesizer

                models[path] = Synthesizer.load(path)
            drawn[key] = models[path].sample(n, seed=seed, **options)
        return drawn[key].copy()

    return table
