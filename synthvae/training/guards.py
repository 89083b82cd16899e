"""What has to hold of a model before rows are trusted to it, found out on random rows.

- Row isolation: another row in the batch changes nothing of what a row meets.
- Loop equality: the clipped sum is that of one row at a time, by plain autograd.
- Sensitivity: the clipped gradient of a single row is at most the bound.
- No raw buffers: none of the model's buffers moves, in the check or in the run.

A statistic of the batch inside a layer, a term that mixes rows, a codebook that follows a moving
average, a weight outside its layer: each runs without complaint otherwise, and voids the proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from synthvae.errors import TrainingError
from synthvae.layout import Layout
from synthvae.model.values import Rows
from synthvae.privacy.noise import fresh_stream
from synthvae.training.clipping import ClippedSum
from synthvae.training.descent import Batch
from synthvae.training.poisson import normal

ROWS = 8
SAME = 3e-6  # share of the norm by which sums of the same numbers may differ
LENGTH = 1e-5  # the same for lengths of the gradients of single layers
_ABSENT = 0.1


def check(sums: ClippedSum, layout: Layout, latent: int, weight: float) -> None:
    """Hold `sums` to all of it, with rows of `layout` made up. TrainingError if it fails."""
    rng = fresh_stream()
    rows = made_up(layout, ROWS, rng)
    batch = Batch.of(rows, normal(rng, ROWS, latent), weight, seed=0)
    with unmoved(sums.model):
        isolated(sums, batch, made_up(layout, 1, rng))
        as_alone(sums, batch)


def made_up(layout: Layout, rows: int, rng: np.random.Generator) -> Rows:
    """Rows [B] that have nothing to do with the table; some blocks are not present."""
    codes = rng.integers(0, layout.sizes or 1, (rows, len(layout.sizes)), np.int32)
    scalars = rng.uniform(-1, 1, (rows, layout.n_scalars)).astype(np.float32)
    codes[rng.random(codes.shape) < _ABSENT] = -1
    scalars[rng.random(scalars.shape) < _ABSENT] = np.nan
    return Rows(torch.from_numpy(codes), torch.from_numpy(scalars))


def isolated(sums: ClippedSum, batch: Batch, other: Rows) -> None:
    """Row isolation: nothing changes for the first rows if the last one becomes `other` [1]."""
    rows = Rows.joined([batch.rows.at(slice(0, -1)), other])
    changed = Batch.of(rows, batch.noise, batch.weight, batch.seed)
    with sums.watching():
        pairs = zip(sums.passed(batch), sums.passed(changed), strict=True)
        for before, after in pairs:
            for one, two in ((before.d, after.d), (before.squares(), after.squares())):
                if not _same(one[:-1], two[:-1]):
                    raise TrainingError(
                        "under privacy a row's gradient depends on that row alone, but in "
                        f"{before.layer.name} it changes with another row of the batch; choose "
                        "parts that look at single rows"
                    )


def as_alone(sums: ClippedSum, batch: Batch) -> None:
    """Loop equality, and the sensitivity of each row."""
    each = torch.stack([_gradient(sums, one) for one in _single(batch)])  # [B, P]
    with sums.watching():
        _measured(sums, batch, each)
        together = sums.of(batch).clone()
        lengths = [float(sums.of(one).double().norm()) for one in _single(batch)]
    shrunk = sums.limit / each.double().norm(dim=1).clamp(min=sums.limit)
    alone = (each * shrunk[:, None].float()).sum(dim=0)
    if not _same(together, alone):
        raise TrainingError(
            "under privacy a batch adds up to its rows' own clipped gradients, but the sum "
            f"differs from that by {float((together - alone).norm() / alone.norm()):.1g}; a weight "
            "is used outside its layer, or a layer's rule is wrong (training/rowwise.py)"
        )
    if max(lengths) > sums.bound * (1 + 1e-6):
        raise TrainingError(
            f"under privacy a row's clipped gradient is at most {sums.bound:g} long, but one is "
            f"{max(lengths):.8g}; the rule of a layer is wrong (training/rowwise.py)"
        )


def _measured(sums: ClippedSum, batch: Batch, each: Tensor) -> None:
    """The norms of every layer's part of the rows' gradients `each` [B, P] are what its rule
    says, however small the part is beside others."""
    squares = {use.layer.name: use.squares() for use in sums.passed(batch)}
    parts = zip(*(sums.flat.views(row) for row in each), strict=True)  # of each weight, B of them
    for layer in sums.layers:
        own = [torch.stack(next(parts)).flatten(1).double() for _ in layer.parameters]
        length = torch.cat(own, dim=1).norm(dim=1)
        told = squares.get(layer.name, torch.zeros_like(length)).sqrt()
        if not _same(told, length, LENGTH):
            raise TrainingError(
                "under privacy the length of a row's gradient is known, but that of "
                f"{layer.name} is not what its rule says; a weight is used outside its layer, or "
                "the rule is wrong (training/rowwise.py)"
            )


def _single(batch: Batch) -> list[Batch]:
    parts = [slice(i, i + 1) for i in range(len(batch.rows))]
    return [Batch.of(batch.rows.at(i), batch.noise[i], batch.weight, batch.seed) for i in parts]


def _gradient(sums: ClippedSum, one: Batch) -> Tensor:
    """[P]: of a batch of one row, by plain autograd."""
    gradients = torch.autograd.grad(sums.loss(one).sum(), sums.parameters, materialize_grads=True)
    flat = torch.zeros_like(sums.flat.vector)
    for view, gradient in zip(sums.flat.views(flat), gradients, strict=True):
        view.copy_(gradient)
    return flat


def _same(one: Tensor, other: Tensor, share: float = SAME) -> bool:
    return bool((one - other).norm() <= share * other.norm())


@contextmanager
def unmoved(model: nn.Module) -> Iterator[None]:
    """No raw buffers: TrainingError if a buffer of `model` is not what it was, bit by bit."""
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    yield
    moved = [
        name
        for name, buffer in model.named_buffers()
        if name not in before or buffer.numpy().tobytes() != before[name].numpy().tobytes()
    ]
    if moved:
        raise TrainingError(
            "under privacy rows reach a model by noisy gradients alone, but training moved "
            f"{', '.join(moved)}; choose other parts"
        )
