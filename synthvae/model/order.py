"""In which order an autoregressive decoder writes the blocks of a row.

Columns of classes come first, those of few classes before those of many; then columns with a
density, in the order of the table. What is left to a density is then narrow given all classes, and
dates come before the running number that follows from them. Against the order of the table (one
seed each, docs/log.md): better on adult and beijing, the same on default, worse on shoppers.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthvae.layout import Kind, Layout


@dataclass(frozen=True)
class Step:
    """One block: its kind, and where it stands among the blocks of that kind."""

    column: str
    kind: Kind
    at: int
    size: int
    places: tuple[float | None, ...]


def steps_of(layout: Layout) -> tuple[Step, ...]:
    """The blocks of `layout` in the order in which they are written; a column's stay together,
    its classes before its scalar."""
    columns: dict[str, list[Step]] = {}
    for kind in ("categorical", "scalar"):
        for at, block in enumerate(layout.of_kind(kind)):
            step = Step(block.column, kind, at, block.size, block.places)
            columns.setdefault(block.column, []).append(step)
    table = [columns[name] for name in dict.fromkeys(block.column for block in layout.blocks)]
    return tuple(step for column in sorted(table, key=_rank) for step in column)


def _rank(column: list[Step]) -> tuple[bool, int]:
    density = column[-1].kind == "scalar"
    return density, 0 if density else sum(step.size for step in column)
