"""How far rows are from the nearest training rows: pictures, and no test of privacy.

Tables pass what is usually asked of such distances although attacks on membership tear them open
(Yao et al. 2025), so nothing is judged by them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthvae.audit.neighbours import nearest
from synthvae.audit.points import space_of
from synthvae.evaluation.stats import Floats, pick
from synthvae.report.cells import Overlay, overlay
from synthvae.seeds import stream

ROWS = 2_000  # of each table, whose neighbours are looked for
AMONG = 20_000  # training rows, none of them one of these
_SHARE = 4  # of a small table at most a fourth looks, the others are looked at

Frames = Mapping[str, pd.DataFrame]


def nearness(frames: Frames, seed: int) -> dict[str, Overlay | None]:
    """Of real, holdout and synthetic rows (`frames` by role, the same columns): the distance to the
    `closest` training row, and its `ratio` to the distance to the second. None where too few rows
    are there to be drawn. Takes seconds, however long the tables."""
    rng = stream(seed, "report", "nearness")
    real = frames["real"].iloc[rng.permutation(len(frames["real"]))[: ROWS + AMONG]]
    cut = min(ROWS, len(real) // _SHARE)
    if not cut:
        return {"closest": None, "ratio": None}
    space = space_of(frames["synthetic"], seed)
    among = space.points(real.iloc[cut:])
    looking = (
        real.iloc[:cut],
        *(pick(frames[role], cut, rng) for role in ("holdout", "synthetic")),
    )
    first, second, third = (nearest(space.points(rows), among, 2).distances for rows in looking)
    return {
        "closest": _drawn(first[:, 0], second[:, 0], third[:, 0]),
        "ratio": _drawn(_ratio(first), _ratio(second), _ratio(third)),
    }


def _drawn(real: Floats, holdout: Floats, synthetic: Floats) -> Overlay | None:
    return overlay(pd.Series(real), pd.Series(holdout), pd.Series(synthetic))


def _ratio(distances: Floats) -> Floats:
    """1 where the two nearest are equally near, copies too."""
    first, second = distances[:, 0], distances[:, -1]
    return np.divide(first, second, out=np.ones_like(first), where=second > 0)
