"""The composition, on one page: encoder, latent, prior, decoder, heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthvae.layout import Layout
from synthvae.model.decoders.parallel import ParallelDecoder
from synthvae.model.heads import Heads
from synthvae.model.latents.gaussian import GaussianLatent
from synthvae.model.nets import RowEncoder
from synthvae.model.parts import Noise, Posterior, Rows, Terms
from synthvae.model.priors.normal import NormalPrior


class Vae(nn.Module):
    """A variational autoencoder of encoded rows; its parts come from a ModelSpec (`spec.build`)."""

    def __init__(
        self,
        layout: Layout,
        encoder: RowEncoder,
        latent: GaussianLatent,
        prior: NormalPrior,
        decoder: ParallelDecoder,
        heads: Heads,
    ) -> None:
        super().__init__()
        self.modelled, self.given = layout.part(given=False), layout.part(given=True)
        self.encoder, self.latent, self.prior = encoder, latent, prior
        self.decoder, self.heads = decoder, heads
        self.latent_size = latent.size  # Z

    def forward(self, rows: Rows, noise: Tensor) -> Terms:
        """Rows [B] of the whole layout, standard normal noise [B, Z] -> Terms."""
        posterior = self.encode(rows, noise)  # z [B, Z]
        outputs = self.decoder(posterior.z, rows.part(self.given))  # [B, O]
        nats = self.heads.nats(outputs, rows.part(self.modelled))  # [B, K]
        return Terms(nats, self.prior.rate(posterior))  # rate [B, U]

    def encode(self, rows: Rows, noise: Tensor) -> Posterior:
        """q(z | x) of rows [B]."""
        posterior: Posterior = self.latent(self.encoder(rows), noise)
        return posterior

    def decode(self, z: Tensor, given: Rows, noise: Noise) -> Rows:
        """z [n, Z], given Rows [n] -> whole Rows [n], drawn from p(x | z, given)."""
        drawn = self.heads.sample(self.decoder(z, given), noise)
        return self._whole(drawn, given)

    def sample(self, given: Rows, noise: Noise) -> Rows:
        """given Rows [n] -> whole Rows [n], drawn from p(z) p(x | z, given)."""
        return self.decode(self.prior.sample(noise.latent), given, noise)

    def _whole(self, drawn: Rows, given: Rows) -> Rows:
        if not self.given.layout.blocks:
            return drawn
        codes = torch.cat([drawn.codes, given.codes], dim=1)
        scalars = torch.cat([drawn.scalars, given.scalars], dim=1)
        by_code = torch.tensor(self.modelled.codes + self.given.codes).argsort()
        by_scalar = torch.tensor(self.modelled.scalars + self.given.scalars).argsort()
        return Rows(codes[:, by_code], scalars[:, by_scalar])
