"""Boosted trees, as every part of an evaluation and an audit grows them."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from synthvae.evaluation.stats import Floats

Model = TypeVar("Model")


def grown(model: Model, x: Floats, y: NDArray[Any]) -> Model:
    """`model` fitted to rows `x` [n, columns]. A column without any value says nothing, and
    scikit-learn takes none such."""
    trees: Any = model
    fitted: Model = trees.fit(np.where(np.isnan(x).all(axis=0), 0.0, x), y)
    return fitted
