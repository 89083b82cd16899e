"""SDV's own constraints, of JSON files of any of its versions, in our words.

Known are `{"class_name": ..., "parameters": {...}}` (SDV 1.28 and later, `save_constraints`),
`{"constraint_class": ..., "constraint_parameters": {...}}` (1.0 to 1.27) and `{"constraint":
"sdv.constraints.tabular.Inequality", ...}` (before 1.0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_CLASS = ("class_name", "constraint_class", "constraint_name", "constraint")
_PARAMETERS = ("parameters", "constraint_parameters")
_OF_ITSELF = frozenset(["table_name", "learning_strategy", "transform", "fit_columns_model",
                        "handling_strategy"])  # fmt: skip
Options = Mapping[str, Any]


def is_sdv(entry: Options) -> bool:
    """Whether an entry names one of SDV's classes."""
    return any(key in entry for key in _CLASS)


def from_sdv(entry: Options) -> dict[str, Any]:
    """`entry` as `synthvae.yaml` would have it. ValueError for a class that has no counterpart."""
    name = str(next(entry[key] for key in _CLASS if key in entry)).rpartition(".")[2]
    options = next((entry[key] for key in _PARAMETERS if key in entry), None)
    if options is None:
        options = {key: value for key, value in entry.items() if key not in _CLASS}
    if name not in _KINDS:
        raise ValueError(f"SDV's {name} has no counterpart here; known: {', '.join(_KINDS)}")
    if not isinstance(options, Mapping):
        raise ValueError(f"SDV's {name} has a mapping of parameters, but they are {options!r}")
    left = {k: v for k, v in options.items() if k not in _OF_ITSELF and v is not None}
    try:
        found = _KINDS[name](left)
    except KeyError as error:
        raise ValueError(f"SDV's {name} has {error.args[0]}, but this one has not") from None
    return {key: value for key, value in found.items() if value is not None}


def _inequality(options: Options) -> dict[str, Any]:
    return {
        "kind": "inequality",
        "low": options["low_column_name"],
        "high": options["high_column_name"],
        "strict": options.get("strict_boundaries", False),  # SDV's default; that of ranges is True
    }


def _range(options: Options) -> dict[str, Any]:
    return {
        "kind": "range",
        "column": options["middle_column_name"],
        "low": options["low_column_name"],
        "high": options["high_column_name"],
        "strict": options.get("strict_boundaries", True),
    }


def _scalar_range(options: Options) -> dict[str, Any]:
    return {
        "kind": "range",
        "column": options["column_name"],
        "min": options["low_value"],
        "max": options["high_value"],
        "strict": options.get("strict_boundaries", True),
    }


def _scalar_inequality(options: Options) -> dict[str, Any]:
    relation = options["relation"]
    if not isinstance(relation, str) or relation not in _RELATIONS:
        raise ValueError(f"a relation is one of {', '.join(_RELATIONS)}, but it is {relation!r}")
    end, strict = _RELATIONS[relation]
    return {
        "kind": "range",
        "column": options["column_name"],
        end: options["value"],
        "strict": strict,
    }


def _sign(end: str) -> Callable[[Options], dict[str, Any]]:
    return lambda options: {
        "kind": "range",
        "column": options["column_name"],
        end: 0,
        "strict": options.get("strict_boundaries"),
    }


def _of_columns(kind: str) -> Callable[[Options], dict[str, Any]]:
    return lambda options: {"kind": kind, "columns": options["column_names"]}


_RELATIONS = {">": ("min", True), ">=": ("min", False), "<": ("max", True), "<=": ("max", False)}
_KINDS: Mapping[str, Callable[[Options], dict[str, Any]]] = {
    "Inequality": _inequality,
    "Range": _range,
    "ScalarRange": _scalar_range,
    "ScalarInequality": _scalar_inequality,
    "Positive": _sign("min"),
    "Negative": _sign("max"),
    "FixedCombinations": _of_columns("fixed_combinations"),
    "UniqueCombinations": _of_columns("fixed_combinations"),  # its name before SDV 0.13
    "OneHotEncoding": _of_columns("one_hot"),
    "Unique": _of_columns("unique"),
    "FixedIncrements": lambda options: {
        "kind": "increments",
        "column": options["column_name"],
        "step": options["increment_value" if "increment_value" in options else "increment"],
    },
}
