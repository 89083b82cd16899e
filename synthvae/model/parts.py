"""The small protocols that a model is composed of, and what passes between them.

Shape legend, used in every docstring and end-of-line comment:
`B` rows, `F` encoded width, `K` blocks, `H` hidden, `Z` latent, `U` units that have a rate of their
own, `O` decoder outputs. Losses are nats per row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from synthvae.layout import Encoded, Part


@dataclass(frozen=True)
class Rows:
    """Encoded rows as tensors: `codes` [B, categorical blocks] (-1: not present), `scalars`
    [B, scalar blocks] (NaN: not present)."""

    codes: Tensor
    scalars: Tensor

    @staticmethod
    def of(encoded: Encoded) -> Rows:
        return Rows(torch.from_numpy(encoded.codes), torch.from_numpy(encoded.scalars))

    def __len__(self) -> int:
        return len(self.codes)

    def at(self, index: Tensor) -> Rows:
        return Rows(self.codes[index], self.scalars[index])

    def part(self, part: Part) -> Rows:
        """Only the blocks of `part`."""
        if len(part.codes) == self.codes.shape[1] and len(part.scalars) == self.scalars.shape[1]:
            return self
        return Rows(self.codes[:, list(part.codes)], self.scalars[:, list(part.scalars)])

    def encoded(self) -> Encoded:
        codes = self.codes.to(torch.int32).numpy()
        return Encoded(codes, self.scalars.to(torch.float32).numpy())


@dataclass(frozen=True)
class Noise:
    """All randomness that sampling `n` rows takes, drawn beforehand so that no layer draws:
    `latent` [n, Z] normal, `uniform` [n, categorical blocks], `normal` [n, scalar blocks]."""

    latent: Tensor
    uniform: Tensor
    normal: Tensor

    @staticmethod
    def draw(rng: np.random.Generator, rows: int, latent: int, blocks: int, scalars: int) -> Noise:
        return Noise(
            torch.from_numpy(rng.standard_normal((rows, latent), np.float32)),
            torch.from_numpy(rng.random((rows, blocks), np.float32)),
            torch.from_numpy(rng.standard_normal((rows, scalars), np.float32)),
        )


@dataclass(frozen=True)
class Posterior:
    """q(z | x): a draw `z` [B, Z] and the parameters `mean`, `log_var` [B, Z] that it came from."""

    z: Tensor
    mean: Tensor
    log_var: Tensor


@dataclass(frozen=True)
class Terms:
    """Of each row: `nats` [B, K] of the modelled blocks, `rate` [B, U] nats of the latent units."""

    nats: Tensor
    rate: Tensor

    @property
    def distortion(self) -> Tensor:
        """[B] nats."""
        return self.nats.sum(dim=1)

    @property
    def elbo(self) -> Tensor:
        """[B] nats, the negative evidence lower bound: what it costs to write the row down."""
        return self.distortion + self.rate.sum(dim=1)


class Latent(Protocol):
    """h [B, H] -> q(z | x). `size` is Z."""

    size: int

    def __call__(self, h: Tensor, noise: Tensor) -> Posterior: ...


class Prior(Protocol):
    """p(z): its rate against a posterior and its sampler, together so that they can't drift."""

    def rate(self, posterior: Posterior) -> Tensor:
        """[B, U] nats."""
        ...

    def sample(self, noise: Tensor) -> Tensor:
        """Standard normal `noise` [n, Z] -> z [n, Z]."""
        ...


class Decoder(Protocol):
    """p(x | z, given): the heads' parameters when rows are scored, and whole rows when sampled."""

    def __call__(self, z: Tensor, given: Rows) -> Tensor:
        """[B, O]."""
        ...


@dataclass(frozen=True)
class Dims:
    """What a part must know of its neighbours to be built."""

    whole: Part
    modelled: Part
    given: Part
    outputs: int
    hidden: int = 0
    latent: int = 0


def trainable(module: nn.Module) -> int:
    """Number of parameters that training moves."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
