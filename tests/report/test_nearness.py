"""Distances to training rows, as pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthvae.report.cells import Overlay
from synthvae.report.nearness import nearness


def table(seed: int, rows: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    kind = rng.choice(["a", "b", None], rows).astype(object)
    return pd.DataFrame({"x": x[:, 0], "y": x[:, 1], "z": x[:, 2], "kind": kind})


def share_of_least(found: Overlay | None, role: str) -> float:
    assert found is not None
    first = found.bars[0] if found.bars else found.bins[0]
    return float(getattr(first, role))


def test_fresh_rows_lie_as_far_as_real_ones_and_copies_do_not() -> None:
    frames = {"real": table(0), "holdout": table(1), "synthetic": table(2)}
    fresh = nearness(frames, 0)["closest"]
    assert abs(share_of_least(fresh, "synthetic") - share_of_least(fresh, "real")) < 0.1
    copied = nearness(frames | {"synthetic": frames["real"]}, 0)
    assert share_of_least(copied["closest"], "synthetic") > 0.6
    assert share_of_least(copied["ratio"], "synthetic") > 0.6
    assert share_of_least(copied["ratio"], "holdout") < 0.3


def test_every_cell_holds_ten_real_rows_and_few_rows_are_not_drawn() -> None:
    frames = {"real": table(0), "holdout": table(1), "synthetic": table(2)}
    for found in nearness(frames, 0).values():
        assert found is not None
        assert all(cell.real * 225 >= 9.99 for cell in (*found.bars, *found.bins))
    few = {role: frame.head(12) for role, frame in frames.items()}
    assert nearness(few, 0) == {"closest": None, "ratio": None}
    assert nearness({role: frame.head(2) for role, frame in frames.items()}, 0)["ratio"] is None
