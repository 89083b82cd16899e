"""After training: the prior moves to the aggregate posterior, and what the latent is worth is
measured."""

from __future__ import annotations

import torch
from torch import Tensor

from synthvae.model.compute import Team
from synthvae.model.parts import Learnt
from synthvae.model.priors.gmm import GmmPrior
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.vae import Vae
from synthvae.model.values import Rows, Space
from synthvae.training.findings import COLLAPSED
from synthvae.training.stage_two import fit_prior

ROWS = 20_000  # that are looked at to measure
DRAWS = (80_000, 400_000)  # that the prior is fitted to: several of each row of a small table...
_OFTEN = 10  # ... but not more than that
ACTIVE = 0.01  # variance of a unit's posterior mean over rows (Burda et al. 2016)
_COMPONENTS = 8
_WIDE = 32  # more units than that are described by a single Gaussian
_BATCH = 4096


def settle(model: Vae, rows: Rows, seed: int, team: Team) -> dict[str, float]:
    """Fit the prior to draws of the aggregate posterior of `rows` [N], and measure. Of all of them,
    up to 400,000: a prior that had seen few would hand on how these differ from the rest.

    Of every latent the `rate`: nats a row. Of a continuous one `units`, and how many are `active`;
    `gap` and `normal_gap`: by how many nats the prior, and a standard normal one, describe the
    draws of one half of the rows worse than a mixture fitted to the other half does (the prior, if
    it is fitted, to that half as well; it is fitted to all afterwards). A latent with levels also
    has `rate_level_1` (the top) and so on, and how many are `collapsed_levels`; a unit that only
    follows the levels above it is not active. Cost: at most 20,000 rows are looked at.

    Of a discrete one `slots` and `codes` a slot, and, means over slots: `utilisation`, the share of
    codes in use (if there are fewer rows than codes, of as many), and `perplexity`, how many codes
    used equally often would be as hard to guess. `rate` is then that of rows held out from the
    prior.
    """
    if model.space.slots:
        return _settle_codes(model, rows, seed, team)
    return _settle_continuous(model, rows, seed, team)


def _settle_continuous(model: Vae, rows: Rows, seed: int, team: Team) -> dict[str, float]:
    generator = torch.Generator().manual_seed(seed)
    z, means, rates = _posterior(model, rows, generator)
    half = max(len(z) // 2, 1)
    fit_prior(model.prior, z[:half], seed, team)
    gaps = _gaps(model, z[:half], z[half:] if len(z) > 1 else z, seed)
    fit_prior(model.prior, _draws(model, rows, generator), seed, team)
    return {
        "rate": float(rates.sum()),
        "units": float(z.shape[1]),
        "active": float((means.var(dim=0, unbiased=False) > ACTIVE).sum()),
        **_by_level(model.space, means, rates),
        **gaps,
    }


def _by_level(space: Space, means: Tensor, rates: Tensor) -> dict[str, float]:
    """Under a standard normal prior a unit's rate is at least half the variance of its mean, so
    asking for both changes nothing there; below the top, the mean may vary with the prior's."""
    if not space.levels:
        return {}
    active = (means.var(dim=0, unbiased=False) > ACTIVE) & (rates > ACTIVE / 2)
    nats = [float(part.sum()) for part in space.by_level(rates)]
    return {
        "active": float(active.sum()),
        **{f"rate_level_{level}": rate for level, rate in enumerate(nats, start=1)},
        "collapsed_levels": float(sum(rate < COLLAPSED for rate in nats)),
    }


def _settle_codes(model: Vae, rows: Rows, seed: int, team: Team) -> dict[str, float]:
    codes, size = _codes(model, rows), model.space.classes
    return {
        "rate": fit_prior(model.prior, codes, seed, team),
        "slots": float(model.space.slots),
        "codes": float(size),
        **_use(codes, size),
    }


@torch.no_grad()
def _codes(model: Vae, rows: Rows) -> Tensor:
    """[N, S]: of a discrete latent nothing is drawn."""
    found = []
    for index in torch.split(torch.arange(len(rows)), _BATCH):
        posterior = model.encode(rows.at(index), torch.empty(len(index), 0))
        assert posterior.codes is not None
        found.append(posterior.codes)
    return torch.cat(found)


def _use(codes: Tensor, size: int) -> dict[str, float]:
    """How the codes [N, S] of `size` a slot are used."""
    rows, slots = codes.shape
    counts = torch.bincount((codes + torch.arange(slots) * size).flatten(), minlength=slots * size)
    counts = counts.view(slots, size)
    entropy = torch.special.entr(counts.double() / rows).sum(dim=1)
    used = (counts > 0).sum(dim=1) / min(size, rows)
    return {"perplexity": float(entropy.exp().mean()), "utilisation": float(used.mean())}


@torch.no_grad()
def _posterior(model: Vae, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draws and means [n, Z] of the posteriors of random rows, and their mean rates [U]."""
    chosen = torch.randperm(len(rows), generator=generator)[:ROWS]
    draws, means, rates = [], [], []
    for start in range(0, len(chosen), _BATCH):
        part = rows.at(chosen[start : start + _BATCH])
        posterior = model.encode(
            part, torch.randn(len(part), model.space.size, generator=generator)
        )
        draws.append(posterior.z)
        means.append(posterior.mean)
        rates.append(model.prior.rate(posterior))
    return torch.cat(draws), torch.cat(means), torch.cat(rates).mean(dim=0)


@torch.no_grad()
def _draws(model: Vae, rows: Rows, generator: torch.Generator) -> Tensor:
    """Draws [n, Z] of the posteriors of all rows, or of random ones of very many. Several of a row
    only if none is held out from the prior: the others would stand in for it."""
    fewest, most = DRAWS
    times = 1 if isinstance(model.prior, Learnt) else min(max(fewest // len(rows), 1), _OFTEN)
    chosen = torch.randperm(len(rows), generator=generator)[:most].repeat(times)
    found = []
    for index in torch.split(chosen, _BATCH):
        noise = torch.randn(len(index), model.space.size, generator=generator)
        found.append(model.encode(rows.at(index), noise).z)
    return torch.cat(found)


@torch.no_grad()
def _gaps(model: Vae, seen: Tensor, fresh: Tensor, seed: int) -> dict[str, float]:
    """All on draws that nothing was fitted to."""
    components = _COMPONENTS if seen.shape[1] <= _WIDE else 1
    aggregate = GmmPrior(components, seen.shape[1])
    aggregate.fit(seen, seed)
    best = aggregate.log_density(fresh).mean()
    others = {"gap": model.prior, "normal_gap": NormalPrior()}
    return {name: float(best - p.log_density(fresh).mean()) for name, p in others.items()}
