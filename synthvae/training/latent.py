"""After training: the prior moves to the aggregate posterior, and what the latent is worth is
measured."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from synthvae.model.parts import Rows
from synthvae.model.priors.gmm import GmmPrior
from synthvae.model.priors.normal import NormalPrior
from synthvae.model.vae import Vae
from synthvae.training.stage_two import fit_prior

ROWS = 20_000
ACTIVE = 0.01  # variance of a unit's posterior mean over rows (Burda et al. 2016)
IN_USE = 0.5  # fewer codes than that, and the latent is not what was asked for
_COMPONENTS = 8
_WIDE = 32  # more units than that are described by a single Gaussian
_BATCH = 4096


def settle(model: Vae, rows: Rows, seed: int, pool: ThreadPoolExecutor) -> dict[str, float]:
    """Fit the prior to draws of the aggregate posterior of `rows` [N], and measure.

    Of every latent the `rate`: nats a row. Of a continuous one `units`, and how many are `active`;
    `gap` and `normal_gap`: by how many nats the prior, and a standard normal one, describe the
    draws of one half of the rows worse than a mixture fitted to the other half does (the prior, if
    it is fitted, to that half as well; it is fitted to all afterwards). Cost: at most 20,000 rows
    are looked at.

    Of a discrete one `slots` and `codes` a slot, and, means over slots: `utilisation`, the share of
    codes in use (if there are fewer rows than codes, of as many), and `perplexity`, how many codes
    used equally often would be as hard to guess. `rate` is then that of rows held out from the
    prior.
    """
    if model.space.slots:
        return _settle_codes(model, rows, seed, pool)
    return _settle_continuous(model, rows, seed, pool)


def in_words(latent: Mapping[str, float]) -> list[str]:
    """What `settle` found, a line each; a warning with its remedy among them if there is need."""
    if "codes" not in latent:
        return [
            f"latent: {latent['active']:.0f} of {latent['units']:.0f} units active, "
            f"{latent['rate']:.1f} nats a row, prior {max(latent['gap'], 0):.2f} nats off the "
            "posterior"
        ]
    lines = [
        f"latent: {latent['slots']:.0f} slots of {latent['codes']:.0f} codes, "
        f"{latent['utilisation']:.0%} in use (perplexity {latent['perplexity']:.1f}), "
        f"{latent['rate']:.1f} nats a row"
    ]
    if latent["utilisation"] < IN_USE:
        lines.append(
            f"warning: a latent is to use most of its codes, but {latent['utilisation']:.0%} are "
            "in use; lower what model.latent offers: codes (vq), levels (fsq) or slots"
        )
    return lines


def _settle_continuous(
    model: Vae, rows: Rows, seed: int, pool: ThreadPoolExecutor
) -> dict[str, float]:
    generator = torch.Generator().manual_seed(seed)
    z, means, rate = _posterior(model, rows, generator)
    half = max(len(z) // 2, 1)
    fit_prior(model.prior, z[:half], seed, pool)
    gaps = _gaps(model, z[:half], z[half:] if len(z) > 1 else z, seed)
    fit_prior(model.prior, z, seed, pool)
    return {
        "rate": float(rate),
        "units": float(z.shape[1]),
        "active": float((means.var(dim=0, unbiased=False) > ACTIVE).sum()),
        **gaps,
    }


def _settle_codes(model: Vae, rows: Rows, seed: int, pool: ThreadPoolExecutor) -> dict[str, float]:
    codes, size = _codes(model, rows), model.space.classes
    return {
        "rate": fit_prior(model.prior, codes, seed, pool),
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


@torch.no_grad()
def _gaps(model: Vae, seen: Tensor, fresh: Tensor, seed: int) -> dict[str, float]:
    """All on draws that nothing was fitted to."""
    components = _COMPONENTS if seen.shape[1] <= _WIDE else 1
    aggregate = GmmPrior(components, seen.shape[1])
    aggregate.fit(seen, seed)
    best = aggregate.log_density(fresh).mean()
    others = {"gap": model.prior, "normal_gap": NormalPrior()}
    return {name: float(best - p.log_density(fresh).mean()) for name, p in others.items()}
