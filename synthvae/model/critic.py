"""What a VAE-GAN adds (Larsen et al. 2016): a critic that tells real rows from drawn ones, and two
terms for the model, that it be believed and that a row's features survive the latent.

The critic learns by the logistic loss with a penalty on its gradient at real rows, which keeps the
game stable near its solution (Mescheder et al. 2018). It is no part of what is sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, softplus

from synthvae.layout import Layout
from synthvae.model.checks import not_negative, positive, positive_widths
from synthvae.model.nets import RowEmbedding
from synthvae.model.values import Rows

_SLOPE = 0.2


@dataclass(frozen=True)
class AdversarialSpec:
    """`hidden`: widths of the critic's layers. Weights beside the bound: `belief` of the critic's
    verdict on drawn rows, `features` of the mean squared distance between a row and its
    reconstruction in the critic's last layer. `penalty`: of the critic's gradient at real rows.
    `pace`: the critic's learning rate, in learning rates of the model."""

    kind: Literal["adversarial"] = "adversarial"
    private: ClassVar[bool | str] = (
        "lets a critic learn from raw rows, by gradients that are not clipped"
    )
    gpu: ClassVar[bool | str] = "draws the rows of its critic by the processor"
    hidden: tuple[int, ...] = (128, 128)
    belief: float = 1.0
    features: float = 0.1
    penalty: float = 1.0
    pace: float = 0.5

    def __post_init__(self) -> None:
        positive_widths(hidden=self.hidden)
        not_negative(belief=self.belief, features=self.features, penalty=self.penalty)
        positive(pace=self.pace)

    def build(self, width: int, given: Layout, seed: int) -> Critic:
        """A critic of views [B, `width`]; its first weights follow from `seed` alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Critic(width, given, self.hidden)


class Critic(nn.Module):
    """View [B, V], given Rows [B] -> features [B, H] and scores [B]; a high score: real."""

    def __init__(self, width: int, given: Layout, hidden: Sequence[int]) -> None:
        super().__init__()
        self.inner = nn.Linear(width, hidden[0])
        self.given = RowEmbedding(given, hidden[0]) if given.blocks else None
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(hidden))
        self.score = nn.Linear(hidden[-1], 1)

    def forward(self, view: Tensor, given: Rows) -> tuple[Tensor, Tensor]:
        h = self.inner(view)
        if self.given is not None:
            h = h + self.given(given)
        for layer in self.layers:
            h = layer(leaky_relu(h, _SLOPE))
        features = leaky_relu(h, _SLOPE)
        return features, self.score(features)[:, 0]


def told_apart(critic: Critic, real: Tensor, drawn: Tensor, given: Rows, penalty: float) -> Tensor:
    """[B]: the critic's own loss on views [B, V] of real and of drawn rows."""
    real = real.detach().requires_grad_()
    scores = critic(real, given)[1]
    (slope,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
    loss = softplus(-scores) + softplus(critic(drawn, given)[1])
    return loss + 0.5 * penalty * (slope**2).sum(dim=1)


def disbelief(critic: Critic, drawn: Tensor, given: Rows) -> Tensor:
    """[B]: how little the critic takes views [B, V] of drawn rows for real."""
    return softplus(-critic(drawn, given)[1])


def feature_distance(critic: Critic, real: Tensor, expected: Tensor, given: Rows) -> Tensor:
    """[B]: mean squared distance between views [B, V] in the critic's features."""
    with torch.no_grad():
        wanted = critic(real, given)[0]
    distance: Tensor = ((critic(expected, given)[0] - wanted) ** 2).mean(dim=1)
    return distance
