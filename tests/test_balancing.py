"""Balanced samples: counts are exact, and a value that is too rare is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import Synthesizer, opening, pipeline
from synthvae import metadata as metadatas
from synthvae.artifact import Artifact
from synthvae.balancing import balanced, equal_counts
from synthvae.errors import SchemaError, UsageError
from synthvae.fields import fields_of
from synthvae.settings import parse
from synthvae.table import from_frame

Fitted = Callable[[str], Artifact]
PRESETS = pytest.mark.parametrize("preset", ["arvae", "cvae"])  # picked, and told


def drawn(sampler, counts: dict[str, int], seed: int = 1, **options: object) -> pd.DataFrame:
    chunks = balanced(sampler, "group", counts, seed, "typed", **options)
    return pa.concat_tables(chunks).to_pandas()


@PRESETS
def test_counts_are_exact(preset: str, fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthvae.sampling._BLOCK_ROWS", (64, 128))
    sampler = opening.sampler(fitted(preset))
    counts = {"rare": 150, "low": 300, "mid": 0}
    rows = drawn(sampler, counts)
    assert Counter(rows["group"].astype(str)) == {"rare": 150, "low": 300}
    assert rows["customer_id"].is_unique
    assert rows["since"].nunique() > 100
    pd.testing.assert_frame_equal(drawn(sampler, counts, threads=1), rows)
    assert not drawn(sampler, counts, 2).equals(rows)


def test_rows_are_shared_equally(fitted: Fitted) -> None:
    sampler = opening.sampler(fitted("arvae"))
    counts = equal_counts(sampler, "group", 102)
    assert counts == {"high": 26, "low": 26, "mid": 25, "rare": 25}


def test_picked_rows_are_the_first_of_independent_ones(fitted: Fitted) -> None:
    sampler = opening.sampler(fitted("arvae"))
    rows = drawn(sampler, {"high": 40})
    freely = pa.concat_tables(sampler.candidates().chunks(4000, 1, "typed")).to_pandas()
    first = freely[freely["group"] == "high"][:40].reset_index(drop=True)
    first["customer_id"] = freely["customer_id"][:40]  # these go by the number of the row
    pd.testing.assert_frame_equal(rows, first, check_categorical=False)


def test_a_value_that_is_too_rare_is_named(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthvae.balancing.PER_ROW", 2)
    monkeypatch.setattr("synthvae.balancing.FEWEST", 1)
    with pytest.raises(UsageError, match=r"'rare' came \d+ times of 20,000; ask for fewer"):
        drawn(opening.sampler(fitted("tvae")), {"rare": 20_000})


@pytest.fixture(scope="module", params=["arvae", "cvae"])
def keyed(request: pytest.FixtureRequest) -> Artifact:
    """A model of a table with a key of three columns, and an id of three digits."""
    rng = np.random.default_rng(0)
    every = pd.MultiIndex.from_product([["a", "b"], range(60), [True, False]]).to_frame(index=False)
    frame = every.set_axis(["group", "k", "active"], axis=1).sample(200, random_state=0)
    frame = frame.assign(id=[f"{i:03d}" for i in rng.permutation(1000)[:200]])
    metadata = {
        "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
        "primary_key": "id",
        "columns": {
            "group": {"sdtype": "categorical"},
            "k": {"sdtype": "categorical"},
            "active": {"sdtype": "boolean"},
            "id": {"sdtype": "id", "regex_format": "[0-9]{3}"},
        },
    }
    settings = {
        "preset": request.param,
        "rare": {"rows": 0},
        "condition": ["group"] if request.param == "cvae" else [],
        "training": {"epochs": 2, "batch": 100},
        "constraints": [
            {"kind": "unique", "columns": ["group", "k", "active"]},
            {"kind": "regex", "column": "k", "pattern": "[0-9]|[1-5][0-9]"},
        ],
    }
    return pipeline.fit(from_frame(frame), metadatas.parse(metadata, "it"), parse(settings))


def test_no_two_rows_are_alike_and_identifiers_keep_their_form(keyed: Artifact) -> None:
    sampler = opening.sampler(keyed)
    rows = drawn(sampler, {"a": 80, "b": 80})
    assert Counter(rows["group"].astype(str)) == {"a": 80, "b": 80}
    assert not rows.duplicated(["group", "k", "active"]).any()
    assert rows["id"].is_unique
    assert rows["id"].astype(str).str.fullmatch("[0-9]{3}").all()
    assert sampler.tries.share is not None
    assert drawn(opening.sampler(keyed), {"a": 80, "b": 80}, threads=1).equals(rows)
    whole = pa.concat_tables(opening.sampler(keyed).chunks(150, 1, "typed")).to_pandas()
    assert whole["id"].astype(str).str.fullmatch("[0-9]{3}").all()


def test_a_declared_form_has_to_have_room_for_all_values(keyed: Artifact) -> None:
    (field,) = (f for f in fields_of(opening.sampler(keyed).codec) if f.name == "id")
    assert field.pattern == "[0-9][0-9][0-9]"
    model = Synthesizer()
    model._artifact = keyed
    assert len(model.sample(per={"group": {"a": 5, "b": 5}})) == 10
    with pytest.raises(SchemaError, match="has 1,000 texts, and 1,001 rows"):
        model.sample(per={"group": {"a": 1000, "b": 1}})


def test_a_value_without_as_many_rows_as_are_asked_for(
    keyed: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.balancing.FEWEST", 1)
    with pytest.raises(UsageError, match=r"no two rows.* alike"):
        drawn(opening.sampler(keyed), {"a": 10, "b": 300})


def test_wrong_requests_are_named(fitted: Fitted) -> None:
    sampler = opening.sampler(fitted("cvae"))
    with pytest.raises(UsageError) as caught:
        drawn(sampler, {"lo": 3, "mid": -1}, given={"group": "mid"})
    assert len(caught.value.reasons) == 3
    assert "did you mean 'low'?" in str(caught.value)
    for column, words in (("grup", "did you mean 'group'"), ("score", "holds categories")):
        with pytest.raises(UsageError, match=words):
            equal_counts(sampler, column, 10)
