"""Steps, and which of them are due: make's idea, with hashes of content in place of times.

A step is done again if an input, a setting or a version differs from when it was done last, or if
an output is not as it left it. What comes out byte for byte the same leaves later steps alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from synthvae.workflow.state import Done, State


@dataclass(frozen=True)
class Step:
    """`act(resume)` makes `outputs` (the first always, the others where there is reason to) from
    `inputs` (those that exist) and returns an exit code; `resume`: go on with what a run that was
    killed left. `packages`: whose versions matter. A step without outputs is always due."""

    name: str
    act: Callable[[bool], int]
    inputs: Mapping[str, Path]
    settings: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Path, ...] = ()
    packages: tuple[str, ...] = ("synthvae",)

    def seen(self) -> dict[str, dict[str, Any]]:
        """What the step depends on, as it is now: as a state that is read back has it."""
        found: dict[str, dict[str, Any]] = {
            "input": {name: hash_of(path) for name, path in self.inputs.items() if path.exists()},
            "setting": _flat(self.settings),
            "version": {name: _version(name) for name in self.packages},
        }
        plain: dict[str, dict[str, Any]] = json.loads(json.dumps(found, default=str))
        return plain


def reasons(step: Step, state: State) -> list[str]:
    """Why `step` is due, in words; none if it is not."""
    if not step.outputs:
        return ["it is asked every time"]
    done = state.done.get(step.name)
    if done is None:
        begun = step.name in state.begun
        return ["it was begun and not finished" if begun else "it was never done"]
    now = step.seen()
    found = [
        reason
        for kind, values in now.items()
        for reason in _differences(kind, done.seen.get(kind, {}), values)
    ]
    for name, digest in done.outputs.items():
        path = next((each for each in step.outputs if each.name == name), None)
        if path is None:
            found.append(f"output {name} is no longer asked for")
        elif not path.exists():
            found.append(f"output {name} is gone")
        elif hash_of(path) != digest:
            found.append(f"output {name} was changed")
    return found


def _differences(kind: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    found = []
    for name in sorted({*then, *now}):
        old, new = then.get(name), now.get(name)
        if old == new:
            continue
        if kind == "input":
            how = "is new" if old is None else "is gone" if new is None else "changed"
            found.append(f"input {name} {how}")
        else:
            found.append(f"{kind} {name}: {_shown(old)} -> {_shown(new)}")
    return found


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def take(
    steps: Sequence[Step],
    state: State,
    told: Callable[[Step, list[str]], None],
    done: Callable[[Step, int], None],
) -> dict[str, int]:
    """Take all steps that are due, in order; the exit code of each, those of others from when they
    were taken. `told` hears each step with the reasons why it is due, `done` how it ended."""
    codes = {}
    for step in steps:
        why = reasons(step, state)
        told(step, why)
        if not why:
            codes[step.name] = state.done[step.name].exit_code
            continue
        seen = step.seen()
        resume = state.begin(step.name, seen)
        codes[step.name] = step.act(resume)
        made = {path.name: hash_of(path) for path in step.outputs if path.exists()}
        state.finish(step.name, Done(seen, made, codes[step.name]))
        done(step, codes[step.name])
    return codes


def foretold(steps: Sequence[Step], state: State) -> dict[str, list[str]]:
    """What `take` would do, by step: the reasons. What follows from another step's output is due
    only if that comes out different."""
    due: dict[str, list[str]] = {}
    made: dict[Path, str] = {}
    for step in steps:
        why = reasons(step, state)
        if step.outputs and (step.name in state.done or not why):
            before = sorted({made[path] for path in step.inputs.values() if path in made})
            if before and not why:
                why = [f"only if {' or '.join(before)} gives something else"]
        due[step.name] = why
        if why:
            made |= dict.fromkeys(step.outputs, step.name)
    return due


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimals."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """`{"training.epochs": 3}`, so that a reason names what changed."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{name}.")
        else:
            found[name] = list(value) if isinstance(value, tuple) else value
    return found


def _version(package: str) -> str:
    if package == "synthvae":  # as it runs: what a checkout was installed as may be older
        return str(import_module(package).__version__)
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
