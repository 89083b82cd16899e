"""`synthvae audit`: what released rows, or a model, tell about those who were learnt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthvae.files import refuse_places

from .console import Force, Json, Paper, Quiet, Reporter, Threads, one_core_each
from .early import check
from .flags import Predicate
from .judging import AnyModel, Holdout, Released, Seed

if TYPE_CHECKING:
    from synthvae.audit import Audit

SHADOWS = 16
UNFINISHED = ".unfinished"  # what is kept of a deep audit until it is done
_WORSE = {"FAIL": "red", "INCONCLUSIVE": "yellow", "PASS": "green"}


Real = Annotated[str, typer.Option(help="The table that was fitted, as it was.")]
Described = Annotated[
    Path | None, typer.Option(help="SDV metadata, without a model.", show_default="detected")
]
Deep = Annotated[
    bool, typer.Option("--deep", help="Shadow models and canaries too: takes far longer.")
]
Shadows = Annotated[int, typer.Option(min=16, max=64, help="Shadow models of --deep.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="Write the result as JSON here too.")
]
Words = Annotated[Path | None, typer.Option(help="Write a report for people here.")]
Restricted = Annotated[
    Path | None,
    typer.Option(help="Write what shows real rows here: handle it like the real table."),
]


def audit(
    real: Real,
    model: AnyModel = None,
    synthetic: Released = None,
    holdout: Holdout = None,
    metadata: Described = None,
    deep: Deep = False,
    shadows: Shadows = SHADOWS,
    output: Output = None,
    markdown: Words = None,
    restricted: Restricted = None,
    predicate: Predicate = None,
    seed: Seed = 0,
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Attack a model, or the rows of any generator, as somebody would who looks for members of the
    training table. Exit codes: 0 pass, 1 fail, 4 inconclusive, 2 usage, 3 bad data. A deep audit
    that is stopped leaves a folder '.unfinished' beside its output, and goes on from there."""
    reporter = Reporter(quiet, json)
    refuse_places((output, markdown, restricted), force)
    check(model, real, synthetic, holdout)
    one_core_each()
    from synthvae.auditing import run
    from synthvae.constraints.predicates import trust
    from synthvae.sources import Sources

    trust(predicate or [])
    sources = Sources(real, holdout, synthetic, model, metadata, shadows if deep else None)
    beside = output or model
    keep = beside.with_name(beside.name + UNFINISHED) if deep and beside else None
    if keep and keep.exists():
        reporter.say(f"going on with the audit that was stopped, from '{keep}'")
    with reporter.progress("auditing", 1) as bar:
        found = run(sources, seed, threads, bar.at, keep)
    _write(found, output, markdown, restricted)
    reporter.result(found.to_json())
    if not json and not quiet:
        _print(found)
    raise typer.Exit(found.verdict.exit_code)


def _write(
    found: Audit, output: Path | None, markdown: Path | None, restricted: Path | None
) -> None:
    from synthvae.audit import markdown as as_markdown
    from synthvae.files import OWNER, write_bytes

    if output:
        write_bytes(output, _json(found.to_json()))
    if markdown:
        write_bytes(markdown, as_markdown(found).encode())
    if restricted:
        write_bytes(restricted, _json(found.restricted.to_json()), OWNER)


def _json(content: dict[str, Any]) -> bytes:
    import json

    return (json.dumps(content, indent=2, default=str) + "\n").encode()


def _print(found: Audit) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from synthvae.audit.figures import between, figure

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("criterion", ratio=1)
    for name in ("value", "95 % interval", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for each in found.verdict.criteria:
        seen = figure(each.value, each.unit), between(each.interval, each.unit)
        cells = (escape(each.name), *seen, figure(each.limit, each.unit), each.outcome)
        table.add_row(*cells, style=_WORSE[each.outcome])
    console = Paper()
    console.print(table)
    for control in found.controls:
        if control.passed is not True:
            state = "was not made" if control.passed is None else "did not come out as it should"
            console.print(f"{control.name} {state}: {control.note}", markup=False)
    for bound in found.bounds:
        where = f"{bound.name} ({bound.theorem})"
        console.print(f"epsilon at least {bound.epsilon:.2f}: {where}", markup=False)
    for note in found.notes:
        console.print(f"note: {note}", markup=False)
    verdict = found.verdict
    for advice in verdict.advice:
        console.print(f"what to do: {advice}", markup=False)
    console.print(f"{verdict.outcome}: {verdict.sentence}", style=_WORSE[verdict.outcome])
