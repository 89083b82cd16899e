"""What other commands wrote down, read back: audits, checks, certificates, losses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from synthvae.errors import EvidenceError, Problems

VERSION = 1  # of a report's JSON
Shape = Mapping[str, tuple[type, ...]]
_NUMBER = (int, float, type(None))
_TEXT = (str,)

_RATE = {".value": _NUMBER, ".n": (int,)}
_ENDS = {".low": _NUMBER, ".high": _NUMBER}


def _nested(prefix: str, parts: Shape) -> dict[str, tuple[type, ...]]:
    return {f"{prefix}{name}": kinds for name, kinds in parts.items()}


_EXCESS: Shape = {
    ".name": _TEXT,
    ".value": _NUMBER,
    ".subject": (list,),
    ".seed": (int,),
    **_nested(".interval", _ENDS),
    **_nested(".training", _RATE),
    **_nested(".control", _RATE),
}
CHECK: Shape = {
    "schema_version": (int,),
    "policy.name": _TEXT,
    "passed": (bool,),
    "lines[].rule": _TEXT,
    "lines[].record": _TEXT,
    "lines[].level": _TEXT,
    "lines[].limit": _TEXT,
    "lines[].status": _TEXT,
}
AUDIT: Shape = {
    "verdict.outcome": _TEXT,
    "verdict.sentence": _TEXT,
    "verdict.reasons": (list,),
    "verdict.criteria[].name": _TEXT,
    "verdict.criteria[].section": _TEXT,
    "verdict.criteria[].value": _NUMBER,
    "verdict.criteria[].limit": _NUMBER,
    "verdict.criteria[].outcome": _TEXT,
    **_nested("verdict.criteria[].interval", _ENDS),
    "attacks[].name": _TEXT,
    "attacks[].access": _TEXT,
    "attacks[].who": _TEXT,
    "attacks[].auc": _NUMBER,
    "attacks[].tpr": (dict,),
    "attacks[].members": (int,),
    "attacks[].others": (int,),
    "attacks[].seed": (int,),
    "attacks[].epsilon_one_run": _NUMBER,
    **_nested("attacks[].interval", _ENDS),
    **_nested("risks[]", _EXCESS),
    **_nested("copies[]", _EXCESS),
    "controls[].name": _TEXT,
    "controls[].passed": (bool, type(None)),
    "controls[].note": _TEXT,
    "notes": (list,),
    "seed": (int,),
}
REPORT: Shape = {
    "schema_version": (int,),
    "kind": _TEXT,
    "records[].name": _TEXT,
    "records[].value": _NUMBER,
    "sections.verdict": (dict,),
    "sections.fidelity": (dict,),
    "sections.privacy": (dict,),
    "sections.latent": (dict,),
    "sections.training": (dict,),
    "sections.made": (dict,),
    "notes": (list,),
}
CERTIFICATE: Shape = {
    "claim.epsilon": (int, float),
    "claim.delta": (int, float),
    "claim.unit": _TEXT,
    "attacker.limits": (dict,),
    "events": (list,),
    "not_covered": (list,),
    "limitations": (list,),
}


def check(path: Path) -> dict[str, Any]:
    """The outcome of a policy. EvidenceError if the file holds something else."""
    return _read(path, "a check", "synthvae check", CHECK)


def audit(path: Path) -> dict[str, Any]:
    """The public result of an audit."""
    found = _read(path, "an audit", "synthvae audit -o", AUDIT)
    if found["verdict"]["outcome"] not in ("PASS", "FAIL", "INCONCLUSIVE"):
        raise EvidenceError(
            f"an audit passes, fails or is inconclusive, but '{path}' says "
            f"'{found['verdict']['outcome']}'; write it again with 'synthvae audit -o'"
        )
    return found


def certificate(path: Path) -> dict[str, Any]:
    """What a private fit promises."""
    return _read(path, "a certificate", "synthvae fit --epsilon", CERTIFICATE)


def report(path: Path, checked: Path | None = None) -> dict[str, Any]:
    """The content of a report, with the outcome of a policy that was held against it since."""
    found = _read(path, "a report", "synthvae report --json", REPORT)
    if found["schema_version"] != VERSION:
        raise EvidenceError(
            f"this synthvae reads reports of version {VERSION}, but '{path}' is of version "
            f"{found['schema_version']}; write it again with 'synthvae report --json'"
        )
    if checked is not None:
        found["sections"]["verdict"] |= {"check": check(checked), "check_absent": None}
    return found


def losses(path: Path) -> list[dict[str, Any]]:
    """The losses of a training, one JSON object a line; of a folder its `losses.jsonl`."""
    path = path / "losses.jsonl" if path.is_dir() else path
    found = []
    for at, line in enumerate(_text(path).splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or not isinstance(entry.get("loss"), (int, float)):
            raise EvidenceError(
                f"a log has one JSON object with a 'loss' on every line, but line {at} of '{path}' "
                "is none; pass the losses.jsonl of 'synthvae fit --log'"
            )
        found.append(entry)
    return found


def _read(path: Path, what: str, command: str, shape: Shape) -> dict[str, Any]:
    again = f"write it again with '{command}'"
    try:
        content = json.loads(_text(path), parse_constant=lambda _: None)  # no NaN
    except ValueError as error:
        raise EvidenceError(f"{what} is JSON, but '{path}' is not ({error}); {again}") from error
    problems = Problems()
    if not isinstance(content, dict):
        raise EvidenceError(f"{what} is a JSON object, but '{path}' is none; {again}")
    for name, kinds in shape.items():
        for value in _values(content, name.replace("[]", "[].").replace("..", ".").split(".")):
            # A truth value is an int to Python, but not to the reader of a number.
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                there = "is not there" if value is _ABSENT else f"is {value!r:.40}"
                problems.add(f"{what} has '{name}', but in '{path}' it {there}; {again}")
                break
    problems.raise_as(EvidenceError)
    return content


class _Absent:
    pass


_ABSENT = _Absent()


def _values(content: Any, path: list[str]) -> Iterator[Any]:
    """Everything that stands at a path such as `lines[].rule`."""
    if not path:
        yield content
        return
    step, rest = path[0], path[1:]
    found = content.get(step.removesuffix("[]"), _ABSENT) if isinstance(content, dict) else _ABSENT
    if not step.endswith("[]"):
        yield from _values(found, rest) if found is not _ABSENT else [_ABSENT]
    elif isinstance(found, list):
        for each in found:
            yield from _values(each, rest)
    else:
        yield _ABSENT


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise EvidenceError(f"a record is a file, but '{path}' can't be read ({why})") from error
