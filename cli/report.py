"""`synthvae report`: one page on synthetic rows, for people and for programs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from synthvae.errors import UsageError
from synthvae.files import refuse_places

from .console import Force, Quiet, Reporter, Threads, one_core_each
from .early import check as check_files
from .evaluate import settings_of
from .flags import Predicate, told
from .judging import AnyModel, Config, Holdout, Released, Seed, Target

DEFAULT = Path("report.html")

Real = Annotated[
    str | None,
    typer.Option(
        help="The table that was learnt, as it was.", show_default="needed but for --from"
    ),
]
Again = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="What --json wrote: measure nothing again; --check, --public and forms are new.",
        show_default="none",
    ),
]
Described = Annotated[
    Path | None, typer.Option(help="SDV metadata.", show_default="the model's, or detected")
]
AuditFile = Annotated[Path | None, typer.Option("--audit", help="What 'audit -o' wrote.")]
CheckFile = Annotated[Path | None, typer.Option("--check", help="What 'check -o' wrote.")]
LogFile = Annotated[
    Path | None,
    typer.Option("--log", help="What 'fit --log' wrote.", show_default="the model's losses"),
]
Certificate = Annotated[
    Path | None,
    typer.Option(help="What a private fit wrote beside the model.", show_default="the model's"),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="The page: one file.",
        show_default="report.html, if neither --json nor --markdown is given",
    ),
]  # fmt: skip
JsonFile = Annotated[Path | None, typer.Option("--json", help="The same for programs; - prints.")]
Words = Annotated[Path | None, typer.Option(help="A short one for a pull request; - prints.")]
Public = Annotated[
    bool, typer.Option("--public", help="Leave out what shows statistics of real rows.")
]


def report(
    real: Real = None,
    holdout: Holdout = None,
    synthetic: Released = None,
    model: AnyModel = None,
    audit: AuditFile = None,
    check: CheckFile = None,
    log: LogFile = None,
    certificate: Certificate = None,
    output: Output = None,
    json: JsonFile = None,
    markdown: Words = None,
    public: Public = False,
    again: Again = None,
    metadata: Described = None,
    config: Config = None,
    target: Target = None,
    predicate: Predicate = None,
    seed: Seed = 0,
    threads: Threads = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write all there is to say of synthetic rows on one page: verdict, fidelity, privacy, latent
    space, training. It shows statistics of the real table: see --public."""
    reporter = Reporter(quiet, as_json=False)
    if not (output or json or markdown):
        output = DEFAULT
    outputs = {"page": output, "json": json, "markdown": markdown}
    _check(outputs, force)
    if again is not None:
        if real or synthetic or model:
            raise UsageError(
                "--from measures nothing again, but a table or a model is given too; leave it out"
            )
        from synthvae.report.evidence import report as read

        _write(read(again, check), outputs, public, reporter)
        return
    if real is None:
        raise UsageError("a report holds rows against real ones, but there are none; add --real")
    check_files(model, real, synthetic, holdout)
    one_core_each()
    from synthvae.constraints.predicates import trust
    from synthvae.reporting import run
    from synthvae.reporting_inputs import Asked

    trust(predicate or [])
    wanted, missing = settings_of(config, target)
    asked = Asked(
        real, holdout, synthetic, model, metadata, wanted, tuple(missing),
        audit, check, log, certificate, seed, threads, shlex.join(["synthvae", *sys.argv[1:]]),
    )  # fmt: skip
    asked.validate()
    with told(target=target), reporter.progress("reporting", 1) as bar:
        found = run(asked, bar.at)
    _write(found, outputs, public, reporter)


def _check(outputs: dict[str, Path | None], force: bool) -> None:
    given = [path for path in outputs.values() if path]
    if sum(map(_printed, given)) > 1:
        raise UsageError("stdout takes one output, but two were asked for; name a file")
    refuse_places([path for path in given if not _printed(path)], force)
    if outputs["page"]:
        if _printed(outputs["page"]):
            raise UsageError("a page is a file, but -o is '-'; name one, or use --markdown -")
        from synthvae.report.drawing import check_installed

        check_installed()


def _printed(path: Path) -> bool:
    return str(path) == "-"


def _write(
    found: dict[str, Any], outputs: dict[str, Path | None], public: bool, reporter: Reporter
) -> None:
    import json

    from synthvae.files import write_bytes
    from synthvae.report.markdown import markdown
    from synthvae.report.public import without_statistics

    found = without_statistics(found) if public else found
    made = {
        "json": lambda: json.dumps(found, indent=1, allow_nan=False) + "\n",
        "markdown": lambda: markdown(found),
        "page": lambda: _page(found),
    }
    texts = {path: made[what]() for what, path in outputs.items() if path}  # all, or none
    for path, text in texts.items():
        if _printed(path):
            sys.stdout.write(text)
        else:
            write_bytes(path, text.encode())
            reporter.say(f"{path} ({len(text.encode()) / 1e6:.2f} MB)")
    if not public:
        reporter.say("it shows statistics of the real table: for those who may see these")


def _page(found: dict[str, Any]) -> str:
    from synthvae.report.page import page

    return page(found)
