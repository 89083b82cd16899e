"""What passes between the parts of a model.

Shape legend, used in every docstring and end-of-line comment:
`B` rows, `F` encoded width, `K` blocks, `H` hidden, `Z` latent, `S` slots of a discrete latent, `C`
codes a slot, `U` units that have a rate of their own, `O` decoder outputs. Losses are nats per row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthvae.layout import Encoded, Part
from synthvae.model.evenly import even

_ABOVE_0, _BELOW_1 = 2.0**-64, 1 - 2.0**-24  # of doubles, and of what floats can hold
_LOWEST = torch.iinfo(torch.int64).min


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

    def at(self, index: Tensor | slice) -> Rows:
        return Rows(self.codes[index], self.scalars[index])

    def to(self, device: torch.device) -> Rows:
        return Rows(self.codes.to(device), self.scalars.to(device))

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """One below the other."""
        return Rows(torch.cat([p.codes for p in parts]), torch.cat([p.scalars for p in parts]))

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
    `latent` [n, Z] normal and `choice` [n, 1 + S] uniform for the prior, `uniform` [n, categorical
    and then scalar blocks] and `normal` [n, scalar blocks] for the heads, `spare` [n, tries - 1, Z]
    normal for a prior that rejects."""

    latent: Tensor
    choice: Tensor
    uniform: Tensor
    normal: Tensor
    spare: Tensor

    def at(self, index: Tensor | slice) -> Noise:
        return Noise(*(part[index] for part in vars(self).values()))

    @staticmethod
    def draw(
        rng: np.random.Generator, rows: int, space: Space, blocks: int, scalars: int, tries: int = 1
    ) -> Noise:
        """Of rows that are independent."""
        return Noise(
            torch.from_numpy(rng.standard_normal((rows, space.size), np.float32)),
            torch.from_numpy(rng.random((rows, 1 + space.slots), np.float32)),
            torch.from_numpy(rng.random((rows, blocks + scalars), np.float32)),
            torch.from_numpy(rng.standard_normal((rows, scalars), np.float32)),
            torch.from_numpy(rng.standard_normal((rows, tries - 1, space.size), np.float32)),
        )

    @staticmethod
    def evenly(
        rng: np.random.Generator, rows: int, space: Space, blocks: int, scalars: int, tries: int = 1
    ) -> Noise:
        """Of rows of one table, over which all but `spare` lies evenly (`evenly.even`). Not for
        candidates, of which some are taken in order: what is left of a run would be biased."""
        normals, uniforms = space.size + scalars, 1 + space.slots + blocks + scalars
        drawn = torch.from_numpy(even(rng, rows, normals + uniforms))
        normal = torch.special.ndtri(drawn[:, :normals].clamp(min=_ABOVE_0)).float()
        uniform = drawn[:, normals:].float().clamp(max=_BELOW_1)
        spare = torch.from_numpy(rng.standard_normal((rows, tries - 1, space.size), np.float32))
        latent, normal = torch.split(normal, [space.size, scalars], dim=1)
        choice, uniform = torch.split(uniform, [1 + space.slots, blocks + scalars], dim=1)
        return Noise(latent, choice, uniform, normal, spare)


@dataclass(frozen=True)
class Held:
    """Values that sampling keeps: those of `rows` [n] where `codes` [n, categorical blocks] and
    `scalars` [n, scalar blocks] are true. `never` [O] (`Heads.never`): classes not to be drawn."""

    rows: Rows
    codes: Tensor
    scalars: Tensor
    never: Tensor

    def at(self, index: Tensor | slice) -> Held:
        return Held(self.rows.at(index), self.codes[index], self.scalars[index], self.never)

    def keep(self, drawn: Rows) -> Rows:
        """`drawn` [n], but held values as they are."""
        codes = torch.where(self.codes, self.rows.codes, drawn.codes)
        return Rows(codes, torch.where(self.scalars, self.rows.scalars, drawn.scalars))

    def keep_code(self, block: int, drawn: Tensor) -> Tensor:
        """The same for one categorical block, [n]."""
        return torch.where(self.codes[:, block], self.rows.codes[:, block].to(drawn.dtype), drawn)

    def keep_scalar(self, block: int, drawn: Tensor) -> Tensor:
        """The same for one scalar block, [n]."""
        return torch.where(self.scalars[:, block], self.rows.scalars[:, block], drawn)


@dataclass(frozen=True)
class Dropout:
    """What dropout is drawn from; parts that drop less than `share` by themselves drop so much."""

    generator: torch.Generator
    share: float = 0.0

    def of(self, features: Tensor, own: float) -> Tensor:
        """`features`, of which a share of `own` or more is 0 and the rest larger by that."""
        share = max(own, self.share)
        if not share:
            return features
        # Four 16-bit numbers of each draw: drawing costs more than all that is done with them.
        size = -(-features.numel() // 4)
        draws = torch.empty(size, dtype=torch.int64, device=features.device)
        draws.random_(_LOWEST, None, generator=self.generator)
        draw = draws.view(torch.int16)[: features.numel()].view(features.shape)
        kept = draw >= round((share - 0.5) * 2**16)
        return features * kept.to(features.dtype).div_(1 - share)


def in_chunks(
    draw: Callable[[Tensor, Rows, Noise, Held | None], Rows],
    size: int,
    z: Tensor,
    given: Rows,
    noise: Noise,
    held: Held | None,
) -> Rows:
    """`draw` of z [n, Z] and what goes with it, `size` rows at once: few enough for the cache."""
    cuts = [slice(start, start + size) for start in range(0, len(z), size)]
    return Rows.joined(
        [draw(z[at], given.at(at), noise.at(at), held and held.at(at)) for at in cuts]
    )


@dataclass(frozen=True)
class Space:
    """What a latent speaks and a prior must speak too: z [B, `size`], and if it is discrete, also
    `slots` codes a row, each one of `classes`. `levels`: units of each level, the top one first, if
    later levels are drawn given earlier ones."""

    size: int
    slots: int = 0
    classes: int = 0
    levels: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """`points`, `codes` or `levels`: what a prior must speak."""
        return "codes" if self.slots else "levels" if self.levels else "points"

    @property
    def above(self) -> tuple[int, ...]:
        """Of each level, the number of units in the levels above it."""
        return tuple(sum(self.levels[:level]) for level in range(len(self.levels)))

    def by_level(self, units: Tensor) -> tuple[Tensor, ...]:
        """[..., `size`] -> the part of each level."""
        return torch.split(units, list(self.levels), dim=-1)


@dataclass(frozen=True)
class Posterior:
    """q(z | x): a draw `z` [B, Z] and the parameters `mean`, `log_var` [B, Z] that it came from; of
    a discrete latent its codes [B, S] (`mean` is then z itself, `log_var` empty). `penalty` [B]:
    what the latent asks of the encoder beyond the rate, such as commitment."""

    z: Tensor
    mean: Tensor
    log_var: Tensor
    codes: Tensor | None = None
    penalty: Tensor | None = None

    @property
    def drawn(self) -> Tensor:
        """What a prior speaks of: z [B, Z], or codes [B, S]."""
        return self.z if self.codes is None else self.codes

    def log_density(self) -> Tensor:
        """log q(z | x) of each unit of the draw, [B, Z] nats; 0 [B, 1] for codes, which follow
        from the row."""
        if self.codes is not None:
            return self.z.new_zeros(len(self.z), 1)
        white = (self.z - self.mean) * torch.exp(-0.5 * self.log_var)
        return -0.5 * (white**2 + self.log_var + math.log(2 * math.pi))


@dataclass(frozen=True)
class Terms:
    """Of each row: `nats` [B, K] of the modelled blocks, `rate` [B, U] nats of the latent units,
    and a `penalty` [B] that is trained on but is no part of the bound."""

    nats: Tensor
    rate: Tensor
    penalty: Tensor | None = None

    @property
    def distortion(self) -> Tensor:
        """[B] nats."""
        return self.nats.sum(dim=1)

    @property
    def elbo(self) -> Tensor:
        """[B] nats, the negative evidence lower bound: what it costs to write the row down."""
        return self.distortion + self.rate.sum(dim=1)
