"""What users write, and what SDV writes, to rules; and every reason why not."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from synthvae.constraints import rules
from synthvae.constraints.declared import load, parse
from synthvae.constraints.reading import Reader
from synthvae.constraints.rules import (
    Bounds,
    Combinations,
    Equation,
    Increments,
    Inequality,
    NotNull,
    OneHot,
    Predicate,
    Regex,
    Rule,
    Unique,
)
from synthvae.errors import MetadataError
from synthvae.settings import parse as parse_settings

EVERY: list[tuple[dict[str, Any], tuple[Rule, ...]]] = [
    ({"kind": "inequality", "low": "a", "high": "b"}, (Inequality("a", "b"),)),
    ({"kind": "range", "column": "a", "min": 0, "strict": True}, (Bounds("a", 0, None, True),)),
    (
        {"kind": "range", "column": "m", "low": "a", "high": "b"},
        (Inequality("a", "m"), Inequality("m", "b")),
    ),
    ({"kind": "fixed_combinations", "columns": ["a", "b"]}, (Combinations(("a", "b")),)),
    ({"kind": "one_hot", "columns": ["a", "b"]}, (OneHot(("a", "b")),)),
    ({"kind": "formula", "column": "t", "equals": "p * q"}, (Equation("t", "p * q"),)),
    ({"kind": "increments", "column": "a", "step": 5}, (Increments("a", 5),)),
    ({"kind": "unique", "columns": ["a"]}, (Unique(("a",)),)),
    ({"kind": "not_null", "columns": ["a"]}, (NotNull(("a",)),)),
    ({"kind": "regex", "column": "a", "pattern": "x+"}, (Regex("a", "x+"),)),
    ({"kind": "predicate", "function": "mine:valid"}, (Predicate("mine:valid"),)),
]
SDV: list[tuple[dict[str, Any], tuple[Rule, ...]]] = [
    (
        {
            "class_name": "Inequality",
            "parameters": {
                "low_column_name": "a",
                "high_column_name": "b",
                "strict_boundaries": False,
                "table_name": None,
            },
        },
        (Inequality("a", "b"),),
    ),
    (
        {
            "constraint_class": "Inequality",
            "constraint_parameters": {"low_column_name": "a", "high_column_name": "b"},
        },
        (Inequality("a", "b", False),),
    ),
    (
        {
            "class_name": "Range",
            "parameters": {
                "low_column_name": "a",
                "middle_column_name": "b",
                "high_column_name": "c",
            },
        },
        (Inequality("a", "b", True), Inequality("b", "c", True)),
    ),
    (
        {
            "constraint_class": "ScalarRange",
            "constraint_parameters": {"column_name": "a", "low_value": 1, "high_value": 3},
        },
        (Bounds("a", 1, 3, True),),
    ),
    (
        {
            "constraint": "sdv.constraints.tabular.Positive",
            "column_name": "a",
            "handling_strategy": "transform",
        },
        (Bounds("a", 0),),
    ),
    (
        {
            "class_name": "Range",
            "parameters": {
                "low_column_name": "a",
                "middle_column_name": "b",
                "high_column_name": "c",
                "strict_boundaries": True,
            },
        },
        (Inequality("a", "b", True), Inequality("b", "c", True)),
    ),
    (
        {
            "constraint_class": "ScalarInequality",
            "constraint_parameters": {"column_name": "a", "relation": ">=", "value": 3},
        },
        (Bounds("a", 3),),
    ),
    (
        {
            "constraint_class": "ScalarRange",
            "constraint_parameters": {
                "column_name": "a",
                "low_value": "2020-01-01",
                "high_value": "2021-01-01",
                "strict_boundaries": False,
            },
        },
        (Bounds("a", "2020-01-01", "2021-01-01"),),
    ),
    (
        {"class_name": "FixedCombinations", "parameters": {"column_names": ["a", "b"]}},
        (Combinations(("a", "b")),),
    ),
    (
        {
            "class_name": "OneHotEncoding",
            "parameters": {"column_names": ["a", "b"], "learning_strategy": "one_hot"},
        },
        (OneHot(("a", "b")),),
    ),
    (
        {
            "class_name": "FixedIncrements",
            "parameters": {"column_name": "a", "increment_value": 100},
        },
        (Increments("a", 100),),
    ),
]


@pytest.mark.parametrize(("entry", "expected"), EVERY)
def test_every_kind_is_read_and_survives_json(entry: dict[str, Any], expected: tuple[Rule, ...]):
    found = parse([entry])
    assert found == expected
    again = [rules.from_json(json.loads(json.dumps(rules.to_json(rule)))) for rule in found]
    assert tuple(again) == found
    assert all(rule.words for rule in found)


@pytest.mark.parametrize(("entry", "expected"), SDV)
def test_sdv_is_read(entry: dict[str, Any], expected: tuple[Rule, ...]):
    assert parse([entry]) == expected


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"kind": "inequalty"}, "a kind is one of inequality"),
        ({"kind": "inequality", "low": "a", "hi": "b"}, "did you mean 'high'"),
        ({"kind": "inequality", "low": "a"}, "inequality takes 'low' and 'high'"),
        ({"kind": "inequality", "low": "a", "high": "a"}, "both are 'a'"),
        ({"kind": "range", "column": "a"}, "has min, max, low or high"),
        ({"kind": "range", "column": "a", "min": [1]}, "min is a number or a date"),
        ({"kind": "formula", "column": "t", "equals": "__import__('os')"}, "none of them"),
        ({"kind": "formula", "column": "t", "equals": "p +"}, "is arithmetic"),
        ({"kind": "formula", "column": "t", "equals": "1 + 2"}, "names none"),
        ({"kind": "formula", "column": "t", "equals": "t + p"}, "but reads it"),
        ({"kind": "one_hot", "columns": ["a"]}, "two columns or more"),
        ({"kind": "one_hot", "columns": "ab"}, "list of column names"),
        ({"kind": "regex", "column": "a", "pattern": "("}, "regular expression"),
        ({"kind": "predicate", "function": "os.system"}, "module:function"),
        ({"kind": "increments", "column": "a", "step": 0}, "above 0"),
        ({"class_name": "Mystery", "parameters": {}}, "no counterpart"),
        ({"class_name": "Inequality", "parameters": {}}, "has low_column_name"),
        ("a < b", "a mapping with a kind"),
    ],
)
def test_what_is_wrong_is_said(entry: Any, words: str):
    with pytest.raises(ValueError, match=r"^constraint 1: ") as caught:
        parse([entry])
    assert words in str(caught.value)


def test_settings_say_all_that_is_wrong():
    with pytest.raises(MetadataError) as caught:
        parse_settings({"constraints": [{"kind": "x"}, {"kind": "unique"}]})
    assert "constraint 1" in str(caught.value)
    assert "constraint 2" in str(caught.value)


def test_a_file_is_a_list_or_has_one(tmp_path):
    for content in ([{"kind": "unique", "columns": ["a"]}],
                    {"constraints": [{"kind": "unique", "columns": ["a"]}]}):  # fmt: skip
        path = tmp_path / "c.json"
        path.write_text(json.dumps(content))
        assert parse(load(path)) == (Unique(("a",)),)
    path.write_text("- {kind: range, column: a, min: 2020-01-31}\n")
    assert parse(load(path)) == (Bounds("a", "2020-01-31"),)
    path.write_text('{"other": 1}')
    with pytest.raises(MetadataError, match="constraints are a list"):
        load(path)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"class_name": "Unique", "parameters": [1]}, "has a mapping of parameters"),
        ({"class_name": "Unique", "parameters": {"column_names": 3}}, "a list of column names"),
        ({"class_name": "Unique", "parameters": {"column_names": "ab"}}, "a list of column names"),
        (
            {
                "class_name": "ScalarInequality",
                "parameters": {"column_name": "a", "relation": ["<"], "value": 3},
            },
            "a relation is one of",
        ),
    ],
)
def test_sdv_s_of_wrong_types_are_said(entry: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        parse([entry])


@pytest.mark.parametrize("format", ["%Y-%m-%d", "%d/%m/%Y"])
def test_a_bound_may_be_for_ever(format: str):
    reader = Reader("moment", frozenset(), format)
    assert reader.moment("9999-12-31") == (date(9999, 12, 31) - date(1970, 1, 1)).days * 86400e6
    assert reader.moment("2020-01-31 10:00+02:00") == 1580457600e6
    with pytest.raises(ValueError, match="is no date"):
        reader.moment("NaT")
