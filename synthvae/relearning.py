"""A model like a fitted one, learnt from other rows: what the fitted one would say of its rows had
it not seen them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from synthvae.codecs.table_codec import TableCodec
from synthvae.model.compute import Team
from synthvae.model.spec import TrainingSpec, build
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.seeds import derive
from synthvae.settings import Settings
from synthvae.training.latent import settle
from synthvae.training.loop import Loop
from synthvae.training.regimes import start


def relearn(settings: Settings, codec: TableCodec, rows: Rows, seed: int, team: Team) -> Vae:
    """The model of `settings` fitted to encoded `rows` [N]. The codec is the fitted one's, which
    whoever has its file has too."""
    model = build(settings.model, codec.layout, derive(seed, "weights"))
    model.decoder.start_at(model.heads.marginal_outputs(rows.part(model.modelled)))
    objective = settings.model.objective
    regime = start(model, rows, objective, settings.training, team, derive(seed, "critic"))
    loop = Loop(model, regime, objective, settings.training, seed)
    loop.run(rows, lambda *_: None, None, resume=False)
    settle(model, rows, derive(seed, "prior"), team)
    return model


def as_found(settings: Settings, training: Mapping[str, Any]) -> Settings:
    """`settings`, with what their fit found out by trying (its record: `training`) in the place of
    the trial: fewer rows might choose otherwise."""
    model, dropped = settings.model, training.get("dropped", 0.0)
    if dropped:
        decoder: Any = model.decoder
        names = ("dropout", "number_dropout")
        more = {name: max(dropped, getattr(decoder, name)) for name in names}
        decoder = dataclasses.replace(decoder, **more)
        model = dataclasses.replace(model, decoder=decoder)
    decided = dataclasses.replace(settings.training, raised=0.0)
    return dataclasses.replace(settings, model=model, training=decided)


def cautious(settings: Settings) -> Settings:
    """`settings`, but training stops where held-out rows say so: a reference that knows its own
    rows by heart is a poor judge of others."""
    usual = TrainingSpec()
    training = dataclasses.replace(
        settings.training,
        validation=max(settings.training.validation, usual.validation),
        patience=min(settings.training.patience, usual.patience),
    )
    return dataclasses.replace(settings, training=training)


def for_epochs(settings: Settings, epochs: int) -> Settings:
    """`settings`, but trained for `epochs` epochs at most."""
    return dataclasses.replace(
        settings, training=dataclasses.replace(settings.training, epochs=epochs)
    )
