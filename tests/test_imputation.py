"""Filling missing cells: what follows from the row is found, and what is observed stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import opening, pipeline
from synthvae.artifact import Artifact
from synthvae.errors import SchemaError, UsageError
from synthvae.imputation import Imputer
from synthvae.model.presets import PRESETS
from synthvae.settings import parse
from synthvae.storage import View
from synthvae.table import Table, from_arrow, from_frame

Fitted = Callable[[str], Artifact]
presets = pytest.mark.parametrize("preset", list(PRESETS))
a_few = pytest.mark.parametrize(
    "preset",
    [
        p if p in ("arvae", "tvae", "cvae") else pytest.param(p, marks=pytest.mark.nightly)
        for p in PRESETS
    ],
)
TOLD = dict(zip("abcdef", "zuxwvy", strict=True))


def filled(
    imputer: Imputer, table: Table, seed: int = 0, view: View = "typed", **options: int
) -> pa.Table:
    return pa.concat_tables(imputer.chunks(imputer.job(table, seed, view), **options))


@pytest.fixture(scope="module")
def dependent() -> tuple[pd.DataFrame, Imputer]:
    """b is a function of a, and y is x but for a little noise."""
    rng = np.random.default_rng(0)
    a, x = rng.choice(list("abcdef"), 1000), rng.normal(size=1000).round(3)
    y = (2 * x + rng.normal(0, 0.05, 1000)).round(3)
    table = pd.DataFrame({"a": a, "b": [TOLD[text] for text in a], "x": x, "y": y})
    settings = parse({"training": {"epochs": 16, "batch": 64}})
    return table, opening.imputer(pipeline.fit(from_frame(table), None, settings))


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_function_is_followed_both_ways(
    dependent: tuple[pd.DataFrame, Imputer], name: str
) -> None:
    table, imputer = dependent
    rows = table[:200]
    found = filled(imputer, from_frame(rows.assign(**{name: None})))[name].to_pylist()
    assert (np.array(found) == rows[name]).mean() > 0.95


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_number_is_found_from_another_both_ways(
    dependent: tuple[pd.DataFrame, Imputer], name: str
) -> None:
    table, imputer = dependent
    rows = table[:200]
    found = filled(imputer, from_frame(rows.assign(**{name: np.nan})))[name].to_numpy()
    assert np.median(np.abs(found - rows[name])) < 0.15 * rows[name].std()


def test_cells_that_miss_together_agree(dependent: tuple[pd.DataFrame, Imputer]) -> None:
    table, imputer = dependent
    found = filled(imputer, from_frame(table[:200].assign(a=None, b=None))).to_pandas()
    assert (found["a"].map(TOLD) == found["b"]).mean() > 0.95
    assert found["a"].nunique() == 6  # drawn, not the most likely


@pytest.fixture
def holes(frame: pd.DataFrame) -> pd.DataFrame:
    """A third of all cells of the frame missing, in columns that the model never saw missing too;
    conditions of the cvae whole."""
    rng = np.random.default_rng(3)
    holes = frame[:300].copy()
    for name in ("customer_id", "score", "spend", "active", "since"):
        holes[name] = holes[name].astype(object).where(rng.random(len(holes)) > 0.3, None)
    holes["since"] = pd.to_datetime(holes["since"])
    holes[["score", "spend"]] = holes[["score", "spend"]].astype(float)
    return holes.assign(note="as it is")


@a_few
def test_all_is_filled_and_what_is_observed_stays(
    preset: str, fitted: Fitted, holes: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.imputation._BLOCK", (1, 1024, 1024))
    imputer, table = opening.imputer(fitted(preset)), from_frame(holes)
    found = filled(imputer, table)
    assert found.column_names == list(holes.columns)
    assert sum(column.null_count for column in found.columns) == 0
    after = found.to_pandas()
    for name in holes:
        observed = holes[name].notna()
        assert after[name][observed].tolist() == holes[name][observed].tolist()
    assert set(after["group"]) <= {"low", "mid", "high", "rare"}
    assert filled(imputer, table, threads=1).equals(found)
    assert not filled(imputer, table, 1).equals(found)
    twice = filled(imputer, table, draws=2)
    assert twice.slice(0, 300).equals(found)
    assert not twice.slice(300).equals(found)


def test_text_stays_as_it_was_written(csv, tmp_path) -> None:
    from synthvae.reading import read_table

    table = read_table(str(csv))
    settings = parse({"preset": "tvae", "training": {"epochs": 1}})
    imputer = opening.imputer(pipeline.fit(table, None, settings))
    lines = csv.read_text().splitlines()[:100]
    cells = [line.split(",") for line in lines]
    for i, row in enumerate(cells[1:]):
        row[1 + i % 6] = "" if i % 2 else "NA"
    (tmp_path / "holes.csv").write_text("\n".join(",".join(row) for row in cells))
    found = filled(imputer, read_table(str(tmp_path / "holes.csv")), view="text")
    for i, row in enumerate(zip(*(column.to_pylist() for column in found.columns), strict=True)):
        for before, after in zip(cells[i + 1], row, strict=True):
            assert after == before or before in ("", "NA")
            assert after not in ("", "NA")
    typed = filled(imputer, read_table(str(tmp_path / "holes.csv")))
    kinds = [typed.schema.field(name).type for name in ("score", "visits", "active")]
    assert kinds == [pa.float64(), pa.int64(), pa.bool_()]


def test_nothing_is_done_where_nothing_is_missing(fitted: Fitted, frame: pd.DataFrame) -> None:
    whole = frame.dropna()
    found = filled(opening.imputer(fitted("arvae")), from_frame(whole)).to_pandas()
    assert all(found[name].tolist() == whole[name].tolist() for name in whole)


def test_conditions_are_not_filled(fitted: Fitted, frame: pd.DataFrame) -> None:
    holes = frame.copy()
    holes.loc[[1, 2], "group"] = None
    with pytest.raises(SchemaError, match="2 rows miss"):
        opening.imputer(fitted("cvae")).job(from_frame(holes), 0, "typed")


def test_types_that_can_not_hold_what_was_learnt_are_named(
    fitted: Fitted, frame: pd.DataFrame
) -> None:
    odd = pa.Table.from_pandas(frame[:30].drop(columns="active"), preserve_index=False)
    numbers = pa.array([None, *range(29)], pa.int64())
    table = from_arrow(odd.append_column("active", numbers), "the table")
    with pytest.raises(SchemaError):
        opening.imputer(fitted("tvae")).job(table, 0, "typed")
    with pytest.raises(UsageError, match="once or more"):
        filled(opening.imputer(fitted("tvae")), from_frame(frame), draws=0)
