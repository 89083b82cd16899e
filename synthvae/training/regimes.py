"""The table of regimes: how a spec's steps are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from synthvae.model.compute import Team
from synthvae.model.critic import AdversarialSpec
from synthvae.model.objective import Objective
from synthvae.model.spec import TrainingSpec
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.model.views import RowView
from synthvae.training.adversarial import Adversarial
from synthvae.training.loop import Regime
from synthvae.training.plain import Plain

Start = Callable[[Vae, Rows, Objective, TrainingSpec, Team, int], Regime]


def start(
    model: Vae,
    rows: Rows,
    objective: Objective,
    spec: TrainingSpec,
    team: Team,
    seed: int,
) -> Regime:
    """The regime of `spec` for `model`, which learns `rows` [N]; what it draws itself at the start
    follows from `seed`."""
    return REGIMES[spec.regime.kind](model, rows, objective, spec, team, seed)


def _plain(
    model: Vae, _: Rows, objective: Objective, spec: TrainingSpec, team: Team, __: int
) -> Regime:
    return Plain(model, objective, spec, team)


def _adversarial(
    model: Vae,
    rows: Rows,
    objective: Objective,
    spec: TrainingSpec,
    team: Team,
    seed: int,
) -> Regime:
    game = cast("AdversarialSpec", spec.regime)
    view = RowView(model.heads, rows.part(model.modelled))
    critic = game.build(view.width, model.given.layout, seed)
    return Adversarial(model, critic, view, objective, spec, game, team)


REGIMES: Mapping[str, Start] = {"plain": _plain, "adversarial": _adversarial}
