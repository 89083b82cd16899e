"""Records turn into plain JSON, and are found by name."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from synthvae.evaluation import Evaluation, Interval, Metric


def record(name: str = "shape", **changes: object) -> Metric:
    fields = {
        "value": 1.5,
        "interval": Interval(1.0, 2.0),
        "floor": 1.0,
        "floor_interval": Interval(0.5, 1.5),
        "ratio": 1.5,
        "better": "closer",
        "unit": "percent",
        "n": 100,
        "seed": 0,
        "detail": {"age": 1.5},
    }
    return Metric(name=name, **(fields | changes))


def test_json_holds_every_field():
    as_json = record().to_json()
    told_elsewhere = {"parts", "curves"}  # in a report
    assert set(as_json) == {field.name for field in dataclasses.fields(Metric)} - told_elsewhere
    assert as_json["interval"] == {"low": 1.0, "high": 2.0}
    assert as_json["detail"] == {"age": 1.5}


def test_json_has_null_for_what_is_not_a_number():
    odd = record(
        value=math.nan,
        interval=Interval(-math.inf, math.nan),
        floor=None,
        floor_interval=None,
        ratio=math.inf,
        detail={"age": math.nan},
    )
    text = json.dumps(odd.to_json(), allow_nan=False)
    read = json.loads(text)
    assert read["value"] is None
    assert read["interval"] == {"low": None, "high": None}
    assert read["floor"] is None
    assert read["floor_interval"] is None
    assert read["ratio"] is None
    assert read["detail"] == {"age": None}


def test_json_has_no_numpy_types():
    odd = record(value=np.float32(1.5), n=np.int64(7), detail={"age": np.float64(2.0)})
    as_json = odd.to_json()
    assert type(as_json["value"]) is float
    assert type(as_json["n"]) is int
    assert type(as_json["detail"]["age"]) is float


def test_an_evaluation_finds_records_by_name():
    whole = Evaluation((record("shape"), record("pair")), {"id": "a key"}, ("a note",))
    assert whole["pair"].name == "pair"
    with pytest.raises(KeyError, match=r"'size'.*shape, pair"):
        whole["size"]
    as_json = json.loads(json.dumps(whole.to_json(), allow_nan=False))
    assert [each["name"] for each in as_json["records"]] == ["shape", "pair"]
    assert as_json["left_out"] == {"id": "a key"}
    assert as_json["notes"] == ["a note"]
    assert as_json["tables"] == {}
