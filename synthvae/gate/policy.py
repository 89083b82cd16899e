"""What users write in `policy.yaml`: limits on records, strict.

    version: 1
    name: nightly
    profile: share-with-partner
    rules:
      fidelity.shape_ratio: {max: 2.0}
      utility.gap: {max: 0.05, level: warn, why: the churn model is trained on these rows}
      copies.exact: [{max: 0.001, level: warn}, {max: 0.002}]
      privacy.verdict: {min: INCONCLUSIVE}

A rule that is misspelt would be a gate that stands open, so nothing is ignored.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from synthvae.errors import MetadataError, Problems, hint
from synthvae.findings import OUTCOMES, VERDICT, outcome
from synthvae.gate.records import MAKERS

VERSION = 1
LEVELS = ("fail", "warn")
_KEYS = ("version", "name", "profile", "rules")
_RULE_KEYS = ("max", "min", "level", "why")
_SHARES = ("privacy.", "copies.", "schema.", "sdmetrics.", "fidelity.coverage")
_NO_SHARES = (VERDICT, "privacy.epsilon", "privacy.epsilon_audited")

Level = Literal["fail", "warn"]
Bound = Literal["low", "high"]


@dataclass(frozen=True)
class Rule:
    """A limit on one end of a record's interval: `high` is to be at most, `low` at least `limit`.
    `why`: what the user had in mind."""

    record: str
    bound: Bound
    limit: float
    level: Level = "fail"
    why: str = ""

    @property
    def words(self) -> str:
        """'at most 2', 'at least INCONCLUSIVE'"""
        limit = outcome(self.limit) if self.record == VERDICT else f"{self.limit:g}"
        return f"{'at most' if self.bound == 'high' else 'at least'} {limit}"


@dataclass(frozen=True)
class Policy:
    """Rules in the order of the file."""

    name: str
    profile: str
    rules: tuple[Rule, ...]


def read(path: Path, also: Collection[str] = ()) -> Policy:
    """The policy in a file. MetadataError with every reason; `also`: more names of records."""
    if not path.is_file():
        state = "is a folder" if path.is_dir() else "does not exist"
        raise MetadataError(
            f"a policy is a file, but '{path}' {state}; `synthvae policy init --profile "
            "internal-test` writes one"
        )
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Strict)
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise MetadataError(
            f"a policy is YAML or JSON, but '{path}' can't be read as such: {reason}"
        ) from error
    return parse(content, f"'{path}'", path.stem, also)


def parse(
    content: Any, source: str = "the policy", name: str = "policy", also: Collection[str] = ()
) -> Policy:
    """A policy from plain data; `name`: unless it names itself."""
    problems = Problems()
    if not isinstance(content, Mapping):
        raise MetadataError(
            f"a policy is keys with values, but {source} holds {content!r:.40}; "
            "`synthvae policy init --profile internal-test` writes one"
        )
    _known(content, _KEYS, source, problems)
    if content.get("version") != VERSION:
        problems.add(
            f"{source}: version is {VERSION}, but it is {content.get('version')!r}; "
            f"write version: {VERSION}"
        )
    named = {key: content.get(key, default) for key, default in (("name", name), ("profile", ""))}
    for key, value in named.items():
        if not isinstance(value, str):
            problems.add(f"{source}: {key} is text, but it is {value!r}; quote it")
    rules = _rules(content.get("rules"), {*MAKERS, *also}, source, problems)
    problems.raise_as(MetadataError)
    return Policy(named["name"], named["profile"], rules)


def _rules(
    content: Any, records: Collection[str], source: str, problems: Problems
) -> tuple[Rule, ...]:
    if not isinstance(content, Mapping) or not content:
        problems.add(
            f"{source}: rules is records with limits, but it is {content!r}; a gate without a "
            "rule would let everything pass"
        )
        return ()
    found: list[Rule] = []
    for record, entry in content.items():
        where = f"{source}: {record}"
        if record not in records:
            problems.add(f"{source}: unknown record '{record}'; {hint(str(record), records)}")
            continue
        for each in entry if isinstance(entry, list) and entry else [entry]:
            if isinstance(each, Mapping):
                found += _limits(str(record), each, where, problems)
            else:
                problems.add(f"{where} is a mapping such as {{max: 1.5}}, but it is {each!r}")
    return tuple(found)


def _limits(record: str, entry: Mapping[Any, Any], where: str, problems: Problems) -> list[Rule]:
    _known(entry, _RULE_KEYS, where, problems)
    level, why = entry.get("level", "fail"), entry.get("why", "")
    if level not in LEVELS:
        problems.add(
            f"{where}: level is fail or warn, but it is {level!r}; {hint(str(level), LEVELS)}"
        )
        level = "fail"
    if not isinstance(why, str):
        problems.add(f"{where}: why is text, but it is {why!r}; quote it")
    if "max" not in entry and "min" not in entry:
        problems.add(f"{where} has a limit, but neither max nor min is set; add one")
    found = []
    sides: tuple[tuple[str, Bound], ...] = (("min", "low"), ("max", "high"))
    for key, bound in sides:
        if key not in entry:
            continue
        limit = _said(record, entry[key])
        if (
            isinstance(limit, bool)
            or not isinstance(limit, int | float)
            or not math.isfinite(limit)
        ):
            rule = " or ".join(OUTCOMES) if record == VERDICT else "a number"
            problems.add(f"{where}: {key} is {rule}, but it is {limit!r}; correct it")
            continue
        if _no_share(record, float(limit)):
            problems.add(
                f"{where}: {key} is a share from 0 to 1, but it is {limit:g}; write 0.05 for 5 %"
            )
        found.append(Rule(record, bound, float(limit), level, str(why)))
    if len(found) == 2 and found[0].limit > found[1].limit:
        problems.add(f"{where}: min is at most max, but {found[0].limit:g} is more than that")
    return found


def _said(record: str, limit: Any) -> Any:
    """An outcome's word as its number, so that limits compare; all else as it is."""
    return OUTCOMES.get(limit, limit) if record == VERDICT and isinstance(limit, str) else limit


def _no_share(record: str, limit: float) -> bool:
    """Whether `limit` is none that a share can have: 5 for 5 % is a gate that stands open."""
    is_share = record.startswith(_SHARES) and record not in (*_NO_SHARES, "privacy.controls_failed")
    return is_share and not 0 <= limit <= 1


def _known(
    content: Mapping[Any, Any], known: Collection[str], where: str, problems: Problems
) -> None:
    for key in content:
        if key not in known:
            problems.add(f"{where}: unknown key '{key}'; {hint(str(key), known)}")


class _Strict(yaml.SafeLoader):
    """YAML in which a key stands once: of two rules for one record PyYAML would drop the first."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"the key '{key}' stands twice; make it a list of rules",
                    node.start_mark,
                )
        return super().construct_mapping(node, deep)
