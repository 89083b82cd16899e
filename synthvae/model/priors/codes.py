"""An autoregressive prior over the codes of a discrete latent.

While the model is trained the prior is uniform: every code costs as much, and what the codes are
used for is the decoder's business alone. Afterwards, in stage two, a network learns how the codes
of the rows are distributed, each slot given those before it (van den Oord et al. 2017). It is the
autoregressive decoder, on a row whose blocks are the slots and with nothing to decode from.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from synthvae.layout import Block, Layout
from synthvae.model.decoders.autoregressive import AutoregressiveDecoder, AutoregressiveSpec
from synthvae.model.heads import Heads
from synthvae.model.parts import Dims
from synthvae.model.scalars import MixtureSpec
from synthvae.model.values import Dropout, Noise, Posterior, Rows, Space

_CHUNK = 4096  # rows whose logits [rows, S * C] are held at once


@dataclass(frozen=True)
class CodesSpec:
    """`units`: hidden units a slot; `embedding`: dimensions of an earlier slot's code; `layers`:
    residual layers; `dropout` of what is seen of earlier slots."""

    kind: Literal["autoregressive"] = "autoregressive"
    private: ClassVar[bool | str] = True
    units: int = 32
    embedding: int = 16
    layers: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        self._network()

    @property
    def speaks(self) -> str:
        return "codes"

    def build(self, dims: Dims) -> CodesPrior:
        return CodesPrior(dims.space, self._network())

    def _network(self) -> AutoregressiveSpec:
        return AutoregressiveSpec(
            units=self.units, embedding=self.embedding, layers=self.layers, dropout=self.dropout
        )


class CodesPrior(nn.Module):
    """p(codes [B, S]), uniform until it is fitted."""

    fitted: Tensor

    def __init__(self, space: Space, spec: AutoregressiveSpec) -> None:
        super().__init__()
        self.space = space
        names = [f"slot {i}" for i in range(space.slots)]
        layout = Layout(tuple(Block(n, n, "categorical", space.classes) for n in names))
        slots, nothing = layout.part(given=False), layout.part(given=True)
        self.heads = Heads(layout, MixtureSpec().build(0))
        self.decoder = AutoregressiveDecoder(Dims(slots, slots, nothing, self.heads), spec)
        # Outputs begin as their biases alone: uniform, and after `fit` each slot's own shares.
        for weight in self.decoder.out.weights:
            nn.init.zeros_(weight)
        self.register_buffer("fitted", torch.tensor(False))

    def rate(self, posterior: Posterior) -> Tensor:
        """[B, S] nats: log C until the prior is fitted."""
        assert posterior.codes is not None
        if not self.fitted:
            return posterior.z.new_full(posterior.codes.shape, math.log(self.space.classes))
        return self.nats(posterior.codes)

    def nats(self, drawn: Tensor, dropout: Dropout | None = None) -> Tensor:
        """Codes [B, S] -> nats [B, S], each slot's given those before it."""
        rows = _rows(drawn)
        return self.heads.nats(self.decoder(rows.scalars, rows, rows, dropout), rows)

    def log_density(self, z: Tensor) -> Tensor:
        return torch.cat([-self.nats(part).sum(dim=1) for part in torch.split(z, _CHUNK)])

    def sample(self, noise: Noise) -> Tensor:
        """Codes [n, S], of the uniforms `noise.choice` [n, 1 + S] but the first."""
        uniform = noise.choice[:, 1:]
        nothing = _rows(uniform[:, :0])
        own = dataclasses.replace(noise, uniform=uniform)
        return self.decoder.sample(nothing.scalars, nothing, own, self.heads).codes

    @torch.no_grad()
    def fit(self, z: Tensor, seed: int) -> None:
        """Begin with the slots independent, each code as likely as it is in codes [N, S]; stage two
        goes on from there."""
        self.decoder.start_at(self.heads.marginal_outputs(_rows(z)))
        self.fitted.fill_(True)


def _rows(codes: Tensor) -> Rows:
    return Rows(codes, torch.empty(len(codes), 0))
