"""The composition, on one page: encoder, latent, prior, decoder, heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthvae.layout import Layout
from synthvae.model.heads import Heads
from synthvae.model.nets import RowEncoder
from synthvae.model.parts import Decoder, Latent, Noise, Posterior, Prior, Rows, Terms


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

    def forward(self, rows: Rows, noise: Tensor, dropout: torch.Generator | None = None) -> Terms:
        """Rows [B] of the whole layout, standard normal noise [B, Z] -> Terms. `dropout`: what
        dropout is drawn from; None: there is none."""
        posterior = self.encode(rows, noise)  # z [B, Z]
        modelled, given = rows.part(self.modelled), rows.part(self.given)
        outputs = self.decoder(posterior.z, modelled, given, dropout)  # [B, O]
        nats = self.heads.nats(outputs, modelled)  # [B, K]
        return Terms(nats, self.prior.rate(posterior), posterior.penalty)  # rate [B, U]

    def encode(self, rows: Rows, noise: Tensor) -> Posterior:
        """q(z | x) of rows [B]."""
        posterior: Posterior = self.latent(self.encoder(rows), noise)
        return posterior

    def decode(self, z: Tensor, given: Rows, noise: Noise) -> Rows:
        """z [n, Z], given Rows [n] -> whole Rows [n], drawn from p(x | z, given)."""
        return self.whole(self.decoder.sample(z, given, noise, self.heads), given)

    def sample(self, given: Rows, noise: Noise) -> Rows:
        """given Rows [n] -> whole Rows [n], drawn from p(z) p(x | z, given)."""
        return self.decode(self.latent.embed(self.prior.sample(noise)), given, noise)

    def whole(self, drawn: Rows, given: Rows) -> Rows:
        """Modelled Rows [n] and given Rows [n] -> Rows [n] of the whole layout."""
        if not self.given.layout.blocks:
            return drawn
        codes = torch.cat([drawn.codes, given.codes], dim=1)
        scalars = torch.cat([drawn.scalars, given.scalars], dim=1)
        by_code = torch.tensor(self.modelled.codes + self.given.codes).argsort()
        by_scalar = torch.tensor(self.modelled.scalars + self.given.scalars).argsort()
        return Rows(codes[:, by_code], scalars[:, by_scalar])
