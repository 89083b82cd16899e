"""N(0, I) without the regions that no row's posterior reaches, by rejection.

While the model is trained the prior is standard normal. Afterwards a mixture tells how dense the
aggregate posterior is, and a draw is kept only where it is as dense as at nearly all draws of the
posteriors themselves. A row has a fixed number of tries, and the last is taken as it comes: so the
density is closed but for one number, the share of N(0, I) that is kept (Bauer & Mnih 2019, whose
acceptance is learnt and gradual).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synthvae.model.checks import positive, share
from synthvae.model.parts import Dims
from synthvae.model.priors.gmm import GmmPrior
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.values import Noise

_DRAWS = 1 << 19  # of N(0, I): the share that is kept is off by 0.4 % if it is a tenth
_BATCH = 4096


@dataclass(frozen=True)
class TrimmedSpec:
    """`cut`: share of the posteriors' draws that lie in regions where the prior rejects; `tries`:
    draws a row has; `components`: Gaussians of the mixture that tells the regions."""

    kind: Literal["trimmed"] = "trimmed"
    cut: float = 0.01
    tries: int = 8
    components: int = 32
    private: ClassVar[bool | str] = True

    def __post_init__(self) -> None:
        share(cut=self.cut)
        positive(tries=self.tries, components=self.components)

    @property
    def speaks(self) -> str:
        return "points"

    def build(self, dims: Dims) -> TrimmedPrior:
        return TrimmedPrior(self, dims.latent)


class TrimmedPrior(NormalPrior):
    """p(z) of the first of `tries` draws of N(0, I) where `map` is at least `floor` nats dense, or
    of the last draw. `kept`: the share of N(0, I) where it is. All is kept until it is fitted."""

    floor: Tensor
    kept: Tensor

    def __init__(self, spec: TrimmedSpec, size: int) -> None:
        super().__init__()
        self.cut, self.tries = spec.cut, spec.tries
        self.map = GmmPrior(spec.components, size)
        self.register_buffer("floor", torch.tensor(-torch.inf))
        self.register_buffer("kept", torch.tensor(1.0, dtype=torch.float64))

    def log_density(self, z: Tensor) -> Tensor:
        rejected = torch.log1p(-self.kept)  # of one draw
        inside = torch.log(-torch.expm1(self.tries * rejected) / self.kept)
        outside = (self.tries - 1) * rejected
        factor = torch.where(self._keeps(z), inside, outside)
        return super().log_density(z) + factor.to(z.dtype)

    def sample(self, noise: Noise) -> Tensor:
        tries = torch.cat([noise.latent[:, None], noise.spare], dim=1)  # [n, tries, Z]
        keeps = self._keeps(tries.flatten(0, 1)).view(tries.shape[:2])
        keeps[:, -1] = True
        first = keeps.int().argmax(dim=1)
        return tries[torch.arange(len(tries)), first]

    @torch.no_grad()
    def fit(self, z: Tensor, seed: int) -> None:
        """Cost: that of the mixture, and 524,288 draws scored by it."""
        self.map.fit(z, seed)
        self.floor.copy_(torch.quantile(self._dense(z), self.cut))
        generator = torch.Generator().manual_seed(seed)
        draws = torch.randn(_DRAWS, z.shape[1], generator=generator)
        # Neither 0 nor 1, so that every z has a density.
        self.kept.copy_((self._keeps(draws).double().sum() + 1) / (_DRAWS + 2))

    def _keeps(self, z: Tensor) -> Tensor:
        """[N, Z] -> whether a draw there is kept, [N]."""
        return self._dense(z) >= self.floor

    def _dense(self, z: Tensor) -> Tensor:
        return torch.cat([self.map.log_density(part) for part in torch.split(z, _BATCH)])
