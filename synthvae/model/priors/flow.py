"""A normalizing flow, fitted to the aggregate posterior after training.

While the model is trained the prior is standard normal, as with a mixture (`priors/gmm.py`). A flow
has no components to count, and bends around what a few Gaussians can only tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synthvae.model.checks import positive
from synthvae.model.coupling import CouplingFlow
from synthvae.model.parts import Dims
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.values import Noise

_HELD_OUT = 0.1
_BATCH = 256
_STEPS = 1000
_RATE = 1e-2  # at first; it falls along a cosine, without which single draws end in deep holes
_LOOK = 50  # steps between two looks at the draws that are held out
_PATIENCE = 6  # looks


@dataclass(frozen=True)
class FlowSpec:
    """`layers`: couplings; `hidden`: width of their networks."""

    kind: Literal["flow"] = "flow"
    private: ClassVar[bool | str] = True
    layers: int = 8
    hidden: int = 64

    def __post_init__(self) -> None:
        positive(layers=self.layers, hidden=self.hidden)

    @property
    def speaks(self) -> str:
        return "points"

    def build(self, dims: Dims) -> FlowPrior:
        return FlowPrior(dims.latent, self.layers, self.hidden)


class FlowPrior(NormalPrior):
    """p(z) = the flow's preimage of N(0, I). Training leaves its weights alone."""

    def __init__(self, size: int, layers: int, hidden: int) -> None:
        super().__init__()
        self.flow = CouplingFlow(size, layers, hidden).requires_grad_(False)

    def log_density(self, z: Tensor) -> Tensor:
        return self.flow.log_density(z)

    def sample(self, noise: Noise) -> Tensor:
        return self.flow.inverse(noise.latent)

    def fit(self, z: Tensor, seed: int) -> None:
        """By gradient; a tenth of the draws decides which weights are kept. Cost: at most 1,000
        steps of 256 draws x layers x hidden^2."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(z), generator=generator)
        held_out, train = order.tensor_split([max(round(_HELD_OUT * len(z)), 1)])
        self.flow.start(z, generator)
        self.flow.requires_grad_(True)
        with torch.enable_grad():
            descend(self.flow, z[train] if len(train) else z, z[held_out], generator)
        self.flow.requires_grad_(False)


def descend(flow: CouplingFlow, train: Tensor, held_out: Tensor, rng: torch.Generator) -> None:
    """Lower the mean -log density of `train` [N, Z] for as long as that of `held_out` [M, Z] falls;
    the weights that were best there are kept."""
    optimizer = torch.optim.Adam(flow.parameters(), lr=_RATE, fused=True)
    best, kept, waited = _nats(flow, held_out), _copy(flow), 0
    for step in range(_STEPS):
        optimizer.param_groups[0]["lr"] = _RATE * (1 + math.cos(math.pi * step / _STEPS)) / 2
        batch = train[torch.randint(len(train), (_BATCH,), generator=rng)]
        optimizer.zero_grad()
        torch.autograd.backward(-flow.log_density(batch).mean())
        optimizer.step()
        if step % _LOOK < _LOOK - 1:
            continue
        nats = _nats(flow, held_out)
        waited += 1
        if nats < best:
            best, kept, waited = nats, _copy(flow), 0
        if waited >= _PATIENCE:
            break
    flow.load_state_dict(kept)


@torch.no_grad()
def _nats(flow: CouplingFlow, z: Tensor) -> float:
    return float(-flow.log_density(z).mean())


def _copy(flow: CouplingFlow) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in flow.state_dict().items()}
