"""Stage two: the prior moves to draws of the aggregate posterior, once the model stands.

A closed form does it at once. A prior with weights is trained like a model, by the same regime and
loop, on a held-out share of the draws too; its rows are the draws. It is quick enough to be done
again from its seed if a fit is stopped within.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthvae.model.compute import Team
from synthvae.model.objective import Objective
from synthvae.model.parts import Learnt, Prior
from synthvae.model.spec import TrainingSpec
from synthvae.model.values import Dropout, Rows, Space, Terms
from synthvae.training.loop import Loop
from synthvae.training.plain import Plain

TRAINING = TrainingSpec(
    visits=400_000,
    batch_scale=2.8,
    learning_rate=3e-3,
    weight_decay=0.0,
    averaging=0.99,
    patience=1,
)


def fit_prior(prior: Prior, drawn: Tensor, seed: int, team: Team) -> float:
    """Move `prior` to draws z [N, Z] (codes [N, S]). If it is trained: what a draw that was held
    out then costs, in nats; else 0."""
    prior.fit(drawn, seed)
    return _train(prior, drawn, seed, team) if isinstance(prior, Learnt) else 0.0


def _train(prior: Learnt, drawn: Tensor, seed: int, team: Team) -> float:
    model, objective = OfDraws(prior), Objective()
    model.requires_grad_(True)
    regime = Plain(model, objective, TRAINING, team)
    loop = Loop(model, regime, objective, TRAINING, seed)
    trained = loop.run(_as_rows(drawn), lambda *_: None, None, resume=False)
    model.requires_grad_(False)
    kept: float = trained.progress.history[trained.progress.best_epoch - 1]["loss"]
    return kept


class OfDraws(nn.Module):
    """A prior as a model without a latent: its rows are draws, codes or, as scalars, z."""

    def __init__(self, prior: Learnt) -> None:
        super().__init__()
        self.prior, self.space = prior, Space(0)

    def forward(self, rows: Rows, noise: Tensor, dropout: Dropout | None = None) -> Terms:
        drawn = rows.codes if rows.codes.shape[1] else rows.scalars
        return Terms(self.prior.nats(drawn, dropout), torch.zeros(len(rows), 0))

    def droppable(self, share: float) -> int:
        """None: a prior is quick to learn, and its dropout stays as it is."""
        return 0

    def revive(self, rows: Rows, generator: torch.Generator) -> None:
        """Nothing of it falls out of use."""


def _as_rows(drawn: Tensor) -> Rows:
    nothing = torch.empty(len(drawn), 0)
    return Rows(nothing.int(), drawn) if drawn.is_floating_point() else Rows(drawn, nothing)
