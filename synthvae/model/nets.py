"""Layers that several parts share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthvae.layout import Layout
from synthvae.model.values import Rows

LOG_VAR = (-12.0, 8.0)  # beyond these a draw is a constant, or training has left the rails


class RowEmbedding(nn.Module):
    """A linear map of the one-hot view of a row, without ever making it: the weight rows of the
    codes that are present are looked up and summed.

    Shape: Rows of `layout` -> [B, out_features].
    """

    offsets: Tensor

    def __init__(self, layout: Layout, out_features: int) -> None:
        super().__init__()
        self.out_features = out_features
        bound = 1 / math.sqrt(max(layout.width, 1))
        self.weight = nn.Parameter(torch.empty(sum(layout.sizes), out_features))
        nn.init.uniform_(self.weight, -bound, bound)
        # Its bias serves the whole map. A table without scalars has one that is always 0.
        self.scalars = nn.Linear(max(layout.n_scalars, 1), out_features)
        nn.init.uniform_(self.scalars.weight, -bound, bound)
        nn.init.uniform_(self.scalars.bias, -bound, bound)
        starts = torch.tensor([1, *layout.sizes[:-1]], dtype=torch.long).cumsum(0)
        self.register_buffer("offsets", starts[: len(layout.sizes)], persistent=False)

    def forward(self, rows: Rows) -> Tensor:
        out: Tensor = self.scalars(self.scalars_of(rows))
        if not rows.codes.shape[1]:
            return out
        # Row 0 stands for blocks that are not present: they add nothing. (`padding_idx` would say
        # so too, but leaves torch's fast path.)
        weight = nn.functional.pad(self.weight, (0, 0, 1, 0))
        return out + nn.functional.embedding_bag(self.index_of(rows), weight, mode="sum")

    def index_of(self, rows: Rows) -> Tensor:
        """[B, class blocks]: 1 + where each code stands among all classes; 0: not present."""
        return torch.where(rows.codes < 0, 0, rows.codes + self.offsets)

    def scalars_of(self, rows: Rows) -> Tensor:
        """[B, scalars]: 0 where not present, and where the table has none."""
        scalars = torch.nan_to_num(rows.scalars)
        return scalars if scalars.shape[1] else scalars.new_zeros(len(rows), 1)


class Mlp(nn.Sequential):
    """Linear layers, each followed by a ReLU. Shape: [B, in_features] -> [B, out_features]."""

    def __init__(self, in_features: int, widths: Sequence[int]) -> None:
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Linear(in_features, width), nn.ReLU()]
            in_features = width
        super().__init__(*layers)
        self.out_features = in_features


class GaussianNet(nn.Module):
    """One hidden layer to a diagonal Gaussian. Shape: [B, in_features] -> mean, log-variance, both
    [B, out_features]."""

    def __init__(self, in_features: int, hidden: int, out_features: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.inner = nn.Linear(in_features, hidden)
        self.out = nn.Linear(hidden, 2 * out_features)

    def start_standard(self) -> None:
        """Begin with a standard normal, whatever the input."""
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = self.out(nn.functional.silu(self.inner(x))).chunk(2, dim=1)
        return mean, log_var.clamp(*LOG_VAR)


class RowEncoder(nn.Module):
    """Rows -> h [B, H]."""

    def __init__(self, layout: Layout, widths: Sequence[int]) -> None:
        super().__init__()
        self.embedding = RowEmbedding(layout, widths[0])
        self.trunk = Mlp(widths[0], widths[1:])
        self.out_features = self.trunk.out_features

    def forward(self, rows: Rows) -> Tensor:
        return self.above(self.embedding(rows))

    def above(self, embedded: Tensor) -> Tensor:
        """What the first layer makes of rows, [B, W] -> h [B, H]."""
        h: Tensor = self.trunk(torch.relu(embedded))
        return h
