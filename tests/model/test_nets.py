"""RowEmbedding is the linear map of the one-hot view."""

from __future__ import annotations

import numpy as np
import torch

from synthvae.layout import Block, Encoded, Layout
from synthvae.model.nets import Mlp, RowEmbedding, RowEncoder
from synthvae.model.values import Rows

LAYOUT = Layout(
    (
        Block("a", "a", "categorical", 3),
        Block("b", "b", "categorical", 4),
        Block("x", "x", "scalar", 1),
    )
)


def rows(n: int = 8) -> Encoded:
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(-1, 3, n), rng.integers(-1, 4, n)], 1).astype(np.int32)
    scalars = rng.normal(size=(n, 1)).astype(np.float32)
    scalars[0] = np.nan
    return Encoded(codes, scalars)


def test_equals_the_one_hot_product() -> None:
    encoded = rows()
    layer = RowEmbedding(LAYOUT, 5)
    weight = torch.cat([layer.weight, layer.scalars.weight.T])
    expected = torch.from_numpy(LAYOUT.one_hot(encoded)) @ weight + layer.scalars.bias
    assert torch.allclose(layer(Rows.of(encoded)), expected, atol=1e-6)


def test_works_without_categories_and_without_scalars() -> None:
    encoded = rows()
    for kind in ("categorical", "scalar"):
        layout = Layout(LAYOUT.of_kind(kind))
        width = len(layout.sizes)
        part = Rows(
            torch.from_numpy(encoded.codes[:, :width]),
            torch.from_numpy(encoded.scalars[:, : layout.n_scalars]),
        )
        assert RowEmbedding(layout, 6)(part).shape == (8, 6)


def test_layers_announce_their_width() -> None:
    assert Mlp(4, (7, 9)).out_features == 9
    assert Mlp(4, ()).out_features == 4
    encoder = RowEncoder(LAYOUT, (6, 3))
    assert encoder(Rows.of(rows())).shape == (8, encoder.out_features)
