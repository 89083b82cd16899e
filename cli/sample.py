"""`synthvae sample`: new rows from a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synthvae.errors import UsageError

from .console import Force, Json, Quiet, Threads
from .flags import Predicate
from .rows import MODEL, Model, Output, Target

if TYPE_CHECKING:
    from synthvae.sampling import Sampler


def sample(
    rows: Annotated[
        int | None,
        typer.Option("-n", "--rows", min=1, help="How many rows.", show_default="as --per says"),
    ] = None,
    model: Model = MODEL,
    output: Output = "synthetic.csv",
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
    target = Target.of(output, force, json, quiet)
    wanted = _pairs(given or [])
    column, counts = _counts(per or [])
    _refuse(rows, balance, counts)
    from synthvae import pipeline
    from synthvae.artifact import load
    from synthvae.balancing import balanced
    from synthvae.constraints.checks import trust
    from synthvae.keys import check_room

    trust(predicate or [])
    sampler = pipeline.sampler(load(model))
    _keys(sampler, real, pool or [])
    if balance or counts:
        column = balance or column
        counts = counts or _equal(sampler, column, rows or 0)
        rows = sum(counts.values())
        chunks = balanced(sampler, column, counts, seed, target.view, wanted, threads)
    else:
        chunks = sampler.chunks(rows or 0, seed, target.view, wanted, threads)
    for words in check_room(sampler.codec, rows or 0):
        target.reporter.say(f"warning: {words}")
    schema = sampler.codec.arrow_schema(target.view)
    written = {**target.write("sampling", chunks, schema, rows or 0), "seed": seed}
    if (share := sampler.tries.share) is not None:
        target.reporter.say(
            f"{share:.2%} of the rows drawn kept all constraints; others were redrawn"
        )
        written["kept"] = round(share, 6)
    target.reporter.result(written | ({"counts": counts} if counts else {}))


def _keys(sampler: Sampler, real: str | None, pools: list[str]) -> None:
    """Identifiers that are not the real ones, or that are those of other tables."""
    from synthvae.keys import avoiding, pooled
    from synthvae.reading import read_table

    if real is not None:
        sampler.codec = avoiding(sampler.codec, read_table(real))
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
    sampler.codec = pooled(sampler.codec, named)


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


def _pairs(given: list[str]) -> dict[str, str]:
    for pair in given:
        if "=" not in pair:
            raise UsageError(
                f"--given takes COLUMN=VALUE, but it is '{pair}'; put a '=' between them"
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
