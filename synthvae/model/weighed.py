"""Rows of a decoder that draws all blocks at once, within limits: blocks are independent given the
latent, so the mass that lies within is known before anything is drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from synthvae.errors import UsageError
from synthvae.model.limits import Guidance, ScalarLimit, Survivors, Weights, within_ends
from synthvae.model.values import Noise, Rows


def drawn_at_once(outputs: Tensor, noise: Noise, task: Guidance) -> Survivors:
    """Outputs [n, O] -> modelled rows that passed the gate."""
    limits, heads = task.limits, task.heads
    if limits.set_codes or limits.set_scalars:
        raise UsageError(
            "a column is set where others are written after it, but this model writes all columns "
            "at once, so nothing would follow; fit with --preset arvae, or ask with --where"
        )
    weights = Weights(torch.zeros(len(outputs), dtype=torch.bool))
    limited = outputs + limits.never
    for block in sorted(limits.classes):
        own = heads.span(block)
        inside = torch.logsumexp(limited[:, own], dim=1)
        weights.limit(inside - torch.logsumexp(outputs[:, own], dim=1))
    for at, limit in sorted(limits.scalars.items()):
        _weigh_scalar(limited, at, limit, weights, task)
    index, log_weight = torch.arange(len(outputs)), weights.log()
    if limits.classes or limits.scalars:
        index, _ = task.gate(0, log_weight, task.level[:, 1])
    limited, noise = limited[index], noise.at(index)
    rows = heads.sample(limited, noise)
    for at, limit in sorted(limits.scalars.items()):
        rows.scalars[:, at] = _scalar(limited, rows, at, limit, noise, task)
    return Survivors(rows, index, log_weight[index])


def _weigh_scalar(
    limited: Tensor, at: int, limit: ScalarLimit, weights: Weights, task: Guidance
) -> None:
    """The logits of each class take the mass of the scalar's intervals under it."""
    heads = task.heads
    mixture = heads.scalars.mixture(limited[:, heads.scalar_span(at)], at)
    masses = [
        mixture.mass(within_ends(mixture, spans[None], heads.scalars.ends))
        if bool((spans[0] != torch.tensor([-torch.inf, torch.inf])).any())
        else torch.zeros(len(limited), dtype=torch.double)
        for spans in limit.spans
    ]
    if limit.classes is None:
        return weights.limit(masses[0])
    own = heads.span(limit.classes)
    before = torch.logsumexp(limited[:, own], dim=1)
    limited[:, own] += torch.stack(masses, dim=1).float()
    return weights.limit(torch.logsumexp(limited[:, own], dim=1) - before)


def _scalar(
    limited: Tensor, rows: Rows, at: int, limit: ScalarLimit, noise: Noise, task: Guidance
) -> Tensor:
    heads = task.heads
    mixture = heads.scalars.mixture(limited[:, heads.scalar_span(at)], at)
    spans = within_ends(mixture, limit.of_rows(rows.codes), heads.scalars.ends)
    choice = noise.uniform[:, len(heads.layout.sizes) + at]
    value = mixture.draw(spans, choice, torch.special.ndtr(noise.normal[:, at])).float()
    return value if heads.scalars.ends is None else value.clamp(*heads.scalars.ends)
