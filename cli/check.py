"""`synthvae check`: a policy held against records, for CI to obey."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from synthvae.files import refuse_places

from .console import Force, Json, Paper, Quiet, Reporter

if TYPE_CHECKING:
    from synthvae.gate.judge import Outcome

FAILED = 1
_STYLES = {"fail": "red", "missing": "red", "warn": "yellow"}
_File = Path | None


def check(
    policy: Annotated[
        Path,
        typer.Option(help="Limits; `synthvae policy init --profile internal-test` writes some."),
    ],
    report: Annotated[_File, typer.Option(help="Of `synthvae report --json`.")] = None,
    evaluation: Annotated[_File, typer.Option(help="Of `synthvae evaluate -o`.")] = None,
    audit: Annotated[_File, typer.Option(help="Of `synthvae audit -o`.")] = None,
    certificate: Annotated[_File, typer.Option(help="Of a private fit.")] = None,
    synthetic: Annotated[str | None, typer.Option(help="The rows, to be counted.")] = None,
    metadata: Annotated[_File, typer.Option(help="What the rows are to be like.")] = None,
    output: Annotated[
        _File, typer.Option("-o", "--output", help="Write the outcome as JSON here too.")
    ] = None,
    junit: Annotated[_File, typer.Option(help="Write JUnit XML here.")] = None,
    markdown: Annotated[_File, typer.Option(help="Write a table for people here.")] = None,
    github: Annotated[
        bool,
        typer.Option(
            "--github", help="Annotate the run of a workflow; as GITHUB_ACTIONS=true does."
        ),
    ] = False,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold records against a policy: exit code 0 if the gate is passed, 1 if it is not. Each limit
    is held against the end of the interval that speaks against the table; without a record a rule
    is not passed."""
    reporter = Reporter(quiet, json)
    refuse_places((output, junit, markdown), force)
    from synthvae.gate.judge import judge
    from synthvae.gate.policy import read
    from synthvae.gate.sources import Files

    readings = Files(report, evaluation, audit, certificate, synthetic, metadata).readings()
    outcome = judge(read(policy, readings), readings)
    _write(outcome, output, junit, markdown)
    reporter.result(outcome.to_json())
    if not json and not quiet:
        _print(outcome)
    if github or os.environ.get("GITHUB_ACTIONS") == "true":
        _annotate(outcome, sys.stderr if json or quiet else sys.stdout)
    if not outcome.passed:
        reporter.say(f"the gate '{outcome.name}' is not passed: {outcome.sentence}")
        raise typer.Exit(FAILED)


def _write(outcome: Outcome, output: _File, junit: _File, markdown: _File) -> None:
    import json

    from synthvae.files import write_bytes
    from synthvae.gate import words

    if output:
        write_bytes(output, (json.dumps(outcome.to_json(), indent=2) + "\n").encode())
    if junit:
        write_bytes(junit, words.junit(outcome))
    if markdown:
        write_bytes(markdown, words.markdown(outcome).encode())


def _annotate(outcome: Outcome, stream: TextIO) -> None:
    """Annotations, which GitHub reads on either stream; and the table on the run's own page."""
    from synthvae.gate import words

    for line in words.workflow_commands(outcome):
        stream.write(line + "\n")
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(page, "a", encoding="utf-8") as summary:
            summary.write(words.markdown(outcome))


def _print(outcome: Outcome) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from synthvae.gate.words import numbers

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("rule", overflow="fold")
    for name in ("value", "judged by", "margin"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for line in outcome.lines:
        softened = line.status == "missing" and not line.blocks
        status = "missing (warn)" if softened else line.status
        style = "yellow" if softened else _STYLES.get(line.status)
        table.add_row(escape(line.rule), *numbers(line), status, style=style)
    console = Paper()
    console.print(table)
    for line in outcome.lines:
        if line.status != "pass":
            console.print(f"{line.status}: {line.reason}", markup=False)
    state, style = ("passed", "green") if outcome.passed else ("failed", "red")
    console.print(f"gate {state}: {outcome.sentence}", style=style)
