"""After training: the prior moves to the aggregate posterior, and what the latent is worth is
measured."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from synthvae.model.parts import Rows
from synthvae.model.priors.gmm import GmmPrior
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.vae import Vae

ROWS = 20_000
ACTIVE = 0.01  # variance of a unit's posterior mean over rows (Burda et al. 2016)
COLLAPSED = 0.1  # nats a row
_COMPONENTS = 8
_WIDE = 32  # more units than that are described by a single Gaussian
_BATCH = 4096


@torch.no_grad()
def settle(model: Vae, rows: Rows, seed: int) -> dict[str, float]:
    """Fit the prior to draws of the aggregate posterior of `rows` [N], and measure.

    `rate`: nats a row; `units`, and how many are `active`; `gap` and `normal_gap`: by how many nats
    the prior, and a standard normal one, describe the draws of one half of the rows worse than a
    mixture fitted to the other half does (the prior, if it is fitted, to that half as well; it is
    fitted to all afterwards). Cost: at most 20,000 rows are looked at.
    """
    generator = torch.Generator().manual_seed(seed)
    z, means, rate = _posterior(model, rows, generator)
    half = max(len(z) // 2, 1)
    model.prior.fit(z[:half], seed)
    gaps = _gaps(model, z[:half], z[half:] if len(z) > 1 else z, seed)
    model.prior.fit(z, seed)
    return {
        "rate": float(rate),
        "units": float(z.shape[1]),
        "active": float((means.var(dim=0, unbiased=False) > ACTIVE).sum()),
        **gaps,
    }


def warnings(latent: Mapping[str, float]) -> list[str]:
    """What a user should know of the measurements of `settle`, and what to do about it."""
    if latent["active"] >= 1 and latent["rate"] >= COLLAPSED:
        return []
    return [
        f"a latent tells rows apart, but {latent['active']:.0f} of {latent['units']:.0f} units are "
        f"active, at {latent['rate']:.2f} nats a row (posterior collapse); raise "
        "model.objective.free_nats, or lower model.objective.beta"
    ]


def _posterior(model: Vae, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draws and means [n, Z] of the posteriors of random rows, and their mean rate."""
    chosen = torch.randperm(len(rows), generator=generator)[:ROWS]
    draws, means, rates = [], [], []
    for start in range(0, len(chosen), _BATCH):
        part = rows.at(chosen[start : start + _BATCH])
        posterior = model.encode(
            part, torch.randn(len(part), model.space.size, generator=generator)
        )
        draws.append(posterior.z)
        means.append(posterior.mean)
        rates.append(model.prior.rate(posterior).sum(dim=1))
    return torch.cat(draws), torch.cat(means), torch.cat(rates).mean()


def _gaps(model: Vae, seen: Tensor, fresh: Tensor, seed: int) -> dict[str, float]:
    """All on draws that nothing was fitted to."""
    components = _COMPONENTS if seen.shape[1] <= _WIDE else 1
    aggregate = GmmPrior(components, seen.shape[1])
    aggregate.fit(seen, seed)
    best = aggregate.log_density(fresh).mean()
    others = {"gap": model.prior, "normal_gap": NormalPrior()}
    return {name: float(best - p.log_density(fresh).mean()) for name, p in others.items()}
