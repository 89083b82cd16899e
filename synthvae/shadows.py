"""Shadow models: like a fitted one, each learnt from half of the rows in question, so that of every
row it is known what models say that did learn it, and that did not (Carlini et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from synthvae.codecs.table_codec import TableCodec
from synthvae.membership_scores import Floats, Nats, Places, Read, Readings, Terms
from synthvae.model.compute import in_order, side_by_side
from synthvae.model.vae import Vae
from synthvae.relearning import relearn
from synthvae.seeds import derive, stream
from synthvae.settings import Settings
from synthvae.unfinished import NOTHING_KEPT, Arrays, Unfinished

Mask = NDArray[np.bool_]
Told = Callable[[float, str], None]
Pool = Callable[[int], Read]
Nearness = Callable[[Vae], Floats]


@dataclass(frozen=True)
class Shadows:
    """Of each model, what it says of the rows asked about: `nats` [M, n, C + 1] and `nearness`
    [M, n], of the rows that it draws. `learnt` [M, n]: who saw what."""

    nats: Nats
    nearness: Floats
    learnt: Mask


def train_shadows(
    settings: Settings,
    codec: TableCodec,
    learnt: Mask,
    pool: Pool,
    asked: Readings,
    places: Places,
    seed: int,
    threads: int | None = None,
    told: Told = lambda *_: None,
    nearness: Nearness = lambda model: np.zeros(0),
    kept: Unfinished = NOTHING_KEPT,
) -> Shadows:
    """Models of `settings`, each of the rows of a pool [N] that are its own in `learnt` [M, N], and
    what they say of the rows `asked` [n], which have `places` in it. `pool(m)`: the rows as model m
    reads them, since nobody knows how the audited one did. `nearness` makes scores [n] of what a
    model draws. `told` hears the share that is done; what was `kept` is not done again."""

    def shadow(number: int) -> Arrays:
        mine = torch.from_numpy(np.flatnonzero(learnt[number]))
        name = derive(seed, "shadow", number)
        with side_by_side(1) as team:
            model = relearn(settings, codec, pool(number).tensors.at(mine), name, team)
        return {"nats": Terms(model, codec)(asked, 1), "nearness": nearness(model)}

    def once(number: int) -> Arrays:
        return kept.once(f"shadow-{number}", lambda: shadow(number))

    told(0.0, f"{len(learnt)} shadow models")
    said = []
    for number, found in enumerate(in_order(once, range(len(learnt)), threads), start=1):
        said.append(found)
        told(number / len(learnt), f"shadow model {number} of {len(learnt)}")
    nats, near = (np.stack([each[what] for each in said]) for what in ("nats", "nearness"))
    return Shadows(nats, near, learnt[:, places])


def halves(rows: int, models: int, seed: int) -> Mask:
    """[models, rows]: in which models each row is; models come in pairs that part the rows."""
    mask = np.zeros((models, rows), bool)
    for pair in range(0, models, 2):
        order = stream(seed, "halves", pair).permutation(rows)
        mask[pair, order[: rows // 2]] = True
        if pair + 1 < models:
            mask[pair + 1] = ~mask[pair]
    return mask
