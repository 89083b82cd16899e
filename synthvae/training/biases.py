"""After training: the biases of all classes, near the maximum of the likelihood given all else.

Weights that stopped early, as averages, trained under dropout and on a part of the rows expect a
class somewhat more or less often than it stands in the table. In each block exactly one class
holds, so iterative scaling (Darroch & Ratcliff 1972) takes whole steps: log(observed / expected),
each of which raises the likelihood. It looks at all rows, those held out for the early stop too.
"""

from __future__ import annotations

import torch
from torch import Tensor

from synthvae.model.compute import Team, rows_at_once
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.seeds import derive

ROUNDS = 2
_BLOCK = (1 << 20, 64, 4096)  # values of the widest array; fewest and most rows
_EXTRA = 1.0  # added to both counts: what stands once or twice says little


def settle_biases(model: Vae, rows: Rows, seed: int, team: Team) -> None:
    """Scale the classes of `model` to `rows` [N]. Cost: as many looks at each row as rounds."""
    shift, size = torch.zeros(model.heads.outputs), rows_at_once(model.heads.outputs, *_BLOCK)

    @torch.no_grad()
    def counts(task: tuple[int, Tensor]) -> tuple[Tensor, Tensor]:
        start, so_far = task
        part = rows.at(slice(start, start + size))
        generator = torch.Generator().manual_seed(derive(seed, start))
        noise = torch.randn(len(part), model.space.size, generator=generator)
        outputs = model.outputs(model.encode(part, noise).z, part) + so_far
        return model.heads.counts(outputs, part.part(model.modelled))

    crew = team.crew(counts)
    for _ in range(ROUNDS):
        asked = [crew.submit((start, shift)) for start in range(0, len(rows), size)]
        observed, expected = (sum(both) for both in zip(*(a.result() for a in asked), strict=True))
        shift = shift + torch.log((observed + _EXTRA) / (expected + _EXTRA))
    model.decoder.shift(shift)
