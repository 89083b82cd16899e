"""`synthvae sample`: new rows from a model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from synthvae.errors import UsageError

from .conditions import accepted, complete, kept, refuse_with_conditions, share
from .console import Force, Json, Quiet, Threads
from .early import check, check_condition
from .flags import Predicate
from .identifiers import Chosen
from .outlet import (
    FormatName,
    ManifestFile,
    NoManifest,
    Outlet,
    ResumeRun,
    RowsPerFile,
    Sink,
    TableName,
    Timestamp,
)
from .repeated import counts_of, values_of
from .rows import MODEL, Model

if TYPE_CHECKING:
    from synthvae.delivery import Drawer
    from synthvae.requests import Request


Rows = Annotated[
    int | None,
    typer.Option("-n", "--rows", min=1, help="How many rows.", show_default="as --per says"),
]
Seed = Annotated[int, typer.Option(help="Same model, seed and n: same bytes.")]
Given = Annotated[
    list[str] | None,
    typer.Option(help="COLUMN=VALUE of a column that the model is conditioned on; repeatable."),
]
Balance = Annotated[
    str | None, typer.Option(help="A column of which every value gets as many rows.")
]
Per = Annotated[
    list[str] | None,
    typer.Option(help="COLUMN=VALUE:COUNT, how many rows a value gets; repeatable."),
]
Where = Annotated[
    str | None,
    typer.Option(help="A condition that every row meets: \"income == '>50K' and age > 60\"."),
]
Conditions = Annotated[
    str | None,
    typer.Option(help="A table of partial rows: one whole row for each; empty cells are free."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="COLUMN=VALUE: what if the column had this value, whatever the model says; "
        "columns written after it follow. Repeatable.",
    ),
]
Patience = Annotated[
    float, typer.Option(min=0, help="Patience with --where: give up if it takes longer.")
]
Learnt = Annotated[
    str | None,
    typer.Option(help="The table that was learnt, so that none of its identifiers comes up."),
]
Pools = Annotated[
    list[str] | None,
    typer.Option(
        help="COLUMN=FILE or COLUMN=FILE:NAME, a column of another table that an id is drawn "
        "from; repeatable."
    ),
]


def sample(
    rows: Rows = None,
    model: Model = MODEL,
    output: Sink = "synthetic.csv",
    seed: Seed = 0,
    given: Given = None,
    balance: Balance = None,
    per: Per = None,
    where: Where = None,
    conditions: Conditions = None,
    setting: Set = None,
    max_seconds: Patience = 600.0,
    format: FormatName = None,
    rows_per_file: RowsPerFile = None,
    table: TableName = None,
    resume: ResumeRun = False,
    manifest: ManifestFile = None,
    no_manifest: NoManifest = False,
    timestamp: Timestamp = False,
    real: Learnt = None,
    pool: Pools = None,
    predicate: Predicate = None,
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write new rows. Memory does not grow with their number, and the first 1,000 of 100,000 rows
    are those of 1,000 (but not of balanced ones)."""
    wanted, values = values_of(given, "--given"), values_of(setting, "--set")
    column, counts = counts_of(per)
    from synthvae.constraints.predicates import trust

    trust(predicate or [])
    if conditions is None:
        _refuse(rows, balance, counts, where is not None or bool(values))
    else:
        refuse_with_conditions(
            **{"-n": rows, "--given": given, "--balance": balance, "--per": per},
            **{"--where": where, "--set": setting, "--real": real, "--pool": pool},
        )
    notes = (manifest, no_manifest, timestamp)
    outlet = Outlet.of(output, format, rows_per_file, table, *notes, resume, force, json, quiet)
    check(model, conditions)
    if conditions is not None:
        complete(outlet, model, conditions, seed, threads)
        return
    chosen = Chosen.of(real, pool)
    if where is not None:
        check_condition(model, where)
    from synthvae.balancing import equal_counts
    from synthvae.delivery import Drawer
    from synthvae.requests import Request

    drawer = Drawer.of(model)
    chosen.told(drawer.sampler)
    if balance:
        column, counts = balance, equal_counts(drawer.sampler, balance, rows or 0)
    asked = Request(
        sum(counts.values()) if counts else rows or 0,
        seed,
        given=wanted,
        column=column,
        counts=counts,
        where=where,
        values=values,
        keys=chosen.keys,
        files=chosen.files,
        patience=max_seconds,
    )
    _draw(outlet, drawer, asked, threads)


def _draw(outlet: Outlet, drawer: Drawer, asked: Request, threads: int | None) -> None:
    """Write the rows, and say what became of candidates and of rows drawn again."""
    from synthvae.keys import check_room

    for words in check_room(drawer.sampler.codec, asked.rows):
        outlet.reporter.say(f"warning: {words}")
    note = str if asked.where is None else partial(share, asked.tally)
    written = outlet.write(drawer, asked, threads, note)
    outlet.reporter.result(
        {**written, "seed": asked.seed}
        | ({"counts": dict(asked.counts)} if asked.counts else {})
        | (accepted(asked.tally, asked.where, outlet.reporter) if asked.conditional else {})
        | kept(drawer.sampler.tries.share, outlet.reporter)
    )


def _refuse(rows: int | None, balance: str | None, counts: dict[str, int], asked: bool) -> None:
    """UsageError where options say different things of the same rows, or none how many there are;
    `asked`: rows meet a condition, or columns are set."""
    if balance and counts:
        raise UsageError("rows are balanced or counted, but both were asked for; leave one out")
    if counts and rows is not None and rows != sum(counts.values()):
        raise UsageError(
            f"--per says how many rows there are, {sum(counts.values()):,}, but -n is {rows:,}; "
            "leave -n out"
        )
    if not counts and rows is None:
        raise UsageError("a sample has a number of rows, but none is given; add -n")
    if asked and (balance or counts):
        raise UsageError(
            "rows meet a condition or are counted by value, but --where or --set and --balance or "
            "--per were asked for; sample twice"
        )
