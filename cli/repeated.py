"""Options that are repeated, one COLUMN=VALUE each."""

from __future__ import annotations

from synthvae.errors import UsageError


def values_of(entries: list[str] | None, option: str) -> dict[str, str]:
    """COLUMN=VALUE, each."""
    for entry in entries or []:
        if "=" not in entry:
            raise UsageError(
                f"{option} takes COLUMN=VALUE, but it is '{entry}'; put a '=' between them"
            )
    return {name: value for name, _, value in (entry.partition("=") for entry in entries or [])}


def counts_of(per: list[str] | None) -> tuple[str, dict[str, int]]:
    """COLUMN=VALUE:COUNT, each -> the column, and how many rows each of its values gets."""
    counts: dict[str, int] = {}
    columns: set[str] = set()
    for entry in per or []:
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
