"""Constraints as users write them, in `synthvae.yaml` or as SDV does, to rules.

- {kind: inequality, low: start, high: end, strict: true}
- {kind: range, column: age, min: 0, max: 120}
- {kind: range, column: mid, low: a, high: b}            # columns on either side
- {kind: fixed_combinations, columns: [city, state]}
- {kind: one_hot, columns: [red, green, blue]}
- {kind: formula, column: total, equals: price * quantity}
- {kind: increments, column: pay, step: 500}
- {kind: unique, columns: [customer, day]}
- {kind: not_null, columns: [age]}
- {kind: regex, column: code, pattern: 'C?[0-9]{6}'}
- {kind: predicate, function: "rules:valid"}             # a function of your own
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from synthvae.constraints.rules import RULES, Bounds, Inequality, Predicate, Rule, Unique
from synthvae.constraints.sdv import from_sdv, is_sdv
from synthvae.errors import MetadataError, hint
from synthvae.metadata import Metadata, load_yaml

_LISTS = ("columns",)
_TEXTS = ("low", "high", "column", "equals", "pattern", "function")
_NUMBERS = ("tolerance", "step")


def parse(entries: Sequence[Any]) -> tuple[Rule, ...]:
    """Rules of `entries`. ValueError with every reason, a line each."""
    rules: list[Rule] = []
    reasons: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            if not isinstance(entry, Mapping):
                raise ValueError(f"a constraint is a mapping with a kind, but it is {entry!r}")
            plain = from_sdv(entry) if is_sdv(entry) else entry
            rules.extend(_rules(plain))
        except ValueError as error:
            reasons.append(f"constraint {number}: {error}")
    if reasons:
        raise ValueError("\n".join(reasons))
    return tuple(dict.fromkeys(rules))


def rules_of(entries: Sequence[Any], metadata: Metadata) -> tuple[Rule, ...]:
    """Rules of `entries` and of what `metadata` says: its constraints, and that no key comes twice.
    MetadataError with every reason."""
    own = metadata.keys.get("constraints") or ()
    own = list(own.values()) if isinstance(own, Mapping) else own
    try:
        rules = (*parse(entries), *parse(own))
    except ValueError as error:
        raise MetadataError(*str(error).splitlines()) from error
    keys = [metadata.keys.get("primary_key"), *(metadata.keys.get("alternate_keys") or ())]
    names = [tuple(key) if isinstance(key, list) else (str(key),) for key in keys if key]
    return tuple(dict.fromkeys([*rules, *(Unique(key) for key in names)]))


def functions(rules: Iterable[Rule]) -> list[str]:
    """The functions that `rules` name as predicates."""
    return [rule.function for rule in rules if isinstance(rule, Predicate)]


def load(path: Path) -> list[Any]:
    """The constraints in a file: a list in YAML or JSON, or a mapping that has one under
    `constraints`. MetadataError if it is neither."""
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise MetadataError(
            f"constraints are YAML or JSON, but '{path}' is not: {reason}"
        ) from error
    found = content.get("constraints") if isinstance(content, dict) else content
    if not isinstance(found, list):
        raise MetadataError(
            f"constraints are a list, or stand in one under 'constraints', but '{path}' has none; "
            "see docs/constraints.md"
        )
    return found


def _rules(entry: Mapping[str, Any]) -> list[Rule]:
    kind = str(entry.get("kind"))
    if kind not in RULES:
        raise ValueError(f"a kind is one of {', '.join(RULES)}, but it is {entry.get('kind')!r}")
    rule, known = RULES[kind], _keys(RULES[kind])
    options = {str(key): value for key, value in entry.items() if key != "kind"}
    for key, value in options.items():
        if key not in known:
            raise ValueError(f"{kind}: unknown key '{key}'; {hint(key, known)}")
        _check(kind, key, value)
    if "columns" in options:
        options["names"] = tuple(options.pop("columns"))
    if rule is Bounds:
        return _range(options)
    try:
        return [rule(**options)]
    except TypeError as error:  # a key is missing
        needed = "' and '".join(key for key in known if key not in ("strict", "tolerance"))
        raise ValueError(f"{kind} takes '{needed}', but has {list(entry)}") from error


def _keys(rule: type[Rule]) -> tuple[str, ...]:
    """What users may write of a `rule`."""
    names = [field.name for field in dataclasses.fields(rule)]  # type: ignore[arg-type]
    own = ["columns" if name == "names" else name for name in names]
    return (*own, *(("low", "high") if rule is Bounds else ()))


def _check(kind: str, key: str, value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    number = number and math.isfinite(value)
    if key in _LISTS and not (
        isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)
    ):
        raise ValueError(f"{kind}: {key} is a list of column names, but it is {value!r}")
    if key in _TEXTS and not isinstance(value, str):
        raise ValueError(f"{kind}: {key} is text, but it is {value!r}")
    if key in _NUMBERS and not number:
        raise ValueError(f"{kind}: {key} is a number, but it is {value!r}")
    if key in ("min", "max") and not (number or isinstance(value, str)):
        raise ValueError(f"{kind}: {key} is a number or a date, but it is {value!r}")
    if key == "strict" and not isinstance(value, bool):
        raise ValueError(f"{kind}: strict is true or false, but it is {value!r}")


def _range(options: Mapping[str, Any]) -> list[Rule]:
    """A range with columns for ends is made of inequalities."""
    if "column" not in options:
        raise ValueError(f"range takes a 'column', but has {list(options)}")
    column, strict = options["column"], options.get("strict", False)
    low, high = options.get("low"), options.get("high")
    rules: list[Rule] = []
    if low is not None:
        rules.append(Inequality(low, column, strict))
    if high is not None:
        rules.append(Inequality(column, high, strict))
    if options.get("min") is not None or options.get("max") is not None or not rules:
        rules.append(Bounds(column, options.get("min"), options.get("max"), strict))
    return rules
