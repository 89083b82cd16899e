"""In which order an autoregressive decoder writes the blocks of a row: that of the layout, which
follows from how columns depend on each other (`codecs.dependence`).

Where nothing is known of that, columns of classes come first, those of few classes before those of
many; then columns with a density, in the order of the table.
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
    if layout.order:
        ordered = [columns[name] for name in layout.order if name in columns]
    else:
        table = [columns[name] for name in dict.fromkeys(b.column for b in layout.blocks)]
        ordered = sorted(table, key=_rank)
    return tuple(step for column in ordered for step in column)


def _rank(column: list[Step]) -> tuple[bool, int]:
    density = column[-1].kind == "scalar"
    return density, 0 if density else sum(step.size for step in column)
