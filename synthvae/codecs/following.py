"""Which columns follow from one other: an hour from a time, a town from its code.

Goodman and Kruskal's lambda (1954): how many of the mistakes of guessing a column's commonest value
are spared by guessing the commonest beside the value of another column. What is commonest is
counted in one half of the rows and tried on the other, so that a running number tells nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthvae.table import Table

ROWS = (1_000, 20_000)  # of fewer, chance would make parts
_CELLS = 40_000_000  # pairs of columns times rows, at most

Codes = NDArray[np.int64]


def following(
    table: Table, names: Sequence[str], parts: Sequence[str], rng: np.random.Generator
) -> dict[str, tuple[str, ...]]:
    """Of each column in `names` the `parts` of fewer values that it tells: it spares half of their
    mistakes or more, and leaves half as many, as a share, as they leave of its own, or fewer. None
    in tables of fewer than 1,000 rows or more than 200 columns. Cost: pairs of columns times at
    most 20,000 rows, fewer in tables of more than 44 columns."""
    rows = min(len(table), ROWS[1], _CELLS // max(len(names) ** 2, 1))
    if rows < ROWS[0]:
        return dict.fromkeys(names, ())
    some = rng.choice(len(table), rows, replace=False)
    columns = {name: np.unique(table[name].codes[some], return_inverse=True)[1] for name in names}
    sizes = {name: int(codes.max(initial=0)) + 1 for name, codes in columns.items()}

    def left(b: str, a: str) -> float:
        return 1 - told(columns[a], columns[b])

    def follows(b: str, a: str) -> bool:
        return 1 < sizes[b] < sizes[a] and left(b, a) <= min(left(a, b), 1) / 2

    return {a: tuple(b for b in parts if follows(b, a)) for a in names}


def told(a: Codes, b: Codes) -> float:
    """Share of the mistakes in guessing `b` [n] that knowing `a` [n] spares: 1 if none is left, 0
    if there was none to spare, below 0 if it leads astray."""
    half = len(a) // 2
    kinds = int(b.max()) + 1
    joint, counts = np.unique(a[:half] * kinds + b[:half], return_counts=True)
    guess = np.full(int(a.max()) + 1, -1)
    by_count = np.argsort(counts, kind="stable")
    guess[joint[by_count] // kinds] = joint[by_count] % kinds
    alone = np.bincount(b[:half]).argmax()
    mistakes = np.count_nonzero(b[half:] != alone)
    left = np.count_nonzero(b[half:] != guess[a[half:]])
    return 1.0 - left / mistakes if mistakes else 0.0
