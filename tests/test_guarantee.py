"""The schema that a model promises: drawn rows keep it, broken ones are caught by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import opening, pipeline
from synthvae.artifact import Artifact
from synthvae.errors import GuaranteeError
from synthvae.fields import Field, fields_of
from synthvae.guarantee import Guarantee
from synthvae.model.presets import PRESETS
from synthvae.settings import parse
from synthvae.table import from_frame

Fitted = Callable[[str], Artifact]


@pytest.fixture(scope="module")
def drawn(fitted: Fitted) -> dict[str, pa.Table]:
    sampler = opening.sampler(fitted("tvae"))
    views = ("text", "typed")
    return {view: pa.concat_tables(sampler.chunks(300, 1, view)) for view in views}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fields(fitted: Fitted) -> dict[str, Field]:
    return {f.name: f for f in fields_of(opening.sampler(fitted("tvae")).codec)}


@pytest.mark.parametrize("view", ["text", "typed"])
@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_preset_keeps_its_promise(preset: str, view, fitted: Fitted) -> None:
    sampler = opening.sampler(fitted(preset))
    guarantee = Guarantee(fields_of(sampler.codec), view)
    assert sum(map(len, guarantee.held(sampler.chunks(20_000, 5, view)))) == 20_000


def test_awkward_columns_keep_their_promise() -> None:
    rng = np.random.default_rng(0)
    rows = 400
    frame = pd.DataFrame(
        {
            "codes": rng.choice(["N", "<5", "12", "13.5", "", "40.25"], rows),
            "slashes": rng.choice(["01/05/2014", "02/05/2014", "never"], rows, p=[0.5, 0.45, 0.05]),
            "id": [f"[{i:03d}]^-a" for i in rng.permutation(rows)],
            "small": rng.random(rows).astype("float32"),
            "tiny": rng.integers(0, 9, rows).astype("int8"),
            "zoned": pd.Timestamp("2020-01-01", tz="UTC")
            + pd.to_timedelta(rng.integers(0, 9e6, rows), "s"),
            "whole": pd.array(rng.integers(0, 500, rows), "Int64"),
        }
    )
    frame.loc[:30, "whole"] = pd.NA
    artifact = pipeline.fit(from_frame(frame), None, parse({"training": {"epochs": 1}}))
    sampler = opening.sampler(artifact)
    for view in ("text", "typed"):
        guarantee = Guarantee(fields_of(sampler.codec), view)  # type: ignore[arg-type]
        for chunk in guarantee.held(sampler.chunks(9_000, 2, view)):  # type: ignore[arg-type]
            assert len(chunk)


def put(table: pa.Table, name: str, value: object) -> pa.Table:
    """`table` with `value` in row 7 of a column."""
    where = table.column_names.index(name)
    values = table[name].to_pylist()
    values[7] = value
    field = table.schema.field(name)
    return table.set_column(where, field, pa.array(values, field.type))


@pytest.mark.parametrize(
    ("view", "name", "value", "words"),
    [
        ("typed", "group", "unheard", "'group': it has 4 categories, but 'unheard' came"),
        ("typed", "visits", 10**6, "'visits': values lie from 0 to"),
        ("typed", "visits", None, "'visits': it has no missing values"),
        ("typed", "spend", -1.0, "'spend': values lie from 0 to"),
        ("typed", "since", pd.Timestamp("1999-01-01"), "'since': moments lie from 2020"),
        ("text", "group", "unheard", "'group': it has 4 categories"),
        ("text", "visits", "1000000", "'visits': values lie from 0 to"),
        ("text", "visits", "many", "text that is no number came"),
        ("text", "spend", "", "text that is no number came"),
        ("text", "spend", "1,5", "text that is no number came"),
        ("text", "since", "1999-01-01", "'since': moments lie from 2020"),
        ("text", "since", "2020-13-01", "are written '%Y-%m-%d"),
        ("text", "customer_id", "X-1", "'customer_id': values are written in its form"),
    ],
)
def test_a_broken_promise_names_column_and_rule(
    view, name: str, value: object, words: str, drawn, fields
) -> None:
    guarantee = Guarantee(list(fields.values()), view)
    guarantee.check(drawn[view])
    with pytest.raises(GuaranteeError) as caught:
        guarantee.check(put(drawn[view], name, value))
    assert words in str(caught.value)
    assert "fault of synthvae" in str(caught.value)


def test_values_that_come_twice_are_caught(drawn, fields) -> None:
    again = pa.concat_tables([drawn["text"], drawn["text"].slice(3, 1)])
    with pytest.raises(GuaranteeError, match="'customer_id': no value comes twice"):
        Guarantee(list(fields.values()), "text").check(again)


def test_another_order_or_type_is_caught(drawn, fields) -> None:
    guarantee = Guarantee(list(fields.values()), "typed")
    table = drawn["typed"]
    for wrong in (table.select(table.column_names[::-1]), table.drop_columns(["active"])):
        with pytest.raises(GuaranteeError, match="columns are those of the schema"):
            guarantee.check(wrong)
    with pytest.raises(GuaranteeError, match="columns are those of the schema"):
        guarantee.check(table.cast(table.schema.set(4, pa.field("visits", pa.int32()))))


def test_what_the_user_gave_is_not_held_to_ends(drawn, fields) -> None:
    wide = put(drawn["typed"], "visits", 10**6)
    Guarantee(list(fields.values()), "typed", loose=["visits"]).check(wide)


def test_ends_are_those_of_what_is_written(drawn, fields) -> None:
    field = fields["visits"]
    low, high = (pa.compute.min_max(drawn["typed"]["visits"])[k].as_py() for k in ("min", "max"))
    narrow = replace(field, high=float(high - 1))
    others = [f for f in fields.values() if f is not field]
    found = {f.name: f for f in [*others, narrow]}
    ordered = [found[name] for name in drawn["typed"].column_names]
    with pytest.raises(GuaranteeError, match=f"but {high} came"):
        Guarantee(ordered, "typed").check(drawn["typed"])
    assert field.low is not None
    assert field.low <= low
