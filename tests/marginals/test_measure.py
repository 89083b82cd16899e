"""Columns are grouped to as many cells as are wanted, about."""

import numpy as np
import pytest

from synthvae.marginals.measure import view
from synthvae.marginals.shares import OneWay


def flat(classes: int) -> OneWay:
    return OneWay(
        np.full(classes, 1 / classes), np.full(classes, 1e-6), np.zeros(classes, bool), True
    )


@pytest.mark.parametrize(
    ("classes", "cells", "found"),
    [
        ((100, 100), 64, (8, 8)),
        ((100, 100), 100, (8, 12)),
        ((2, 100), 64, (2, 32)),
        ((100, 1), 10, (8, 1)),
        ((3, 100, 100), 64, (3, 4, 4)),
        ((100, 3), 4, (2, 2)),
    ],
)
def test_columns_of_few_classes_leave_more_cells_to_others(
    classes: tuple[int, ...], cells: float, found: tuple[int, ...]
) -> None:
    columns = tuple(range(len(classes)))
    seen = view([flat(size) for size in classes], columns, cells)
    assert seen.columns == columns
    assert tuple(int(group.max()) + 1 for group in seen.groups) == found
    assert [len(group) for group in seen.groups] == list(classes)
