"""`synthvae sample`: new rows from a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthvae.errors import UsageError

from .conditions import accepted, kept, refuse_with_conditions, share, write_completed
from .console import Force, Json, Quiet, Threads
from .flags import Predicate
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
from .rows import MODEL, Model, Target

if TYPE_CHECKING:
    from synthvae.sampling import Sampler


def sample(
    rows: Annotated[
        int | None,
        typer.Option("-n", "--rows", min=1, help="How many rows.", show_default="as --per says"),
    ] = None,
    model: Model = MODEL,
    output: Sink = "synthetic.csv",
    seed: Annotated[int, typer.Option(help="Same model, seed and n: same bytes.")] = 0,
    given: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE of a column that the model is conditioned on; repeatable."),
    ] = None,
    balance: Annotated[
        str | None, typer.Option(help="A column of which every value gets as many rows.")
    ] = None,
    per: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE:COUNT, how many rows a value gets; repeatable."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="A condition that every row meets: \"income == '>50K' and age > 60\"."),
    ] = None,
    conditions: Annotated[
        str | None,
        typer.Option(help="A table of partial rows: one whole row for each; empty cells are free."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="COLUMN=VALUE: what if the column had this value, whatever the model says; "
            "columns written after it follow. Repeatable.",
        ),
    ] = None,
    max_seconds: Annotated[
        float, typer.Option(min=0, help="Patience with --where: give up if it takes longer.")
    ] = 600.0,
    format: FormatName = None,
    rows_per_file: RowsPerFile = None,
    table: TableName = None,
    resume: ResumeRun = False,
    manifest: ManifestFile = None,
    no_manifest: NoManifest = False,
    timestamp: Timestamp = False,
    real: Annotated[
        str | None,
        typer.Option(help="The table that was learnt, so that none of its identifiers comes up."),
    ] = None,
    pool: Annotated[
        list[str] | None,
        typer.Option(
            help="COLUMN=FILE or COLUMN=FILE:NAME, a column of another table that an id is drawn "
            "from; repeatable."
        ),
    ] = None,
    predicate: Predicate = None,
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write new rows. Memory does not grow with their number, and the first 1,000 of 100,000 rows
    are those of 1,000 (but not of balanced ones)."""
    notes = (manifest, no_manifest, timestamp)
    wanted, values = _pairs(given or [], "--given"), _pairs(setting or [], "--set")
    column, counts = _counts(per or [])
    from synthvae.constraints.checks import trust

    trust(predicate or [])
    if conditions is not None:
        refuse_with_conditions(
            output,
            **{"-n": rows, "--given": given, "--balance": balance, "--per": per},
            **{"--where": where, "--set": setting, "--format": format, "--table": table},
            **{"--rows-per-file": rows_per_file, "--resume": resume, "--manifest": manifest},
            **{"--real": real, "--pool": pool, "--timestamp": timestamp},
        )
        from synthvae.artifact import load

        target = Target.of(output, force, json, quiet)
        done = write_completed(target, load(model), conditions, seed, threads)
        target.reporter.result({**done, "seed": seed})
        return
    outlet = Outlet.of(output, format, rows_per_file, table, *notes, resume, force, json, quiet)
    _refuse(rows, balance, counts)
    if where is not None or values:
        _refuse_both(balance, counts)
    from synthvae.acceptance import Tally
    from synthvae.delivery import Drawer
    from synthvae.keys import check_room
    from synthvae.requests import Request

    drawer = Drawer.of(model)
    keys = _keys(drawer.sampler, real, pool or [])
    if balance or counts:
        column = balance or column
        counts = counts or _equal(drawer.sampler, column, rows or 0)
        rows = sum(counts.values())
    for words in check_room(drawer.sampler.codec, rows or 0):
        outlet.reporter.say(f"warning: {words}")
    tally = Tally()
    asked = Request(
        rows or 0, seed, wanted, column, counts, where or "", values, keys, max_seconds, tally
    )
    note = partial(share, tally) if where else str
    written = outlet.write(drawer, asked, threads, note)
    outlet.reporter.result(
        {**written, "seed": seed}
        | ({"counts": counts} if counts else {})
        | (accepted(tally, where, outlet.reporter) if asked.conditional else {})
        | kept(drawer.sampler.tries.share, outlet.reporter)
    )


def _keys(sampler: Sampler, real: str | None, pools: list[str]) -> tuple[str, ...]:
    """Identifiers that are not the real ones, or that are those of other tables; which had a
    say."""
    from synthvae.keys import avoiding, pooled
    from synthvae.reading import read_table

    hashed: list[str] = []
    if real is not None:
        sampler.codec = avoiding(sampler.codec, read_table(real))
        hashed.append(_hashed("--real", real))
    named = {}
    for entry in pools:
        column, _, source = entry.partition("=")
        if not source:
            raise UsageError(
                f"--pool takes COLUMN=FILE, but it is '{entry}'; put a '=' between them"
            )
        path, _, name = source.rpartition(":") if ":" in source else (source, "", column)
        table = read_table(path)
        if name not in table.names:
            raise UsageError(
                f"a pool is a column of its file, but '{path}' has no column '{name}'; add it as "
                f"--pool {column}={path}:NAME"
            )
        named[column] = table[name]
        hashed.append(_hashed(f"--pool {column}={name}", path))
    sampler.codec = pooled(sampler.codec, named)
    return tuple(hashed)


def _hashed(what: str, path: str) -> str:
    """`what`, and which file that was: rows of another can't go on with those of this one."""
    from synthvae.outputs.record import hash_of

    return what if path == "-" else f"{what} sha256={hash_of(Path(path))}"


def _equal(sampler: Sampler, column: str, rows: int) -> dict[str, int]:
    from synthvae.balancing import equal_counts

    return equal_counts(sampler, column, rows)


def _refuse(rows: int | None, balance: str | None, counts: dict[str, int]) -> None:
    if balance and counts:
        raise UsageError("rows are balanced or counted, but both were asked for; leave one out")
    if counts and rows is not None and rows != sum(counts.values()):
        raise UsageError(
            f"--per says how many rows there are, {sum(counts.values()):,}, but -n is {rows:,}; "
            "leave -n out"
        )
    if not counts and rows is None:
        raise UsageError("a sample has a number of rows, but none is given; add -n")


def _refuse_both(balance: str | None, counts: dict[str, int]) -> None:
    if balance or counts:
        raise UsageError(
            "rows meet a condition or are counted by value, but --where or --set and --balance or "
            "--per were asked for; sample twice"
        )


def _pairs(given: list[str], option: str) -> dict[str, str]:
    for pair in given:
        if "=" not in pair:
            raise UsageError(
                f"{option} takes COLUMN=VALUE, but it is '{pair}'; put a '=' between them"
            )
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}


def _counts(per: list[str]) -> tuple[str, dict[str, int]]:
    """The column, and how many rows each of its values gets."""
    counts: dict[str, int] = {}
    columns: set[str] = set()
    for entry in per:
        pair, _, count = entry.rpartition(":")
        if not count.isdecimal() or "=" not in pair:
            wrong = "name a value" if count.isdecimal() else "end it in a number"
            raise UsageError(f"--per takes COLUMN=VALUE:COUNT, but it is '{entry}'; {wrong}")
        column, _, value = pair.partition("=")
        columns.add(column)
        if value in counts:
            raise UsageError(f"a value has one count, but '{value}' has two; leave one out")
        counts[value] = int(count)
    if len(columns) > 1:
        raise UsageError(
            f"--per counts the values of one column, but it names {', '.join(sorted(columns))}; "
            "choose one"
        )
    return next(iter(columns), ""), counts
