"""A prior in levels: p(z_1) p(z_2 | z_1) ..., each level below the top a Gaussian whose parameters
are a network's, learnt with the model (Sønderby et al. 2016).

The top level is standard normal while the model is trained and a mixture fitted to its aggregate
posterior afterwards; the levels below it have learnt to follow theirs by then.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from synthvae.model.checks import positive
from synthvae.model.nets import GaussianNet
from synthvae.model.parts import Dims, Noise, Posterior, Space
from synthvae.model.priors.gmm import GmmPrior


@dataclass(frozen=True)
class HierarchicalPriorSpec:
    """`components` of the top level's mixture; `hidden`: width of each lower level's layer."""

    kind: Literal["hierarchical"] = "hierarchical"
    components: int = 32
    hidden: int = 128

    def __post_init__(self) -> None:
        positive(components=self.components, hidden=self.hidden)

    def build(self, dims: Dims) -> HierarchicalPrior:
        return HierarchicalPrior(self.components, self.hidden, dims.space)


class HierarchicalPrior(nn.Module):
    """p(z) over z [B, Z], the levels side by side, the top one first."""

    def __init__(self, components: int, hidden: int, space: Space) -> None:
        super().__init__()
        self.space = space
        self.top = GmmPrior(components, space.levels[0])
        self.nets = nn.ModuleList(
            GaussianNet(above, hidden, size)
            for above, size in zip(space.above[1:], space.levels[1:], strict=True)
        )
        for net in self._nets():
            net.start_standard()

    def rate(self, posterior: Posterior) -> Tensor:
        """Of each level the KL divergence of q(z_l | z_<l, x) from p(z_l | z_<l) in closed form,
        given the levels above as drawn: [B, Z] nats, whose mean over draws is KL(q || p)."""
        mean, log_var = self._given_above(posterior.z)
        off = (posterior.mean - mean) ** 2 * torch.exp(-log_var)
        ratio = posterior.log_var - log_var
        return 0.5 * (off + torch.expm1(ratio) - ratio)

    def log_density(self, z: Tensor) -> Tensor:
        top = self.space.levels[0]
        mean, log_var = (part[:, top:] for part in self._given_above(z))
        white = (z[:, top:] - mean) * torch.exp(-0.5 * log_var)
        below = -0.5 * (white**2 + log_var + math.log(2 * math.pi)).sum(dim=1)
        return self.top.log_density(z[:, :top]) + below

    def sample(self, noise: Noise) -> Tensor:
        top, *below = self.space.by_level(noise.latent)
        z = self.top.sample(dataclasses.replace(noise, latent=top))
        for net, own in zip(self._nets(), below, strict=True):
            mean, log_var = net(z)
            z = torch.cat([z, mean + torch.exp(0.5 * log_var) * own], dim=1)
        return z

    def fit(self, z: Tensor, seed: int) -> None:
        """The top level's mixture; the levels below stay as they were learnt."""
        self.top.fit(z[:, : self.space.levels[0]], seed)

    def _given_above(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance [B, Z] of each level, given the levels above it in `z`; those of
        the top level are a standard normal's."""
        nothing = torch.zeros_like(z[:, : self.space.levels[0]])
        means, log_vars = [nothing], [nothing]
        for net in self._nets():
            mean, log_var = net(z[:, : net.in_features])
            means.append(mean)
            log_vars.append(log_var)
        return torch.cat(means, dim=1), torch.cat(log_vars, dim=1)

    def _nets(self) -> Iterable[GaussianNet]:
        return cast("Iterable[GaussianNet]", self.nets)
