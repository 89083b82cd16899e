"""Every row that is written keeps every constraint; rows don't depend on how they are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthvae import Synthesizer, opening, pipeline
from synthvae.artifact import Artifact, load
from synthvae.codecs.table_codec import TableCodec
from synthvae.conditional import Conditional, Kind
from synthvae.constraints import predicates
from synthvae.constraints.checks import kept
from synthvae.constraints.predicates import trust
from synthvae.errors import UsageError
from synthvae.fields import fields_of
from synthvae.guarantee import Guarantee
from synthvae.settings import parse
from synthvae.table import from_frame


def sample(artifact: Artifact, rows: int, seed: int = 0, view: str = "typed") -> pd.DataFrame:
    import pyarrow as pa

    chunks = list(opening.sampler(artifact).chunks(rows, seed, view, threads=1))
    return pa.concat_tables(chunks, promote_options="permissive").to_pandas()


def test_all_rules_hold(bound: Artifact):
    rows = sample(bound, 3000)
    codec = TableCodec.from_json(bound.content["codec"])
    table = from_frame(rows)
    for rule in codec.bindings.rules:
        assert kept(rule, table, codec.bindings.readers).all(), rule
    assert rows.id.is_unique
    real = {("a", "X"), ("b", "X"), ("c", "Y"), ("d", "Y")}
    assert set(zip(rows.city, rows.state, strict=True)) <= real
    assert 0.02 < rows.mid.isna().mean() < 0.4


def test_rows_do_not_depend_on_how_many_are_asked_for(bound: Artifact):
    some, more = sample(bound, 100), sample(bound, 9000)
    assert some.equals(more.head(100))
    assert not sample(bound, 100, seed=1).equals(some)


@pytest.mark.parametrize("view", ["text", "typed"])
def test_rows_are_what_the_schema_promises(bound: Artifact, view: str):
    sampler = opening.sampler(bound)
    guarantee = Guarantee(fields_of(sampler.codec), view)
    for chunk in sampler.chunks(1000, 0, view, threads=1):
        guarantee.check(chunk)


def test_text_and_types_say_the_same(bound: Artifact):
    text, typed = sample(bound, 500, view="text"), sample(bound, 500)
    for name in ("total", "price", "pay", "high"):
        assert np.array_equal(text[name].astype(float), typed[name])
    assert text.end.tolist() == typed.end.tolist()
    assert text.total.str.fullmatch(r"\d+\.\d\d?").all()
    assert text.end.str.fullmatch(r"\d\d/\d\d/\d{4}").all()


def test_a_model_file_names_code_but_never_runs_it(bound: Artifact, tmp_path: Path, monkeypatch):
    path = tmp_path / "m.synthvae"
    bound.save(path)
    monkeypatch.setattr(predicates, "_TRUSTED", set())
    with pytest.raises(UsageError, match="--predicate rules_of_mine:sane"):
        sample(load(path), 10)
    trust(["rules_of_mine:sane"])
    assert len(sample(load(path), 10)) == 10


def test_other_uses_of_a_bound_model(bound: Artifact, kept_orders: pd.DataFrame):
    frame = kept_orders.head(40)
    model = Synthesizer()
    model._artifact = bound
    scores = model.score(frame)
    parts = [c for c in scores if c.startswith("nats:")] + ["rate"]
    assert np.allclose(scores[parts].sum(axis=1), scores.score, rtol=1e-4)
    holes = frame.astype(object).copy()
    holes.loc[::2, "end"] = None
    holes.loc[::3, ["total", "state"]] = None
    filled = model.impute(holes)
    assert filled.drop(columns="mid").notna().all(axis=None)
    dates = [pd.to_datetime(filled[c], format="%d/%m/%Y") for c in ("start", "end")]
    assert (dates[0] <= dates[1]).all()
    assert filled.state.tolist() == frame.state.tolist()  # a city has one state
    assert np.abs(filled.total.astype(float) - filled.price * filled.n).max() < 0.006
    assert len(model.reconstruct(frame)) == 40


def test_what_hardly_holds_is_refused_with_an_estimate(
    kept_orders: pd.DataFrame, module_of_rules: Path
):
    trust(["rules_of_mine:never", "rules_of_mine:odd"])
    settings = {"preset": "tvae", "training": {"epochs": 1, "batch": 300}}
    frame = kept_orders[["price", "n"]]
    rule = {"kind": "predicate", "function": "rules_of_mine:odd"}
    with pytest.raises(UsageError, match="returned int; return a boolean Series"):
        pipeline.fit(from_frame(frame), None, parse({**settings, "constraints": [rule]}))
    artifact = pipeline.fit(from_frame(frame.assign(n=frame.n + 99)), None, parse(
        {**settings, "constraints": [{"kind": "predicate", "function": "rules_of_mine:never"}]}
    ))  # fmt: skip
    bindings = artifact.content["codec"]["bindings"]
    bindings["rules"].append(
        {"kind": "range", "column": "price", "min": -2.0, "max": -1.0, "strict": False}
    )
    with pytest.raises(UsageError, match=r"none of [\d,]+ rows .* keep all of"):
        sample(artifact, 10)


def test_no_two_rows_alike_in_a_key_of_two_columns(kept_orders: pd.DataFrame):
    frame = pd.DataFrame(
        {"day": np.repeat(np.arange(60), 10), "slot": np.tile(list("abcdefghij"), 60)}
    )
    metadata = {
        "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
        "primary_key": ["day", "slot"],
        "columns": {"day": {"sdtype": "numerical"}, "slot": {"sdtype": "categorical"}},
    }
    model = Synthesizer("tvae", settings={"training": {"epochs": 3, "batch": 100}})
    rows = model.fit(frame, metadata).sample(300, seed=1)
    assert len(rows) == 300
    assert not rows.duplicated().any()
    assert model.sample(50, seed=1).equals(rows.head(50))
    with pytest.raises(UsageError, match="hardly any new ones"):
        model.sample(700)


def test_rules_are_said_by_inspect(bound: Artifact):
    from synthvae.holdings import describe

    said = "\n".join(describe(bound)["constraints"])
    assert "'start' <= 'end' (by construction, and checked)" in said
    assert "'total' = price * n (by construction, and checked)" in said
    assert len(said.splitlines()) == 12  # a range between two columns is two, and there is a key


def test_rows_meet_a_condition_and_keep_their_constraints(bound: Artifact):
    where = "price > 10 and (city == 'a' or n >= 7)"
    some, more = (met(bound, where, n) for n in (300, 900))
    assert ((some.price > 10) & ((some.city == "a") | (some.n >= 7))).all()
    codec = TableCodec.from_json(bound.content["codec"])
    for rule in codec.bindings.rules:
        assert kept(rule, from_frame(some), codec.bindings.readers).all(), rule
    assert some.equals(more.head(300))
    assert some.id.is_unique
    assert list(some.columns) == list(sample(bound, 1).columns)
    free = sample(bound, 4000)
    free = free[(free.price > 10) & ((free.city == "a") | (free.n >= 7))]
    assert abs((some.city == "a").mean() - (free.city == "a").mean()) < 0.13


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("total > 20", lambda f: f.total > 20),
        ("state == 'X' and red == 1", lambda f: (f.state == "X") & (f.red == 1)),
        ("end >= '2021-06-01'", lambda f: pd.to_datetime(f.end, format="%d/%m/%Y") >= "2021-06-01"),
        ("high > low and mid is missing", lambda f: (f.high > f.low) & f.mid.isna()),
    ],
)
def test_a_condition_on_what_follows_by_a_constraint(bound: Artifact, where: str, told):
    assert told(met(bound, where, 200)).all()
    with pytest.raises(UsageError, match="no 'Z'"):
        met(bound, "state == 'Z'", 10)
    with pytest.raises(UsageError, match="did you mean 'total'"):
        met(bound, "totl > 1", 10)


def met(artifact: Artifact, where: str, rows: int) -> pd.DataFrame:
    import pyarrow as pa

    sampler = opening.sampler(artifact)
    asked = Conditional(sampler, Kind.of(sampler, where, {}, {}))
    return pa.concat_tables(asked.chunks(rows, 0, "typed", threads=1)).to_pandas()
