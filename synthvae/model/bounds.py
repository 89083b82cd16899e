"""What a row is worth to a model: lower bounds of log p(x) from k draws of z.

Both rise towards log p(x | given) in nats and are exact if q(z | x) is the true posterior; where
rows are compared, for anomalies or copies, the tighter one is the fairer (Burda et al. 2016).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synthvae.model.vae import Vae
from synthvae.model.values import Rows


def elbo(model: Vae, rows: Rows, noise: Tensor) -> Tensor:
    """The evidence lower bound, estimated by its mean over k draws (`Terms.elbo` is its negative):
    Rows [B], standard normal noise [B, k, Z] -> [B] nats. Cost: k decoder passes a row."""
    return log_weights(model, rows, noise).mean(dim=1)


def iwae(model: Vae, rows: Rows, noise: Tensor) -> Tensor:
    """The importance-weighted bound, log of the mean weight of k draws: Rows [B], standard normal
    noise [B, k, Z] -> [B] nats. In the mean it rises with k. Cost: k decoder passes a row."""
    weights = log_weights(model, rows, noise)
    return torch.logsumexp(weights, dim=1) - math.log(weights.shape[1])


def log_weights(model: Vae, rows: Rows, noise: Tensor) -> Tensor:
    """log p(x, z | given) - log q(z | x) of each draw: noise [B, k, Z] -> [B, k] nats."""
    return -model.draws(rows, noise).elbo.view(noise.shape[:2])
