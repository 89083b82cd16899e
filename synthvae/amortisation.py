"""How much better a row's point of the latent could be than the one that the encoder gives it.

An encoder gives rows that it was trained on points that hardly can be better, and others points
that can (the amortisation gap of Cremer, Li & Duvenaud 2018, arXiv 1801.03558): a sign of
membership that needs no other model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthvae.layout import Encoded
from synthvae.model.vae import Vae
from synthvae.model.values import Rows

STEPS, RATE = 10, 0.05
_DECAY = (0.9, 0.999)


def gap(model: Vae, rows: Rows) -> Tensor:
    """Nats [B] that STEPS of Adam (Kingma & Ba 2015) from the encoder's point take off rows [B],
    the point's own under the prior included. For a latent of points alone."""
    with torch.no_grad():
        z = model.encode(rows, torch.zeros(len(rows), model.space.size)).z
    first = second = torch.zeros_like(z)
    start = best = torch.empty(0)
    for step in range(STEPS + 1):
        z = z.detach().requires_grad_(True)
        nats = model.nats(z, rows).sum(dim=1) - model.prior.log_density(z)
        told = nats.detach()
        start, best = (told, told) if step == 0 else (start, torch.minimum(best, told))
        (slope,) = torch.autograd.grad(nats.sum(), z)
        first = _DECAY[0] * first + (1 - _DECAY[0]) * slope
        second = _DECAY[1] * second + (1 - _DECAY[1]) * slope**2
        ahead = first / (1 - _DECAY[0] ** (step + 1))
        spread = (second / (1 - _DECAY[1] ** (step + 1))).sqrt() + 1e-8
        z = z - RATE * ahead / spread
    return start - best


def picked(readings: Sequence[Encoded], which: NDArray[np.int64]) -> Rows:
    """Of each row [B] the reading `which` [B]."""
    at = which, np.arange(len(which))
    codes, scalars = (
        np.stack([getattr(each, part) for each in readings])[at] for part in ("codes", "scalars")
    )
    return Rows.of(Encoded(codes, scalars))
