"""A diagonal Gaussian posterior in levels, from the top down: q(z_1 | x) q(z_2 | z_1, x) and so on.

Every level sees the encoder's h and what was drawn above it, as in a ladder (Sønderby et al.
2016). There the prior's parameters are merged into the posterior's; here both have networks of
their own, and where they differ shows in the rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.model.checks import positive, positive_widths
from synthvae.model.nets import GaussianNet
from synthvae.model.parts import Dims
from synthvae.model.values import Posterior, Space


@dataclass(frozen=True)
class HierarchicalSpec:
    """`levels`: units of each level, the top one first; `hidden`: width of each level's layer."""

    kind: Literal["hierarchical"] = "hierarchical"
    private: ClassVar[bool | str] = True
    levels: tuple[int, ...] = (4, 8)
    hidden: int = 128

    def __post_init__(self) -> None:
        positive_widths(levels=self.levels)
        positive(hidden=self.hidden)
        if len(self.levels) < 2:
            raise ValueError(
                f"levels lists the units of two levels or more, but it is {list(self.levels)}; "
                "add a level, or use latent: {kind: gaussian}"
            )

    @property
    def space(self) -> Space:
        return Space(sum(self.levels), levels=self.levels)

    def build(self, dims: Dims) -> HierarchicalLatent:
        return HierarchicalLatent(dims.hidden, self.hidden, self.space)


class HierarchicalLatent(nn.Module):
    """h [B, H], standard normal noise [B, Z] -> Posterior, the levels side by side: `mean` and
    `log_var` of a level are given the levels above as drawn."""

    def __init__(self, features: int, hidden: int, space: Space) -> None:
        super().__init__()
        self.space = space
        self.nets = nn.ModuleList(
            GaussianNet(features + above, hidden, size)
            for above, size in zip(space.above, space.levels, strict=True)
        )

    def forward(self, h: Tensor, noise: Tensor) -> Posterior:
        drawn: list[Tensor] = []
        means, log_vars = [], []
        for net, own in zip(self.nets, self.space.by_level(noise), strict=True):
            mean, log_var = net(torch.cat([h, *drawn], dim=1))
            drawn.append(mean + torch.exp(0.5 * log_var) * own)
            means.append(mean)
            log_vars.append(log_var)
        return Posterior(*(torch.cat(parts, dim=1) for parts in (drawn, means, log_vars)))

    def embed(self, drawn: Tensor) -> Tensor:
        return drawn
