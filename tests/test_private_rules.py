"""Constraints of a private fit: kept in what is drawn, without a word on the rows that were met."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import metadata, opening, private, private_rules
from synthvae.constraints.declared import parse as parse_rules
from synthvae.errors import PrivacyError, SchemaError, UsageError
from synthvae.marginals import chain
from synthvae.marginals.axes import column_of
from synthvae.metadata import ColumnMetadata
from synthvae.private_rules import PrivateRules
from synthvae.settings import parse
from synthvae.table import Table, from_frame
from tests.conftest import Tape

RULES = [
    {"kind": "inequality", "low": "a", "high": "b"},
    {"kind": "formula", "column": "t", "equals": "a + b"},
    {"kind": "fixed_combinations", "columns": ["city", "state"]},
    {"kind": "one_hot", "columns": ["x", "y"]},
]
WHOLE = {"sdtype": "numerical", "range_min": 0, "range_max": 20, "decimal_places": 0}
META = metadata.parse(
    {
        "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
        "columns": {
            "a": WHOLE,
            "b": WHOLE,
            "t": {"sdtype": "numerical", "decimal_places": 0},
            "city": {"sdtype": "categorical"},
            "state": {"sdtype": "categorical"},
            "x": {"sdtype": "categorical", "range_values": ["0", "1"]},
            "y": {"sdtype": "categorical", "range_values": ["0", "1"]},
        },
    },
    "metadata",
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "ITERATIONS", 3)
    monkeypatch.setattr(private, "ROWS", 4000)
    monkeypatch.setattr(private_rules, "FEWEST", 50)


@pytest.fixture
def frame() -> pd.DataFrame:
    """1,200 rows, some of which break each of the rules."""
    rng = np.random.default_rng(2)
    rows = 1200
    a = rng.integers(0, 10, rows)
    b = a + rng.integers(-1, 10, rows)
    city = rng.choice(["p", "q", "r"], rows)
    x = rng.integers(0, 2, rows)
    return pd.DataFrame(
        {
            "a": a,
            "b": np.clip(b, 0, None),
            "t": a + b + (rng.random(rows) < 0.1),
            "city": city,
            "state": np.where(city == "p", "S", "T"),
            "x": x.astype(str),
            "y": np.where(rng.random(rows) < 0.05, x, 1 - x).astype(str),
        }
    )


def settings_of(rules: list[dict[str, Any]], **privacy: Any) -> Any:
    content = {"training": {"epochs": 1, "batch": 100}, "constraints": rules}
    return parse({"preset": "tvae", **content, "privacy": {"epsilon": 5.0, **privacy}})


def test_drawn_rows_keep_what_real_ones_broke(frame: pd.DataFrame) -> None:
    artifact = private.fit(from_frame(frame), META, settings_of(RULES), noise=Tape(0.0))
    rows = pa.concat_tables(opening.sampler(artifact).chunks(500, 0, "text", threads=1))
    drawn = rows.to_pandas().astype(str)
    a, b, t = (drawn[name].astype(int) for name in "abt")
    assert (a <= b).all()
    assert (t == a + b).all()
    assert set(drawn.city + drawn.state) <= {"pS", "qT", "rT"}
    assert set(drawn.x + drawn.y) <= {"01", "10"}
    claim = artifact.content["privacy"]
    assert claim["claim"]["epsilon"] <= 5.0


def test_one_row_more_is_one_row_more_that_is_counted(frame: pd.DataFrame) -> None:
    rules = PrivateRules(parse_rules(RULES), META, tuple(frame), ())
    table = from_frame(frame)
    whole, described = rules.counted(table)
    part, _ = rules.counted(table.rows(slice(0, 700)))
    assert whole.names == part.names == tuple(described.columns)
    assert "t" not in whole.names
    for name in whole.names:
        assert _texts(whole, name)[:700] == _texts(part, name)


def _texts(table: Table, name: str) -> list[str | None]:
    column = table[name]
    return [column.texts[i] if i >= 0 else None for i in column.codes.tolist()]


def unpaid(_: Any) -> None:
    raise AssertionError("something was spent")


def test_what_cannot_be_kept_is_refused_before_anything_is_spent(frame: pd.DataFrame) -> None:
    table = from_frame(frame)
    with pytest.raises(UsageError, match="use --dp-engine marginals"):
        private.fit(table, META, settings_of(RULES, engine="warm"), paid=unpaid)
    unknown = settings_of([{"kind": "inequality", "low": "a", "high": "bee"}])
    with pytest.raises(SchemaError, match="names 'bee'"):
        private.fit(table, META, unknown, paid=unpaid)


@pytest.mark.parametrize(
    ("places", "words"), [("TODO", "there is still a TODO for decimal_places"), (-1, "from 0 to")]
)
def test_a_computed_column_is_declared_before_anything_is_spent(
    frame: pd.DataFrame, places: Any, words: str
) -> None:
    """`detect --private` writes TODO there, and the column is not counted, so nobody else looks."""
    computed = ColumnMetadata("numerical", {"decimal_places": places})
    declared = replace(META, columns={**META.columns, "t": computed})
    with pytest.raises(SchemaError, match=words):
        private.fit(from_frame(frame), declared, settings_of(RULES), paid=unpaid)


def test_formulas_that_read_each_other_are_refused_before_anything_is_spent(
    frame: pd.DataFrame,
) -> None:
    rules = [
        {"kind": "formula", "column": "t", "equals": "b + 1"},
        {"kind": "formula", "column": "b", "equals": "t + 1"},
    ]
    with pytest.raises(SchemaError, match="'t' from itself"):
        private.fit(from_frame(frame), META, settings_of(rules), paid=unpaid)


@pytest.mark.parametrize(
    ("more", "condition", "words"),
    [
        ({"kind": "formula", "column": "t", "equals": "b"}, [], "2 formulas compute 't'"),
        ({"kind": "fixed_combinations", "columns": ["t", "x"]}, [], "but 't' does both"),
        ({"kind": "one_hot", "columns": ["x", "y"]}, ["x"], "but this one is a condition"),
        ({"kind": "range", "column": "a", "min": 0}, ["t"], "the column is a condition"),
        ({"kind": "range", "column": "a", "min": 21}, [], "'a': a range .* but the largest .* 20;"),
        ({"kind": "range", "column": "b", "max": -1}, [], "'b': a range .* but the smallest .* 0;"),
        (
            {"kind": "range", "column": "b", "max": 0, "strict": True},
            [],
            "'b': a range .* but the smallest .* 0;",
        ),
    ],
)
def test_rules_that_get_in_each_other_s_way_are_refused_before_anything_is_spent(
    more: dict[str, Any], condition: list[str], words: str, frame: pd.DataFrame
) -> None:
    settings = replace(settings_of([*RULES, more]), condition=tuple(condition))
    with pytest.raises(SchemaError, match=words):
        private.fit(from_frame(frame), META, settings, paid=unpaid)


def test_the_certificate_names_the_columns_of_the_table(frame: pd.DataFrame) -> None:
    artifact = private.fit(from_frame(frame), META, settings_of(RULES), noise=Tape(0.0))
    domain = artifact.content["privacy"]["domain"]
    assert list(domain) == list(frame)
    assert domain["city"] == {"kind": "declared", "categories": "paid", "missing": "paid"}
    assert domain["t"] == {"kind": "declared", "formula": "declared"}


def test_declared_categories_are_met_beside_constraints(frame: pd.DataFrame) -> None:
    """Metadata has 1.0 where a column of floats writes '1'."""
    frame = frame.assign(x=frame.x.astype(float), y=np.where(frame.index % 7, 2.0, np.nan))
    levels = {"sdtype": "categorical", "range_values": [0.0, 1.0, 2.0]}
    described = {**META.columns, "y": ColumnMetadata("categorical", {"range_values": [1.0, 2.0]})}
    described["x"] = ColumnMetadata("categorical", {"range_values": levels["range_values"]})
    fitted = private.fit(
        from_frame(frame), replace(META, columns=described), settings_of(RULES[:1]), noise=Tape(0.0)
    )
    rows = pa.concat_tables(opening.sampler(fitted).chunks(300, 0, "text", threads=1)).to_pandas()
    assert set(rows.x) == {"0", "1"}
    assert set(rows.y.fillna("")) == {"2", ""}


def drawn_of(columns: dict[str, list[str | None]]) -> Any:
    table = Table(tuple(column_of(n, pa.array(t, pa.string())) for n, t in columns.items()))
    return SimpleNamespace(table=table)


def test_a_column_whose_only_value_is_dropped_gets_it_back() -> None:
    rules = PrivateRules(parse_rules(RULES[:1]), META, ("a", "b", "city"), ())
    drawn = drawn_of({
        "a": ["5", *["1"] * 60], "b": ["1", *["5"] * 60], "city": ["p", *[None] * 60],
    })  # fmt: skip
    good = np.arange(61) > 0
    left = rules._left(drawn.table["city"], good)
    assert [left.texts[0], left.n_null] == ["p", 59]
    assert rules._left(drawn.table["a"], good).n_null == 0


def test_a_range_is_held_against_the_one_end_that_is_declared(frame: pd.DataFrame) -> None:
    options = {"range_max": 5, "decimal_places": 0}
    columns = {**META.columns, "a": ColumnMetadata("numerical", options)}
    settings = settings_of([{"kind": "range", "column": "a", "min": 10}])
    with pytest.raises(SchemaError, match="the largest of these is 5"):
        private.fit(from_frame(frame), replace(META, columns=columns), settings, paid=unpaid)


@pytest.mark.parametrize(
    ("range_", "words"),
    [
        ({"min": "2025-01-01"}, "the largest of these is 31.12.2024"),
        ({"max": "31.12.2019"}, "the smallest of these is 01.01.2020"),
        ({"max": "2020-01-01", "strict": True}, "the smallest of these is 01.01.2020"),
    ],
)
def test_a_range_of_dates_is_held_against_declared_ends(
    frame: pd.DataFrame, range_: dict[str, object], words: str
) -> None:
    options = {
        "datetime_format": "%d.%m.%Y",
        "range_min": "01.01.2020",
        "range_max": "31.12.2024",
    }
    columns = {**META.columns, "day": ColumnMetadata("datetime", options)}
    dated = frame.assign(day="05.05.2022")
    settings = settings_of([{"kind": "range", "column": "day", **range_}])
    with pytest.raises(SchemaError, match=words):
        private.fit(from_frame(dated), replace(META, columns=columns), settings, paid=unpaid)


def test_a_range_of_dates_within_declared_ends_is_none_of_them() -> None:
    columns = {"day": ColumnMetadata("datetime", {"datetime_format": "%d.%m.%Y"})}
    (rule,) = parse_rules([{"kind": "range", "column": "day", "min": "2020-01-01"}])
    assert private_rules.private_rules([rule], metadata.Metadata(columns), ("day",), ()) is not None


def test_no_row_left_is_said_in_words(frame: pd.DataFrame) -> None:
    """At an epsilon at which noise hides every combination."""
    rules = [{"kind": "fixed_combinations", "columns": ["city", "state"]}]
    with pytest.raises(PrivacyError, match="only 0 are left"):
        private.fit(from_frame(frame[:100]), META, settings_of(rules, epsilon=0.01))


def test_a_bound_column_without_a_value_left_is_an_error() -> None:
    rules = PrivateRules(parse_rules(RULES[:1]), META, ("a", "b", "city"), ())
    drawn = drawn_of({"a": ["5", None, None]})
    with pytest.raises(PrivacyError, match="column 'a' has no value left"):
        rules._left(drawn.table["a"], np.array([False, True, True]))


def test_a_formula_may_read_what_another_one_computes(frame: pd.DataFrame) -> None:
    rules = parse_rules([
        {"kind": "formula", "column": "t", "equals": "b + 1"},
        {"kind": "formula", "column": "b", "equals": "a + 1"},
    ])  # fmt: skip
    found = private_rules.private_rules(rules, META, tuple(frame), ())
    assert found is not None
    assert [rule.column for rule in found.computed] == ["b", "t"]


def test_too_few_rows_left_is_an_error(frame: pd.DataFrame) -> None:
    rules = [{"kind": "range", "column": "a", "min": 19}]
    with pytest.raises(PrivacyError, match="are dropped, but of"):
        private.fit(from_frame(frame), META, settings_of(rules), noise=Tape(0.0))
