"""Every preset under differential privacy: fitted, and used for all that it can do; and tables that
must not stop a fit once it is paid for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import metadata, opening, private
from synthvae.artifact import Artifact
from synthvae.errors import PrivacyError
from synthvae.holdings import describe
from synthvae.marginals import chain
from synthvae.model.presets import PRESETS
from synthvae.opening import settings_of
from synthvae.privacy import ledger
from synthvae.settings import parse
from synthvae.table import Table, from_frame
from synthvae.training import private_plan, stage_two
from synthvae.training.permitted import why_not_private

COLUMNS: dict[str, dict[str, Any]] = {
    "kind": {"sdtype": "categorical", "range_values": ["a", "b", "c"]},
    "found": {"sdtype": "categorical"},
    "flag": {"sdtype": "boolean"},
    "number": {"sdtype": "numerical", "range_min": 0, "range_max": 99, "decimal_places": 1},
    "unknown": {"sdtype": "numerical"},
    "day": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
    "id": {"sdtype": "id", "regex_format": "K-[0-9]{5}"},
    "mail": {"sdtype": "email"},
}
META = metadata.parse({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": COLUMNS}, "metadata")
ROWS = 300
presets = pytest.mark.parametrize("preset", list(PRESETS))


@pytest.fixture(scope="module", autouse=True)
def quick() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage_two, "TRAINING", replace(stage_two.TRAINING, epochs=1))
        patch.setattr(chain, "ITERATIONS", 3)
        patch.setattr(private, "ROWS", 400)
        patch.setattr(private_plan, "STEPS", 3)
        patch.setattr(ledger, "sampled_noise", lambda *_: 5.0)  # the search for it takes a second
        yield


def rows() -> dict[str, list[Any]]:
    rng = np.random.default_rng(2)
    kind = rng.choice(["a", "b", "c"], ROWS)
    number = np.round(rng.uniform(0, 40, ROWS) + 20 * (kind == "b"), 1)
    days = np.datetime64("2022-01-01") + rng.integers(0, 300, ROWS)
    return {
        "kind": kind.tolist(),
        "found": rng.choice(["x", "y"], ROWS).tolist(),
        "flag": rng.choice(["yes", "no"], ROWS).tolist(),
        "number": [str(x) if i % 7 else "" for i, x in enumerate(number)],
        "unknown": rng.integers(0, 500, ROWS).astype(str).tolist(),
        "day": days.astype(str).tolist(),
        "id": [f"K-{i:05d}" for i in range(ROWS)],
        "mail": [f"{i}@example.org" for i in range(ROWS)],
    }


def table(columns: dict[str, list[Any]]) -> Table:
    return from_frame(pd.DataFrame({n: pd.Series(v, dtype=object) for n, v in columns.items()}))


def real() -> Table:
    return table(rows())


def fit(preset: str, columns: dict[str, list[Any]], engine: str = "marginals") -> Artifact:
    settings = {
        "preset": preset,
        "condition": ["kind", "number"] if preset == "cvae" else [],
        "training": {"epochs": 1, "batch": 100},
        "privacy": {"epsilon": 30.0, "engine": engine, "rows": ROWS},
    }
    return private.fit(table(columns), META, parse(settings), threads=1)


@pytest.fixture(scope="module")
def fitted() -> Callable[[str], Artifact]:
    """A private fit of a preset."""
    return cache(lambda preset: fit(preset, rows()))


def drawn(artifact: Artifact, **options: Any) -> pd.DataFrame:
    return next(iter(opening.sampler(artifact).chunks(100, 3, "text", **options))).to_pandas()


@presets
def test_it_draws_what_was_declared(preset: str, fitted: Callable[[str], Artifact]) -> None:
    new = drawn(fitted(preset))
    assert list(new) == list(COLUMNS)
    assert set(new["kind"]) <= {"a", "b", "c", "__other__", ""}
    assert set(new["flag"]) <= {"yes", "no", ""}
    numbers = new["number"][new["number"] != ""].astype(float)
    assert numbers.between(0, 99).all()
    assert new["id"].str.fullmatch(r"(K-\d{5})?").all()


@presets
def test_it_says_what_it_holds(preset: str, fitted: Callable[[str], Artifact]) -> None:
    held = describe(fitted(preset))
    assert held["privacy"]["claim"]["epsilon"] <= 30
    assert set(held["columns"]) == set(COLUMNS)
    assert held["training"]["rows"] == 400


@presets
def test_it_scores_rows_of_the_table(preset: str, fitted: Callable[[str], Artifact]) -> None:
    scorer = opening.scorer(fitted(preset))
    scores = pa.concat_tables(scorer.chunks(real())).to_pandas()
    assert len(scores) == ROWS
    assert np.isfinite(scores["score"]).all()
    assert scores["percentile"].between(0, 100).all()


@presets
def test_it_places_rows_of_the_table_and_gives_them_back(
    preset: str, fitted: Callable[[str], Artifact]
) -> None:
    space = opening.latent_space(fitted(preset))
    points = pa.concat_tables(space.encode(real())).to_pandas()
    assert np.isfinite(points).all(axis=None)
    again = pa.concat_tables(space.reconstruct(real(), 0, "typed"))
    assert len(points) == len(again) == ROWS


@presets
def test_it_fills_cells_of_the_table(preset: str, fitted: Callable[[str], Artifact]) -> None:
    artifact, holes = fitted(preset), rows()
    given = settings_of(artifact).condition
    for name in {"kind", "number", "day"} - set(given):
        holes[name][:5] = [None] * 5
    job = opening.imputer(artifact).job(table(holes), 1, "text")
    found = pa.concat_tables(opening.imputer(artifact).chunks(job)).to_pandas()
    assert len(found) == ROWS
    assert (found["flag"] == rows()["flag"]).all()
    assert "kind" in given or set(found["kind"][:5]) <= {"a", "b", "c", "__other__"}


REFUSED = [n for n, p in PRESETS.items() if why_not_private(p.model, p.training)]


@pytest.mark.parametrize("preset", REFUSED)
def test_presets_that_cannot_train_on_rows_say_why(preset: str) -> None:
    with pytest.raises(PrivacyError, match="clips what each row adds"):
        fit(preset, rows(), "warm")


@pytest.mark.parametrize("preset", ["cvae", "hvae"])
def test_others_than_the_default_train_on_rows_too(preset: str) -> None:
    assert preset not in REFUSED
    assert len(drawn(fit(preset, rows(), "warm"))) == 100


HARD: dict[str, dict[str, Any]] = {
    "a third value of a boolean": {"flag": ["yes", "no", "maybe"]},
    "a boolean that is none": {"flag": ["perhaps", "maybe"]},
    "nothing but missing": {name: [None] for name in COLUMNS},
    "one value among missing": {name: ["1", *[None] * (ROWS - 1)] for name in COLUMNS},
    "what nobody declared": {name: ["?", "!"] for name in COLUMNS},
    "what means missing": {"kind": ["NA", "None"], "found": ["nan"], "mail": ["NULL"]},
    "numbers without end": {"number": ["inf", "-1e300"], "unknown": ["1e300", "nan", "-inf"]},
}


@pytest.mark.parametrize(
    "engine",
    ["warm", pytest.param("marginals", marks=pytest.mark.nightly)],
)
@pytest.mark.parametrize("hard", HARD)
def test_nothing_in_the_rows_stops_a_fit(hard: str, engine: str) -> None:
    columns = rows()
    for name, texts in HARD[hard].items():
        columns[name] = [texts[i % len(texts)] for i in range(ROWS)]
    new = drawn(fit("tvae", columns, engine))
    assert len(new) == 100
    assert new["flag"][new["flag"] != ""].nunique() <= 2
