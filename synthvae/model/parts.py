"""The small protocols that a model is composed of, and what a part must know to be built.

`values.py` has what passes between parts, and the legend of shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from synthvae.layout import Part
from synthvae.model.values import Dropout, Held, Noise, Posterior, Rows, Space

if TYPE_CHECKING:
    from synthvae.model.heads import Heads
    from synthvae.model.limits import Guidance, Limits, Survivors
    from synthvae.model.nets import RowEncoder


T_co = TypeVar("T_co", covariant=True)


class Spec(Protocol[T_co]):
    """A part in data: a frozen dataclass that knows how to build it."""

    @property
    def kind(self) -> str:
        """Its name in the table of parts."""
        ...

    @property
    def private(self) -> bool | str:
        """True, or the reason why it can't be trained with differential privacy."""
        ...

    def build(self, dims: Dims) -> T_co: ...


class LatentSpec(Spec["Latent"], Protocol):
    @property
    def space(self) -> Space:
        """What the latent speaks."""
        ...


class PriorSpec(Spec["Prior"], Protocol):
    @property
    def speaks(self) -> str:
        """The kind of the spaces that it fits."""
        ...


class Latent(Protocol):
    """h [B, H], standard normal noise [B, Z] -> q(z | x)."""

    space: Space

    def __call__(self, h: Tensor, noise: Tensor) -> Posterior: ...

    def embed(self, drawn: Tensor) -> Tensor:
        """What a prior draws, z [n, Z] or codes [n, S] -> z [n, Z]."""
        ...


@runtime_checkable
class Revivable(Protocol):
    """A latent with units that can fall out of use for good unless they are moved."""

    def revive(self, h: Tensor, generator: torch.Generator) -> None:
        """Between epochs: units that no row of h [N, H] uses are put to use."""
        ...


class Prior(Protocol):
    """p(z): its rate against a posterior, its density and its sampler, together so that they can't
    drift."""

    def rate(self, posterior: Posterior) -> Tensor:
        """[B, U] nats, while the model is trained."""
        ...

    def log_density(self, z: Tensor) -> Tensor:
        """[B, Z], or the codes [B, S] of a discrete latent -> [B] nats."""
        ...

    def sample(self, noise: Noise) -> Tensor:
        """z [n, Z], or codes [n, S]."""
        ...

    def fit(self, z: Tensor, seed: int) -> None:
        """Move to draws z [N, Z] (codes [N, S]) of the aggregate posterior, after the model is
        trained."""
        ...


@runtime_checkable
class Rejecting(Prior, Protocol):
    """A prior that takes one of several draws a row: `tries` of them, which `Noise` brings."""

    tries: int


@runtime_checkable
class Learnt(Prior, Protocol):
    """A prior with weights, which stand still while the model is trained: `fit` is where they start
    from, and stage two (`training.stage_two`) trains them."""

    def nats(self, drawn: Tensor, dropout: Dropout | None = None) -> Tensor:
        """[B, Z], or codes [B, S] -> [B, U] nats, which add up to minus the log-density."""
        ...


class Decoder(Protocol):
    """p(x | z, given): the heads' parameters when rows are scored, and whole rows when sampled."""

    def __call__(
        self, z: Tensor, rows: Rows, given: Rows, dropout: Dropout | None = None
    ) -> Tensor:
        """[B, O], of the modelled `rows`; a block's outputs never depend on itself."""
        ...

    def start_at(self, outputs: Tensor) -> None:
        """Begin with outputs [O] that depend on nothing."""
        ...

    def shift(self, outputs: Tensor) -> None:
        """Add outputs [O] to those of every row."""
        ...

    def sample(
        self, z: Tensor, given: Rows, noise: Noise, heads: Heads, held: Held | None = None
    ) -> Rows:
        """z [n, Z], given Rows [n] -> modelled Rows [n]; what is `held` stays, and blocks that
        are written after it follow from it."""
        ...

    def within(self, z: Tensor, given: Rows, noise: Noise, task: Guidance) -> Survivors:
        """z [n, Z], given Rows [n] -> modelled rows within the limits of `task`, of which gates let
        some through."""
        ...

    def gates(self, limits: Limits) -> int:
        """How often rows within `limits` come to a gate."""
        ...

    def steerable(self, limits: Limits) -> Tensor | None:
        """Which outputs [O] are those of classes that are drawn before it is known whether a row
        comes to lie within `limits`; None: there are none."""
        ...


@runtime_checkable
class Dropping(Protocol):
    """A decoder that is shown a part of what it sees of a row while it is trained."""

    def droppable(self, share: float) -> int:
        """How many features of a row a dropout of `share` would drop more of than its own does; 0
        if it has no dropout."""
        ...


@dataclass(frozen=True)
class Inference:
    """Encoder and latent, for a prior that is made of posteriors. It is no module: what it holds
    is trained and saved where it belongs."""

    encoder: RowEncoder
    latent: Latent

    def centre(self, embedded: Tensor) -> Posterior:
        """What the encoder's first layer makes of rows, [C, W] -> Posterior [C], z at its mean."""
        h = self.encoder.above(embedded)
        return self.latent(h, h.new_zeros(len(h), self.latent.space.size))


@dataclass(frozen=True)
class Dims:
    """What a part must know of its neighbours to be built; `inference` is there for priors."""

    whole: Part
    modelled: Part
    given: Part
    heads: Heads
    hidden: int = 0
    space: Space = field(default_factory=lambda: Space(0))
    inference: Inference | None = None

    @property
    def latent(self) -> int:
        return self.space.size


def trainable(module: nn.Module) -> int:
    """Number of parameters that a fit moves, those of a prior fitted afterwards too."""
    return sum(p.numel() for p in module.parameters())
