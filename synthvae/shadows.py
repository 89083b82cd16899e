"""Shadow models: like a fitted one, each learnt from half of the rows in question, so that of every
row it is known what models say that did learn it, and that did not (Carlini et al. 2022).

All start from one model of all the rows, which treats members and others alike, and go on for a
part of the epochs: forgetting half of the rows takes less than learning them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from synthvae.codecs.table_codec import TableCodec
from synthvae.membership_scores import Floats, Nats, Read, Readings, Terms
from synthvae.model.compute import in_order, side_by_side
from synthvae.model.vae import Vae
from synthvae.relearning import Weights, for_epochs, relearn
from synthvae.seeds import derive, stream
from synthvae.settings import Settings

FEWEST, MOST = 16, 64
FIRST, OTHERS = 0.5, 0.125  # of the audited model's epochs
_LEAST_EPOCHS = 2

Mask = NDArray[np.bool_]
Told = Callable[[float, str], None]
Nearness = Callable[[Vae], Floats]


@dataclass(frozen=True)
class Shadows:
    """Of each model, what it says of the rows asked about: `nats` [M, n, C + 1] and `nearness`
    [M, n], of the rows that it draws. `learnt` [M, n]: who saw what."""

    nats: Nats
    nearness: Floats
    learnt: Mask


@dataclass(frozen=True)
class Plan:
    """How many models, for how many epochs each, after one of all rows for `first`."""

    models: int
    first: int
    epochs: int

    @staticmethod
    def of(models: int, epochs: int) -> Plan:
        """Of a model that took `epochs` epochs."""
        first, others = (max(round(share * epochs), _LEAST_EPOCHS) for share in (FIRST, OTHERS))
        return Plan(models, first, others)


def train_shadows(
    settings: Settings,
    codec: TableCodec,
    pool: Read,
    asked: Readings,
    places: NDArray[np.int64],
    plan: Plan,
    seed: int,
    threads: int | None = None,
    told: Told = lambda *_: None,
    nearness: Nearness = lambda model: np.zeros(0),
) -> Shadows:
    """Shadows of the model of `settings` over the rows of `pool` [N], and what each says of those
    `asked` [n], which have `places` in the pool but are read anew. Every row is in half of the
    models. `told` hears the share that is done; `nearness` makes scores [n] of what a model draws.
    """
    learnt = halves(len(pool), plan.models, seed)
    one = plan.first + plan.models * plan.epochs / 2  # each sees half of the rows
    told(0.0, "learning the model that shadows start from")
    base = _base(settings, codec, pool, plan, seed, threads)
    short = for_epochs(settings, plan.epochs)

    def shadow(number: int) -> tuple[Nats, Floats]:
        mine = torch.from_numpy(np.flatnonzero(learnt[number]))
        name = derive(seed, "shadow", number)
        with side_by_side(1) as team:
            model = relearn(short, codec, pool.tensors.at(mine), name, team, base)
        return Terms(model, codec, seed)(asked, 1), nearness(model)

    said = []
    for number, found in enumerate(in_order(shadow, range(plan.models), threads), start=1):
        said.append(found)
        done = (plan.first + number * plan.epochs / 2) / one
        told(done, f"shadow model {number} of {plan.models}")
    nats, near = zip(*said, strict=True)
    return Shadows(np.stack(nats), np.stack(near), learnt[:, places])


def halves(rows: int, models: int, seed: int) -> Mask:
    """[models, rows]: in which models each row is; models come in pairs that part the rows."""
    mask = np.zeros((models, rows), bool)
    for pair in range(0, models, 2):
        order = stream(seed, "halves", pair).permutation(rows)
        mask[pair, order[: rows // 2]] = True
        if pair + 1 < models:
            mask[pair + 1] = ~mask[pair]
    return mask


def _base(
    settings: Settings, codec: TableCodec, pool: Read, plan: Plan, seed: int, threads: int | None
) -> Weights:
    with side_by_side(threads) as team:
        chosen = for_epochs(settings, plan.first)
        model: Vae = relearn(chosen, codec, pool.tensors, derive(seed, "base"), team)
    return model.state_dict()
