"""The amortisation gap: never negative, at the likeliest reading of a row, of points alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from synthvae import opening
from synthvae.amortisation import gap, picked
from synthvae.artifact import Artifact
from synthvae.layout import Encoded
from synthvae.membership_scores import Terms, read
from synthvae.table import from_frame

Fitted = Callable[[str], Artifact]


@pytest.mark.parametrize("preset", ["tvae", "arvae", "hvae", "vamp-vae", "cvae"])
def test_a_way_downwards_is_found(fitted: Fitted, frame: pd.DataFrame, preset: str) -> None:
    model, codec = opening.fitted(fitted(preset))
    rows = read(model, codec, from_frame(frame), 0).tensors
    found = gap(model, rows)
    assert found.shape == (len(frame),)
    assert found.min() >= 0
    assert found.mean() > 0
    assert all(weight.grad is None for weight in model.parameters())


def test_a_discrete_latent_has_none(fitted: Fitted, frame: pd.DataFrame) -> None:
    model, codec = opening.fitted(fitted("vq-vae"))
    assert Terms(model, codec).gaps((read(model, codec, from_frame(frame), 0),)) is None


def test_the_gap_is_that_of_the_likeliest_reading(fitted: Fitted, frame: pd.DataFrame) -> None:
    model, codec = opening.fitted(fitted("tvae"))
    readings = tuple(read(model, codec, from_frame(frame), seed) for seed in (0, 1))
    terms = Terms(model, codec)
    found = terms.gaps(readings)
    assert found is not None
    nats = np.stack([terms((one,)).sum(axis=1) for one in readings])
    alone = np.stack([gap(model, one.tensors).numpy() for one in readings])
    own = alone[nats.argmin(axis=0), np.arange(len(frame))]
    np.testing.assert_allclose(found, own, rtol=1e-3, atol=1e-3)


def test_of_several_readings_each_row_has_its_own() -> None:
    one = Encoded(np.array([[1], [2]], np.int32), np.array([[0.1], [0.2]], np.float32))
    two = Encoded(np.array([[3], [4]], np.int32), np.array([[0.3], [0.4]], np.float32))
    rows = picked([one, two], np.array([1, 0]))
    assert rows.codes.tolist() == [[3], [2]]
    assert torch.allclose(rows.scalars, torch.tensor([[0.3], [0.2]]))
