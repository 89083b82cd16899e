"""`synthvae sample`: new rows from a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synthvae.errors import UsageError

from .conditions import refuse_with_conditions, write_completed, write_conditional
from .console import Force, Json, Quiet, Threads
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
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write new rows. Memory does not grow with their number, and the first 1,000 of 100,000 rows
    are those of 1,000 (but not of balanced ones)."""
    target = Target.of(output, force, json, quiet)
    wanted, values = _pairs(given or [], "--given"), _pairs(setting or [], "--set")
    column, counts = _counts(per or [])
    if conditions is not None:
        refuse_with_conditions(
            **{"-n": rows, "--given": given, "--balance": balance, "--per": per},
            **{"--where": where, "--set": setting},
        )
        from synthvae.artifact import load

        done = write_completed(target, load(model), conditions, seed, threads)
        target.reporter.result({**done, "seed": seed})
        return
    _refuse(rows, balance, counts)
    if where is not None or values:
        _refuse_both(balance, counts)
        from synthvae.artifact import load

        request = (where, wanted, values)
        done = write_conditional(
            target, load(model), rows or 0, seed, request, threads, max_seconds
        )
        target.reporter.result({**done, "seed": seed})
        return
    from synthvae import pipeline
    from synthvae.artifact import load
    from synthvae.balancing import balanced

    sampler = pipeline.sampler(load(model))
    if balance or counts:
        column = balance or column
        counts = counts or _equal(sampler, column, rows or 0)
        rows = sum(counts.values())
        chunks = balanced(sampler, column, counts, seed, target.view, wanted, threads)
    else:
        chunks = sampler.chunks(rows or 0, seed, target.view, wanted, threads)
    schema = sampler.codec.arrow_schema(target.view)
    target.reporter.result(
        {**target.write("sampling", chunks, schema, rows or 0), "seed": seed}
        | ({"counts": counts} if counts else {})
    )


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
