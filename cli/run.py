"""`synthvae run`: one declared pipeline, of which only what changed is done again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import Json, Paper, Quiet, Reporter, Threads, one_core_each, seconds

if TYPE_CHECKING:
    from synthvae.workflow.steps import Step

    from .asked import Asked


def run(
    pipeline: Annotated[
        Path, typer.Argument(help="YAML with a section 'run'; docs/ci.md has one.")
    ] = Path("synthvae.yaml"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and why, and do nothing.")
    ] = False,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Detect, fit, sample, evaluate, audit, check and report as one file declares it. Steps whose
    inputs, settings and versions are as they were are not done again, and a fit that was killed
    goes on. Exit code: the gate's, or without a policy the audit's."""
    reporter = Reporter(quiet, json)
    one_core_each()
    from synthvae.workflow.declared import read
    from synthvae.workflow.lock import alone
    from synthvae.workflow.state import State
    from synthvae.workflow.steps import foretold

    from .asked import Asked
    from .steps import steps_of

    declared = read(pipeline)
    asked = Asked.of(declared, quiet or json, threads)
    steps = steps_of(asked)
    _warn(asked, reporter)
    if dry_run:
        due = foretold(steps, State.load(declared.outputs))
        reporter.result({"outputs": str(declared.outputs), "steps": due})
        if not json and not quiet:
            _print(due, declared.private)
        return
    declared.outputs.mkdir(parents=True, exist_ok=True)
    with alone(declared.outputs):
        state = State.load(declared.outputs)
        for path in asked.outcome.values():  # that of an earlier run says nothing of this one
            path.unlink(missing_ok=True)
        codes, due = _take(steps, state, reporter)
    code = codes.get("check", codes.get("audit", 0))
    entries = {name: {"reasons": due[name], "exit_code": codes[name]} for name in codes}
    reporter.result({"outputs": str(declared.outputs), "exit_code": code, "steps": entries})
    if code:
        judge, page = ("gate", "check.md") if "check" in codes else ("audit", "audit.md")
        reporter.say(f"== exit code {code}: the {judge} is not passed, see {asked.out(page)}")
    raise typer.Exit(code)


def _warn(asked: Asked, reporter: Reporter) -> None:
    """Of what is bound to fail, before it has taken an hour."""
    if lacking := asked.unmeasured():
        reporter.say(
            f"warning: no step of this pipeline measures {', '.join(lacking)}, so that these rules "
            f"are not passed; leave them out of '{asked.declared.policy}', or the step in"
        )


def _take(
    steps: list[Step], state: Any, reporter: Reporter
) -> tuple[dict[str, int], dict[str, list[str]]]:
    from synthvae.workflow.steps import take

    due: dict[str, list[str]] = {}
    started = 0.0

    def told(step: Step, why: list[str]) -> None:
        nonlocal started
        due[step.name], started = why, time.monotonic()
        reporter.say(f"== {step.name}: {'; '.join(why) if why else 'nothing changed'}")

    def done(step: Step, code: int) -> None:
        ended = f"exit code {code}, " if code else ""
        reporter.say(f"== {step.name}: {ended}{seconds(time.monotonic() - started)}")

    return take(steps, state, told, done), due


def _print(due: Mapping[str, list[str]], private: bool) -> None:
    console = Paper()
    for name, why in due.items():
        state = "would be done" if why else "is as it was"
        reasons = f": {'; '.join(why)}" if why else ""
        console.print(f"{name:<9} {state}{reasons}", markup=False)
    if private and due["fit"]:
        console.print("the fit is private: doing it again costs its epsilon again", markup=False)
