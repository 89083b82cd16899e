"""What is asked of `Synthesizer.sample`, where arguments say something of the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthvae.balancing import equal_counts
from synthvae.errors import UsageError
from synthvae.frames import written
from synthvae.sampling import Sampler


def alone(**others: Any) -> None:
    """UsageError if any of `others` was asked for: they say something else of the same rows."""
    asked = [name for name, value in others.items() if value is not None]
    if asked:
        raise UsageError(
            "conditions say which rows there are, but other arguments do too: "
            f"{', '.join(asked)}; leave those or the conditions out"
        )


def counts_of(
    sampler: Sampler,
    n: int | None,
    balance: str | None,
    per: Mapping[str, Mapping[Any, int]] | None,
) -> tuple[str, dict[str, int]]:
    """The column that is balanced or counted, and how many rows each of its values gets."""
    if per is None and balance is not None and n is not None:
        return balance, equal_counts(sampler, balance, n)
    if per is None or balance is not None or n is not None:
        raise UsageError(
            "rows are balanced, n in all, or counted by per, but these were mixed or one is "
            "missing; pass n and balance, or per alone"
        )
    if len(per) != 1:
        raise UsageError(
            f"per counts the values of one column, but it has {', '.join(per) or 'none'}; pass one"
        )
    ((column, counts),) = per.items()
    return column, {written(value): count for value, count in counts.items()}
