"""Rows that meet a condition: all of them do, and they are distributed like rows of the model that
happen to meet it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import chi2_contingency

from synthvae import Synthesizer, opening
from synthvae.artifact import Artifact
from synthvae.conditional import Conditional, Kind
from synthvae.errors import UsageError

Fitted = Callable[[str], Artifact]
MANY = 60_000
RNG = np.random.default_rng(0)
CONDITIONS = {
    "group == 'rare'": lambda f: f.group == "rare",
    "visits between 2 and 3": lambda f: f.visits.between(2, 3),
    "score > 4.5 and spend > 20": lambda f: (f.score > 4.5) & (f.spend > 20),
    "spend between 10 and 12": lambda f: f.spend.between(10, 12),
    "since >= '2022-05-01'": lambda f: f.since >= "2022-05-01",
    "score is missing and active == false": lambda f: f.score.isna() & ~f.active,
    "visits > score": lambda f: f.visits > f.score,
    "group == 'rare' or visits > 8": lambda f: (f.group == "rare") | (f.visits > 8),
}


@pytest.fixture(scope="module")
def freely(fitted: Fitted) -> dict[str, pd.DataFrame]:
    """Rows of two models that nothing was asked of."""
    frames = {}
    for preset in ("arvae", "tvae"):
        chunks = opening.sampler(fitted(preset)).chunks(MANY, 11, "typed")
        frames[preset] = pa.concat_tables(chunks).to_pandas()
    return frames


def asked(artifact: Artifact, where: str | None, n: int, seed: int = 1, **options) -> pd.DataFrame:
    sampler = opening.sampler(artifact)
    own = Conditional(sampler, Kind.of(sampler, where, {}, options.pop("values", {})))
    return pa.concat_tables(own.chunks(n, seed, "typed", **options)).to_pandas()


def likeness(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """Of each learnt column, the p-value that both are draws of one distribution."""
    found = {}
    for name in one.columns.drop("customer_id"):
        both = pd.concat([one[name], other[name]], ignore_index=True)
        if both.dtype.kind in "if" and both.nunique() > 8:
            binned = pd.qcut(both, 8, labels=False, duplicates="drop").fillna(-1)
        elif both.dtype.kind == "M":
            binned = pd.qcut(both, 8, labels=False, duplicates="drop")
        else:
            binned = both.astype(str)
        side = np.arange(len(both)) < len(one)
        counts = pd.crosstab(binned.to_numpy(), side)
        counts = counts[counts.sum(axis=1) >= 10]
        found[name] = chi2_contingency(counts).pvalue if len(counts) > 1 else 1.0
    return found


@pytest.mark.parametrize("preset", ["arvae", "tvae"])
@pytest.mark.parametrize("where", list(CONDITIONS))
def test_rows_are_those_of_the_model_that_meet_it(
    preset: str, where: str, fitted: Fitted, freely: dict[str, pd.DataFrame]
) -> None:
    plain = freely[preset][CONDITIONS[where](freely[preset])]
    rows = asked(fitted(preset), where, 5000)
    assert len(rows) == 5000
    assert CONDITIONS[where](rows).all()
    assert rows["customer_id"].is_unique
    assert min(likeness(rows, plain).values()) > 1e-4


def test_the_comparison_tells_the_condition_from_none(freely: dict[str, pd.DataFrame]) -> None:
    """Else the test above could not fail."""
    frame = freely["arvae"]
    some = frame[frame["score"] > 4.5].head(2000)
    assert min(likeness(some, frame).values()) < 1e-6


@pytest.mark.parametrize("where", ["group == 'rare'", "visits > score"])
def test_rows_do_not_depend_on_n_threads_or_views(where: str, fitted: Fitted) -> None:
    artifact = fitted("arvae")
    many = asked(artifact, where, 700)
    for n in (1, 300):
        pd.testing.assert_frame_equal(asked(artifact, where, n), many.head(n))
    pd.testing.assert_frame_equal(asked(artifact, where, 700, threads=2), many)
    assert not asked(artifact, where, 700, seed=2).equals(many)


def test_people_do_not_depend_on_n(frame: pd.DataFrame) -> None:
    people = frame[["group", "visits"]].assign(
        name="somebody", email="a@example.com", key=[f"{i:03d}" for i in range(len(frame))]
    )
    described = {"group": "categorical", "visits": "numerical", "name": "name", "email": "email"}
    metadata = {
        "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
        "columns": {
            **{name: {"sdtype": kind} for name, kind in described.items()},
            "key": {"sdtype": "id", "regex_format": "[0-9]{3}"},
        },
    }
    settings = {"preset": "tvae", "training": {"epochs": 1, "batch": 200}}
    model = Synthesizer(settings=settings).fit(people, metadata)
    many = model.sample(700, where="group == 'low'")
    assert many["email"].is_unique
    assert many["key"].is_unique
    for n in (1, 300):
        pd.testing.assert_frame_equal(model.sample(n, where="group == 'low'"), many.head(n))


def test_rejection_is_exact_where_rows_are_not_rare(fitted: Fitted) -> None:
    sampler = opening.sampler(fitted("arvae"))
    often = Conditional(sampler, Kind.of(sampler, "group == 'low'", {}, {}))
    assert often.plan(0).exact
    pa.concat_tables(often.chunks(500, 0, "text"))
    assert often.tally.distance == 0
    rarely = Conditional(sampler, Kind.of(sampler, "group == 'rare'", {}, {}))
    assert not rarely.plan(0).exact
    pa.concat_tables(rarely.chunks(500, 0, "text"))
    assert rarely.tally.acceptance > 3 * np.exp(rarely.plan(0).probable)
    assert rarely.tally.distance < 0.02


def test_what_takes_too_long_is_said_and_not_cut_short(
    fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.acceptance._FAIR", 0.0)
    with pytest.raises(UsageError, match=r"candidates.* (met it|--max-seconds)"):
        asked(fitted("arvae"), "visits > score", 10**6, patience=0.5)
    with pytest.raises(UsageError, match="none of"):
        asked(fitted("arvae"), "visits > score and visits < score", 1, patience=0.5)


def test_a_column_is_asked_for_once(fitted: Fitted) -> None:
    sampler = opening.sampler(fitted("cvae"))
    with pytest.raises(UsageError, match="asked for once, but 'group'"):
        Kind.of(sampler, "group == 'low'", {"group": "low"}, {})


def test_given_columns_are_drawn_within_the_condition(fitted: Fitted) -> None:
    rows = asked(fitted("cvae"), "group in ['mid', 'high'] and 4 < visits < 9", 800)
    assert set(rows["group"]) == {"mid", "high"}
    assert rows["visits"].between(5, 8).all()


def test_in_python(fitted: Fitted) -> None:
    model = Synthesizer()
    model._artifact = fitted("arvae")
    rows = model.sample(200, where="group == 'high' and visits > 3")
    assert len(rows) == 200
    assert set(rows["group"]) == {"high"}
    with pytest.raises(UsageError, match="leave those"):
        model.sample(where="visits > 3", per={"group": {"low": 3}})


def test_no_condition_is_none(fitted: Fitted) -> None:
    model = Synthesizer()
    model._artifact = fitted("arvae")
    with pytest.raises(UsageError, match="a condition"):
        model.sample(5, where="")


def test_patience_ends_while_the_plan_is_made(
    fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = []
    monkeypatch.setattr("synthvae.acceptance._FAIR", 0.0)
    monkeypatch.setattr("synthvae.steering._Run", lambda *a: trials.append(a[3](RNG, 4)))
    with pytest.raises(UsageError, match="in finding out how they are best drawn"):
        asked(fitted("arvae"), "spend between 10 and 12", 5, patience=0.0)
    assert not trials


def test_a_declared_column_costs_no_candidates(frame: pd.DataFrame) -> None:
    settings = {"condition": ["group"], "training": {"epochs": 1, "batch": 200}}
    model = Synthesizer(settings=settings).fit(frame)
    sampler = opening.sampler(model.artifact)
    rare = Conditional(sampler, Kind.of(sampler, "group == 'rare'", {}, {}))
    rows = pa.concat_tables(rare.chunks(500, 1, "typed")).to_pandas()
    assert set(rows["group"]) == {"rare"}
    assert rare.tally.acceptance == 1
    assert rare.tally.distance == 0
    assert rare.tally.advice == ""


@pytest.mark.parametrize(
    ("where", "advice"),
    [
        ("group == 'rare' and visits > 3", "fit with --condition-on group for full speed"),
        ("visits > score", ""),
        ("score > 4", ""),
        ("group == 'rare' or visits > 3", ""),
    ],
)
def test_it_is_said_which_column_to_declare(where: str, advice: str, fitted: Fitted) -> None:
    sampler = opening.sampler(fitted("arvae"))
    assert Conditional(sampler, Kind.of(sampler, where, {}, {})).tally.advice == advice


def test_what_takes_too_long_names_the_column_to_declare(
    fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.acceptance._FAIR", 0.0)
    where = "group == 'rare' and visits > score and visits < score"
    with pytest.raises(UsageError, match="or fit with --condition-on group for full speed"):
        asked(fitted("arvae"), where, 1, patience=0.5)
