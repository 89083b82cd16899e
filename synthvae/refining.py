"""A model that was learnt from drawn rows, trained on with the real ones, under what is left of the
budget.

The drawn rows know what was counted, the real ones also what depends on three columns and more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae import opening
from synthvae.artifact import Artifact
from synthvae.calibrating import calibrate
from synthvae.errors import PrivacyError
from synthvae.marginals.axes import Axis, NumberAxis, column_of
from synthvae.marginals.engine import Drawn
from synthvae.model.compute import side_by_side
from synthvae.model.values import Rows
from synthvae.privacy.ledger import Ledger
from synthvae.privacy.noise import fresh_seed
from synthvae.sampling import Sampler
from synthvae.scoring import quantiles
from synthvae.seeds import derive
from synthvae.settings import Settings
from synthvae.table import Column, Table
from synthvae.training.latent import settle
from synthvae.training.permitted import why_not_private
from synthvae.training.private_plan import private_plan

if TYPE_CHECKING:
    from synthvae.training.private import PrivateSpec


# Rows are drawn from counts; after the plain fit private steps are taken, and calibrated.
Stage = Literal["counts", "steps", "calibration"]


def refuse(settings: Settings) -> None:
    """PrivacyError with every reason why the model of `settings` can't be trained privately."""
    reasons = why_not_private(settings.model, settings.training)
    if reasons:
        raise PrivacyError(
            "training on rows under differential privacy clips what each row adds to a step, but "
            f"{'; '.join(reasons)}; choose another part, or --dp-engine marginals, which trains "
            "on drawn rows"
        )


def planned(ledger: Ledger, settings: Settings, learning_rate: float) -> PrivateSpec:
    """Steps that all that is left of the budget pays for; how many follows from settings alone."""
    from synthvae.training.private import PrivateSpec

    plan = private_plan(settings.privacy.rows)
    noise = ledger.train("training", settings.preset, plan.rate, plan.steps)
    return PrivateSpec(noise, plan.rate, plan.steps, learning_rate=learning_rate)


def refine(
    artifact: Artifact,
    drawn: Drawn,
    table: Table,
    settings: Settings,
    steps: PrivateSpec,
    threads: int | None = None,
    told: Callable[[Stage, float], None] = lambda *_: None,
) -> Artifact:
    """`artifact`, learnt from `drawn`, after private `steps` on `table`, of which each value stands
    in a form that follows from it alone. The prior, the shares of classes and the scores of usual
    rows come from drawn rows again. `told` is told of each stage the share that is done."""
    from synthvae.training.private import train_private

    model, codec = opening.fitted(artifact)
    real = _readable(table, drawn)
    # Where a number stands in its grid cell is drawn anew for each row: by a seed it would follow
    # from the rows before.
    rows = Rows.of(codec.encode(real, fresh_seed()))
    with side_by_side(threads) as team:
        objective, expected = settings.model.objective, round(drawn.rows)
        train_private(
            model, rows, codec.layout, objective, steps, expected, team, partial(told, "steps")
        )
        known = Rows.of(codec.encode(drawn.table, settings.seed))
        latent = settle(model, known, derive(settings.seed, "prior"), team)
        sampler = Sampler(model, codec, opening.conditions(artifact))
        seed, shown = derive(settings.seed, "calibration"), partial(told, "calibration")
        calibrate(sampler, known, seed, threads, shown)
        few = known.at(slice(0, 10_000))
        scores = quantiles(model, few, derive(settings.seed, "scores"))
    training = {**artifact.content["training"], "latent": latent, "scores": scores}
    return replace(
        artifact, content={**artifact.content, "training": training}, weights=model.state_dict()
    )


def _readable(table: Table, drawn: Drawn) -> Table:
    """`table` in forms that were drawn at least once, so that the codecs know them. Each row
    follows from its own values."""
    return Table(tuple(_column(axis, table, drawn.table) for axis in drawn.axes))


def _column(axis: Axis, table: Table, drawn: Table) -> Column:
    column = axis.snapped(table[axis.name])
    known = drawn[axis.name]
    most = known.texts[int(np.argmax(known.counts))]
    texts = column.levels.take(pa.array(column.codes, mask=column.codes < 0))
    if not known.n_null:
        texts = texts.fill_null(most)
    if not isinstance(axis, NumberAxis):
        strange = pc.and_(texts.is_valid(), pc.invert(pc.is_in(texts, known.levels)))
        texts = pc.if_else(strange, most, texts)
    return column_of(axis.name, texts)
