"""The composition, on one page: encoder, latent, prior, decoder, heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from synthvae.layout import Layout
from synthvae.model.heads import Heads
from synthvae.model.limits import Guidance, Survivors
from synthvae.model.nets import RowEncoder
from synthvae.model.parts import Decoder, Dropping, Latent, Prior, Rejecting, Revivable
from synthvae.model.values import Dropout, Noise, Posterior, Rows, Terms


class Vae(nn.Module):
    """A variational autoencoder of encoded rows; its parts come from a ModelSpec (`spec.build`)."""

    def __init__(
        self,
        layout: Layout,
        encoder: RowEncoder,
        latent: Latent,
        prior: Prior,
        decoder: Decoder,
        heads: Heads,
    ) -> None:
        super().__init__()
        self.modelled, self.given = layout.part(given=False), layout.part(given=True)
        self.encoder, self.latent, self.prior = encoder, latent, prior
        self.decoder, self.heads = decoder, heads
        self.space = latent.space

    def forward(self, rows: Rows, noise: Tensor, dropout: Dropout | None = None) -> Terms:
        """Rows [B] of the whole layout, standard normal noise [B, Z] -> Terms. `dropout`: what
        dropout is drawn from; None: there is none. Of noise [B, k, Z], k draws a row: `draws`."""
        if noise.dim() == 3:
            return self.draws(rows, noise, dropout)
        return self.scored(rows, noise, dropout)[0]

    def scored(
        self, rows: Rows, noise: Tensor, dropout: Dropout | None = None
    ) -> tuple[Terms, Tensor]:
        """Of noise [B, Z], with the outputs [B, O] that the rows were scored by."""
        posterior = self.encode(rows, noise)  # z [B, Z]
        outputs = self.outputs(posterior.z, rows, dropout)  # [B, O]
        nats = self.heads.nats(outputs, rows.part(self.modelled))  # [B, K]
        rate = self.prior.rate(posterior)  # [B, U]
        return Terms(nats, rate, posterior.penalty), outputs

    def draws(self, rows: Rows, noise: Tensor, dropout: Dropout | None = None) -> Terms:
        """Noise [B, k, Z] -> Terms [B * k], the draws of a row one after the other. The rate is
        that of the draw, log q(z | x) - log p(z), [B * k, 1]: what importance weights are of."""
        each = torch.arange(len(rows), device=noise.device).repeat_interleave(noise.shape[1])
        posterior = self.latent(self.encoder(rows)[each], noise.flatten(0, 1))
        nats = self.nats(posterior.z, rows.at(each), dropout)
        rate = posterior.log_density().sum(dim=1) - self.prior.log_density(posterior.drawn)
        return Terms(nats, rate[:, None], posterior.penalty)

    def nats(self, z: Tensor, rows: Rows, dropout: Dropout | None = None) -> Tensor:
        """-log p(x | z, given) of the modelled blocks: z [B, Z], whole Rows [B] -> [B, K]."""
        return self.heads.nats(self.outputs(z, rows, dropout), rows.part(self.modelled))

    def outputs(self, z: Tensor, rows: Rows, dropout: Dropout | None = None) -> Tensor:
        """What the decoder makes of z [B, Z] for whole Rows [B]: [B, O]."""
        outputs: Tensor = self.decoder(z, rows.part(self.modelled), rows.part(self.given), dropout)
        return outputs

    def encode(self, rows: Rows, noise: Tensor) -> Posterior:
        """q(z | x) of rows [B]."""
        posterior: Posterior = self.latent(self.encoder(rows), noise)
        return posterior

    def droppable(self, share: float) -> int:
        """How many features of a row a dropout of `share` would drop more of."""
        return self.decoder.droppable(share) if isinstance(self.decoder, Dropping) else 0

    @torch.no_grad()
    def revive(self, rows: Rows, generator: torch.Generator) -> None:
        """Between epochs: what no row of `rows` [N] uses is put to use, where the latent can."""
        if isinstance(self.latent, Revivable):
            self.latent.revive(self.encoder(rows), generator)

    def noise(
        self, rng: np.random.Generator, rows: int, draw: Callable[..., Noise] = Noise.draw
    ) -> Noise:
        """All randomness that it takes to sample `rows` rows, independent ones unless `draw` is
        `Noise.evenly`."""
        tries = self.prior.tries if isinstance(self.prior, Rejecting) else 1
        blocks, scalars = len(self.modelled.codes), len(self.modelled.scalars)
        return draw(rng, rows, self.space, blocks, scalars, tries)

    def decode(self, z: Tensor, given: Rows, noise: Noise) -> Rows:
        """z [n, Z], given Rows [n] -> whole Rows [n], drawn from p(x | z, given)."""
        return self.whole(self.decoder.sample(z, given, noise, self.heads), given)

    def sample(self, given: Rows, noise: Noise) -> Rows:
        """given Rows [n] -> whole Rows [n], drawn from p(z) p(x | z, given)."""
        return self.decode(self.latent.embed(self.prior.sample(noise)), given, noise)

    def within(self, given: Rows, noise: Noise, task: Guidance) -> Survivors:
        """given Rows [n] -> whole rows within the limits of `task`, those of n that its gates let
        through."""
        z = self.latent.embed(self.prior.sample(noise))
        drawn = self.decoder.within(z, given, noise, task)
        return replace(drawn, rows=self.whole(drawn.rows, given.at(drawn.index)))

    def whole(self, drawn: Rows, given: Rows) -> Rows:
        """Modelled Rows [n] and given Rows [n] -> Rows [n] of the whole layout."""
        if not self.given.layout.blocks:
            return drawn
        codes = torch.cat([drawn.codes, given.codes], dim=1)
        scalars = torch.cat([drawn.scalars, given.scalars], dim=1)
        by_code = torch.tensor(self.modelled.codes + self.given.codes).argsort()
        by_scalar = torch.tensor(self.modelled.scalars + self.given.scalars).argsort()
        return Rows(codes[:, by_code], scalars[:, by_scalar])
