"""The JSON of a report: its golden form, and numbers that agree with what they come from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthvae.errors import UsageError
from synthvae.reporting import run
from synthvae.reporting_inputs import Asked

GOLDEN = Path(__file__).parent / "schema.json"
_FREE = ("packages", "left_out", "unreadable", "sorts", "tpr", "policy", "measured")


def skeleton(value: Any) -> Any:
    """Keys and types; a list has the union of its elements' forms."""
    if isinstance(value, dict):
        return {k: "any keys" if k in _FREE else skeleton(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        forms: dict[str, Any] = {}
        for each in value:
            form = skeleton(each)
            forms[json.dumps(form)] = form
        return [forms[key] for key in sorted(forms)]
    if value is None or isinstance(value, (bool, str)):
        return type(value).__name__
    return "number"


def test_the_form_is_the_golden_one(content):
    """UPDATE_GOLDEN=1 writes it anew; a key that goes or changes wants a new schema_version."""
    found = json.dumps(skeleton(content), indent=1, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()
    assert content["schema_version"] == 1


def test_it_is_strict_json(content):
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_records_agree_with_the_tables(content, hostile):
    records = {record["name"]: record for record in content["records"] if not record["column"]}
    assert records["rows"]["value"] == 500
    assert records["rows.real"]["value"] == 600
    assert records["rows.holdout"]["value"] == 400
    assert records["schema.valid"]["value"] == 1.0
    columns = [r for r in content["records"] if r["name"] == "fidelity.column"]
    assert len(columns) == 5
    assert np.mean([r["value"] for r in columns]) == pytest.approx(
        records["fidelity.shape"]["value"]
    )
    ratio = records["fidelity.shape_ratio"]
    assert ratio["value"] == pytest.approx(
        records["fidelity.shape"]["value"] / records["fidelity.shape"]["floor"]
    )
    assert ratio["low"] < ratio["value"] < ratio["high"]
    assert all(record["seed"] in (3, 0, None) for record in content["records"])


def test_notes_and_hashes_say_how_it_was_made(content, hostile):
    import hashlib

    made = content["sections"]["made"]
    real = next(file for file in made["files"] if file["role"] == "real")
    assert real["sha256"] == hashlib.sha256((hostile / "real.csv").read_bytes()).hexdigest()
    assert real["name"] == "real.csv"
    assert str(hostile) not in json.dumps(content)  # a report travels; paths of a machine do not


def test_without_a_holdout_real_rows_stand_in_and_it_is_said(hostile):
    asked = Asked(str(hostile / "real.csv"), synthetic=str(hostile / "out.csv"))
    found = run(asked)
    records = {record["name"]: record for record in found["records"] if not record["column"]}
    assert records["rows.holdout"]["value"] == 120
    assert records["rows.real"]["value"] == 480
    assert found["sections"]["fidelity"]["stood_in"] is True
    assert "no holdout was given" in found["notes"][0]
    assert "no holdout was given" in found["sections"]["privacy"]["copies_absent"]
    assert not [r for r in found["records"] if r["name"].startswith("copies.")]


def test_copies_are_looked_for_without_an_audit(hostile, tmp_path):
    real = pd.read_csv(hostile / "real.csv", dtype=str)
    copied = tmp_path / "copied.csv"
    real.head(300).to_csv(copied, index=False)
    found = run(Asked(str(hostile / "real.csv"), str(hostile / "holdout.csv"), str(copied)))
    records = {r["name"]: r for r in found["records"]}
    assert records["copies.exact"]["value"] == pytest.approx(0.5, abs=0.05)
    assert records["copies.reused"]["column"] == "id"
    assert records["copies.reused"]["value"] == pytest.approx(0.5, abs=0.01)


def test_values_of_another_kind_are_counted(hostile, tmp_path):
    wrong = pd.read_csv(hostile / "out.csv", dtype=str)
    wrong.loc[:4, "amount"] = "much"
    path = tmp_path / "wrong.csv"
    wrong.to_csv(path, index=False)
    found = run(Asked(str(hostile / "real.csv"), str(hostile / "holdout.csv"), str(path)))
    records = {r["name"]: r for r in found["records"]}
    assert records["schema.valid"]["value"] == pytest.approx(5 / 6)
    assert found["sections"]["fidelity"]["unreadable"] == {
        "amount": "5 values are no numerical value"
    }


def test_a_report_is_on_something(hostile):
    with pytest.raises(UsageError, match="add --synthetic or -m"):
        run(Asked(str(hostile / "real.csv")))
