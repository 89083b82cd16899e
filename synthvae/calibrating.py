"""A model, moved until the rows that it draws hold each class as often as it should.

Steps on noisy gradients blur shares that noisy counts know better, and what follows from counts
has been paid for. In each block a class's output grows by log(wanted / drawn) in every row, as in
iterative scaling; since later blocks follow earlier ones, rows are drawn anew for each round.
Blocks that are not present in every row stay as they are: a model draws them always.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from synthvae.model.compute import in_order
from synthvae.model.values import Rows
from synthvae.sampling import Sampler
from synthvae.seeds import derive

ROUNDS = 3


def calibrate(
    sampler: Sampler,
    wanted: Rows,
    seed: int,
    threads: int | None = None,
    watch: Callable[[float], None] = lambda _: None,
) -> None:
    """Move the model of `sampler` to the shares of classes in `wanted` [N], whole rows. Costs
    ROUNDS draws of N rows. `watch` is told the share of the work that is done."""
    model = sampler.model
    target = wanted.part(model.modelled)
    wanted_outputs = model.heads.marginal_outputs(target)
    moved = torch.ones_like(wanted_outputs)
    for block in torch.nonzero((target.codes < 0).any(dim=0)).flatten().tolist():
        moved[model.heads.span(block)] = 0.0
    for number in range(ROUNDS):
        drawn = _drawn(sampler, len(wanted), derive(seed, number), threads)
        drawn_outputs = model.heads.marginal_outputs(drawn.part(model.modelled))
        model.decoder.shift(moved * (wanted_outputs - drawn_outputs))
        watch((number + 1) / ROUNDS)


def _drawn(sampler: Sampler, rows: int, seed: int, threads: int | None) -> Rows:
    free = sampler.fixed({})
    starts = range(0, rows, sampler.block_rows)
    blocks = in_order(lambda start: Rows.of(sampler.draw(start, seed, free)), starts, threads)
    return Rows.joined(list(blocks)).at(slice(0, rows))
