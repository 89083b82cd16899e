"""Adversarial training: a critic's step, then the model's, each with an Adam of its own
(Larsen et al. 2016).

The model's loss is its own objective, plus how little the critic believes rows drawn from the
prior, plus how far reconstructions are from their rows in the critic's features. What is held out
is judged by the objective alone, and the model file holds nothing of the critic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from synthvae.model.compute import Team
from synthvae.model.critic import (
    AdversarialSpec,
    Critic,
    disbelief,
    feature_distance,
    told_apart,
)
from synthvae.model.objective import Objective
from synthvae.model.spec import TrainingSpec
from synthvae.model.vae import Vae
from synthvae.model.values import Noise, Rows
from synthvae.model.views import RowView
from synthvae.training.average import Average
from synthvae.training.descent import SHARDS, Batch, Descent

_CRITIC = "critic."


class Adversarial:
    """A regime: `step` moves critic and model by one batch; `state` holds the critic too."""

    def __init__(
        self,
        model: Vae,
        critic: Critic,
        view: RowView,
        objective: Objective,
        spec: TrainingSpec,
        game: AdversarialSpec,
        team: Team,
    ) -> None:
        self.model, self.critic, self.view = model, critic, view
        self.objective, self.game = objective, game
        rate, decay = spec.learning_rate, spec.weight_decay
        self.descent = Descent(
            model.parameters(), self._loss, rate, decay, team, clipping=spec.clipping
        )
        self.judging = Descent(critic.parameters(), self._judged, game.pace * rate, decay, team)
        self.average = Average([self.descent.own], spec.averaging)

    def step(self, batch: Batch) -> float:
        """One step of each; the model's whole loss."""
        self.judging.step(batch)
        total = self.descent.step(replace(batch, seed=batch.seed + SHARDS))
        self.average.step()
        return total

    def _judged(self, batch: Batch) -> Tensor:
        """[B]: the critic's loss; the model stays out of it."""
        given = batch.rows.part(self.model.given)
        with torch.no_grad():
            drawn = self._drawn(given, batch.dropout().generator)
        real = self.view.real(batch.rows.part(self.model.modelled))
        return told_apart(self.critic, real, drawn, given, self.game.penalty)

    def _loss(self, batch: Batch) -> Tensor:
        """[B]: the model's loss."""
        dropout = batch.dropout()
        given = batch.rows.part(self.model.given)
        terms, outputs = self.model.scored(batch.rows, batch.noise, dropout)
        real = self.view.real(batch.rows.part(self.model.modelled))
        far = feature_distance(self.critic, real, self.view.expected(outputs), given)
        doubt = disbelief(self.critic, self._drawn(given, dropout.generator), given)
        bound = self.objective.loss(terms, batch.weight)
        return bound + self.game.features * far + self.game.belief * doubt

    def _drawn(self, given: Rows, generator: torch.Generator) -> Tensor:
        """[B, V]: views of rows drawn as when sampling, from the prior as it is now."""
        rows, space = len(given), self.model.space
        latent = torch.randn(rows, space.size, generator=generator)
        choice = torch.rand(rows, 1 + space.slots, generator=generator)
        nothing = torch.empty(rows, 0)  # the view draws what heads would
        noise = Noise(latent, choice, nothing, nothing, latent[:, None][:, :0])
        z = self.model.latent.embed(self.model.prior.sample(noise))
        outputs = self.model.decoder(z, given, given)  # a parallel decoder looks at z and given
        return self.view.drawn(outputs, generator)

    @property
    def learning_rate(self) -> float:
        return self.descent.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self.descent.learning_rate = rate
        self.judging.learning_rate = self.game.pace * rate

    def state(self) -> dict[str, Tensor]:
        """Both optimizers' moments, the average, and the critic."""
        judging = {"vector": self.judging.flat.vector, **self.judging.state()}
        named = {_CRITIC + name: value for name, value in judging.items()}
        return self.descent.state() | self.average.state() | named

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        self.average.load(state)
        self.descent.load(state)
        judging = {
            name.removeprefix(_CRITIC): value
            for name, value in state.items()
            if name.startswith(_CRITIC)
        }
        self.judging.flat.vector.copy_(judging["vector"])
        self.judging.load(judging)
