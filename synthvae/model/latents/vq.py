"""Vector quantization: each slot is the nearest vector of a learnt codebook (van den Oord et al.
2017).

Every slot has a codebook of its own. Slots of a row are no places of one picture: nothing makes
what one of them says comparable to another, and books are small. The books are learnt by gradient,
not as a moving average of what is assigned to them: that would move buffers with raw rows, outside
the optimizer, from several threads at once.

A code that no row is nearest to gets no gradient and stays unused. Between epochs, therefore,
unused codes move to what the encoder makes of rows, those that are far from their code first
(k-means++, Arthur & Vassilvitskii 2007); before the first epoch that initialises the books. This
`revive` looks at raw rows: training with differential privacy has to go without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.model.checks import codes_a_slot, not_negative, positive
from synthvae.model.parts import Dims
from synthvae.model.values import Posterior, Space

_NEVER_ZERO = 1e-12  # so that as many rows can be drawn as there are


@dataclass(frozen=True)
class VqSpec:
    """`slots`: S codes a row, of `codes` C each; `width`: dimensions of a code; `commitment`: how
    hard the encoder is pulled to its codes, 1 being as hard as they are to what it says."""

    kind: Literal["vq"] = "vq"
    private: ClassVar[bool | str] = True
    slots: int = 8
    codes: int = 64
    width: int = 4
    commitment: float = 0.25

    def __post_init__(self) -> None:
        positive(slots=self.slots, width=self.width)
        not_negative(commitment=self.commitment)
        codes_a_slot(codes=self.codes)

    @property
    def space(self) -> Space:
        return Space(self.slots * self.width, self.slots, self.codes)

    def build(self, dims: Dims) -> VqLatent:
        return VqLatent(dims.hidden, self)


class VqLatent(nn.Module):
    """h [B, H] -> Posterior of one point; the noise is not used. Shapes: D dimensions a slot."""

    first: Tensor

    def __init__(self, hidden: int, spec: VqSpec) -> None:
        super().__init__()
        self.space, self.commitment = spec.space, spec.commitment
        self.project = nn.Linear(hidden, spec.space.size)
        self.books = nn.Embedding(spec.slots * spec.codes, spec.width)
        first = torch.arange(spec.slots) * spec.codes  # of each slot in `books`
        self.register_buffer("first", first, persistent=False)

    def forward(self, h: Tensor, noise: Tensor) -> Posterior:
        wanted = self._wanted(h)
        codes = self._nearest(wanted)
        found = self.books(codes + self.first)  # [B, S, D]
        # The code itself, with the gradient of what was wanted (straight through).
        z = (found.detach() + (wanted - wanted.detach())).flatten(1)
        penalty = _nats(found, wanted.detach()) + self.commitment * _nats(wanted, found.detach())
        return Posterior(z, z, z.new_empty(len(z), 0), codes, penalty.sum(dim=1))

    def embed(self, drawn: Tensor) -> Tensor:
        """Codes [n, S] -> z [n, Z]."""
        z: Tensor = self.books(drawn.long() + self.first)
        return z.flatten(1)

    @torch.no_grad()
    def revive(self, h: Tensor, generator: torch.Generator) -> None:
        """Codes that none of h [N, H] is nearest to move to where some of them are."""
        wanted = self._wanted(h)
        codes = self._nearest(wanted)
        far = _nats(wanted, self.books(codes + self.first)) + _NEVER_ZERO  # [N, S]
        for slot in range(self.space.slots):
            used = torch.bincount(codes[:, slot], minlength=self.space.classes)
            unused = torch.nonzero(used == 0)[: len(h), 0]
            if len(unused):
                likely = far[:, slot].cpu()  # where the generator is
                rows = torch.multinomial(likely, len(unused), generator=generator)
                self.books.weight[self.first[slot] + unused] = wanted[rows, slot]

    def _wanted(self, h: Tensor) -> Tensor:
        """[B, S, D]: what the encoder would say if there were a code for it."""
        wanted: Tensor = self.project(h)
        return wanted.view(len(h), self.space.slots, -1)

    @torch.no_grad()
    def _nearest(self, wanted: Tensor) -> Tensor:
        """[B, S, D] -> codes [B, S]."""
        books = self.books.weight.view(self.space.slots, self.space.classes, -1)
        likeness = wanted.transpose(0, 1) @ books.transpose(1, 2)  # [S, B, C]
        distance = (books**2).sum(dim=2)[:, None] - 2 * likeness
        return distance.argmin(dim=2).T


def _nats(one: Tensor, other: Tensor) -> Tensor:
    """Half the squared distance [B, S] of [B, S, D]: nats under a unit Gaussian, but for a
    constant."""
    return 0.5 * ((one - other) ** 2).sum(dim=2)
