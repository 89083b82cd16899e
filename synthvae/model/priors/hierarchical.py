"""A prior in levels: p(z_1) p(z_2 | z_1) and so on, each level below the top a Gaussian whose
parameters are a network's, learnt with the model (Sønderby et al. 2016).

Less that Gaussian's mean and over its deviation, every level is standard normal under the prior
that the model is trained with. After training a mixture is fitted to what the aggregate posterior
makes of these standard forms, all levels together: it describes what the Gaussians left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from synthvae.model.checks import positive
from synthvae.model.nets import GaussianNet
from synthvae.model.parts import Dims
from synthvae.model.priors.gmm import GmmPrior
from synthvae.model.values import Noise, Posterior, Space


@dataclass(frozen=True)
class HierarchicalPriorSpec:
    """`components`: Gaussians of the mixture; `hidden`: width of each lower level's layer."""

    kind: Literal["hierarchical"] = "hierarchical"
    private: ClassVar[bool | str] = True
    components: int = 32
    hidden: int = 128

    def __post_init__(self) -> None:
        positive(components=self.components, hidden=self.hidden)

    @property
    def speaks(self) -> str:
        return "levels"

    def build(self, dims: Dims) -> HierarchicalPrior:
        return HierarchicalPrior(self.components, self.hidden, dims.space)


class HierarchicalPrior(nn.Module):
    """p(z) over z [B, Z], the levels side by side, the top one first. `base`: of the standard
    forms."""

    def __init__(self, components: int, hidden: int, space: Space) -> None:
        super().__init__()
        self.space = space
        self.base = GmmPrior(components, space.size)
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
        standard = (posterior.mean - mean) * torch.exp(-0.5 * log_var)
        return self.base.rate(Posterior(posterior.z, standard, posterior.log_var - log_var))

    def log_density(self, z: Tensor) -> Tensor:
        standard, log_var = self._standard(z)
        return self.base.log_density(standard) - 0.5 * log_var.sum(dim=1)

    def sample(self, noise: Noise) -> Tensor:
        top, *below = self.space.by_level(self.base.sample(noise))
        z = top
        for net, standard in zip(self._nets(), below, strict=True):
            mean, log_var = net(z)
            z = torch.cat([z, mean + torch.exp(0.5 * log_var) * standard], dim=1)
        return z

    @torch.no_grad()
    def fit(self, z: Tensor, seed: int) -> None:
        """The mixture; the networks stay as they were learnt."""
        self.base.fit(self._standard(z)[0], seed)

    def _standard(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """z's standard forms, and the log-variances that they were divided by, both [B, Z]."""
        mean, log_var = self._given_above(z)
        return (z - mean) * torch.exp(-0.5 * log_var), log_var

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
