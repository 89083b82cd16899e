"""The straight line.

table + metadata -> schema -> codecs -> encoded rows -> VAE -> training -> artifact
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthvae import __version__
from synthvae.artifact import Artifact
from synthvae.codecs.bindings import Bindings
from synthvae.codecs.dependence import writing_order
from synthvae.codecs.table_codec import TableCodec, fit_table_codec
from synthvae.conditions import Conditions, given_columns
from synthvae.constraints.declared import rules_of
from synthvae.detect import detect
from synthvae.errors import ColumnError, SchemaError, UsageError, hint
from synthvae.journal import Journal
from synthvae.layout import Encoded
from synthvae.matching import match
from synthvae.metadata import Metadata
from synthvae.model.compute import Team, side_by_side
from synthvae.model.crew import kept_memory
from synthvae.model.parts import trainable
from synthvae.model.size import sized
from synthvae.model.spec import build
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.schema import resolve
from synthvae.scoring import HELD_OUT, quantiles
from synthvae.seeds import derive, stream
from synthvae.settings import Settings
from synthvae.suppression import suppressed
from synthvae.table import Table
from synthvae.training.biases import settle_biases
from synthvae.training.checkpoint import Checkpoint, Progress
from synthvae.training.device import by_processor, device_of
from synthvae.training.latent import settle
from synthvae.training.loop import Loop, Trained, Watch
from synthvae.training.regimes import start

MIN_ROWS = 20
LEARNT = ("numerical", "categorical", "boolean", "datetime")  # other sdtypes are made up
CHECKPOINT_EVERY = 5.0  # seconds


@dataclass(frozen=True)
class Prepared:
    """A table, ready to be learnt."""

    codec: TableCodec
    encoded: Encoded
    conditions: Conditions
    metadata: Metadata


def check_columns(settings: Settings, sdtypes: Mapping[str, str]) -> None:
    """ColumnError if `settings` name a column that the table, of these `sdtypes`, does not have, or
    that is no condition."""
    if settings.target is not None and settings.target not in sdtypes:
        raise ColumnError(
            "target",
            f"a target is a column, but the table has no column '{settings.target}'; "
            f"{hint(settings.target, sdtypes)}",
        )
    if settings.rare.unit is not None and settings.rare.unit not in sdtypes:
        raise ColumnError(
            "rare",
            f"a unit is a column, but the table has no column '{settings.rare.unit}'; "
            f"{hint(settings.rare.unit, sdtypes)}",
        )
    for name in settings.condition:
        if name not in sdtypes:
            raise ColumnError(
                "condition",
                f"a condition is a column, but the table has no column '{name}'; "
                f"{hint(name, sdtypes)}",
            )
        if sdtypes[name] not in LEARNT:
            raise ColumnError(
                "condition",
                f"a condition is learnt, but column '{name}' is made up ({sdtypes[name]}); "
                "condition on another column",
            )


def prepare(table: Table, metadata: Metadata | None, settings: Settings) -> Prepared:
    """Table and metadata -> schema -> codecs -> encoded rows."""
    metadata = metadata or detect(table)
    schema = resolve(metadata, table, settings.missing_values)
    check_columns(settings, {column.name: column.sdtype for column in schema.columns})
    if len(table) < MIN_ROWS:
        raise SchemaError(
            f"a model is learnt from {MIN_ROWS} rows or more, but the table has {len(table)}; "
            "add rows"
        )
    rules, rare = rules_of(settings.constraints, metadata), settings.rare
    units = None if rare.unit is None else table[rare.unit].codes
    common, _ = suppressed(schema, table, metadata, rare, units, settings.seed)
    bindings = Bindings.fit(rules, schema, table, settings.condition, common)
    schema, table = bindings.inner(schema), bindings.forward(table)
    learnt, withheld = suppressed(schema, table, metadata, rare, units, settings.seed)
    how = settings.model.numeric, settings.condition, settings.locale, units
    codec = fit_table_codec(schema, learnt, *how, rare.least(len(table)))
    codec = replace(codec, bindings=bindings, withheld=withheld)
    encoded = codec.encode_learnt(learnt, settings.seed)
    if settings.model.decoder.kind == "autoregressive":
        rng = stream(settings.seed, "order")
        codec = replace(codec, order=writing_order(codec.layout, encoded, learnt, rng))
    given = codec.layout.part(given=True)
    conditions = Conditions.fit(given.take(encoded).codes, given_columns(given), units)
    return Prepared(codec, encoded, conditions, metadata)


def fit(
    table: Table,
    metadata: Metadata | None,
    settings: Settings,
    watch: Watch = lambda *_: None,
    journal: Journal | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    resume: bool = False,
    threads: int | None = None,
    device: str = "auto",
) -> Artifact:
    """Learn `table`, by steps computed on `device`. `watch` is called and `journal` written after
    every epoch; `checkpoint` is where to keep, and with `resume` to take up, an unfinished fit.
    UsageError if `settings` ask for privacy, which is `private.fit`'s to give."""
    if settings.privacy.epsilon is not None:
        raise UsageError("a plain fit is not private, but an epsilon is set; use private.fit")
    where = device_of(device, settings.training)
    settings = replace(settings, model=sized(settings.model, len(table)))
    prepared = prepare(table, metadata, settings)
    rows = Rows.of(prepared.encoded)
    model = build(settings.model, prepared.codec.layout, derive(settings.seed, "weights"))
    model.decoder.start_at(model.heads.marginal_outputs(rows.part(model.modelled)))
    objective = settings.model.objective
    kept = None
    if checkpoint:
        kept = Checkpoint(checkpoint, _identity(table, prepared, settings), checkpoint_every)

    def after_epoch(progress: Progress, epochs: int) -> None:
        watch(progress, epochs)
        if journal:
            with regime.average.in_place():
                seen = by_processor(model)
                journal.write(progress, seen, prepared.codec, prepared.encoded)

    with kept_memory(), side_by_side(threads) as team:
        model.to(where)
        seed = derive(settings.seed, "critic")
        regime = start(model, rows, objective, settings.training, team, seed)
        loop = Loop(model, regime, objective, settings.training, settings.seed)
        trained = loop.run(rows, after_epoch, kept, resume)
        model.cpu()
        held_out = table.rows(loop.held_out[:HELD_OUT].numpy())
        found = _settled(model, rows, held_out, prepared.codec, settings.seed, team)
    return _artifact(prepared, settings, model, trained, found, table)


def _settled(
    model: Vae, rows: Rows, held_out: Table, codec: TableCodec, seed: int, team: Team
) -> dict[str, Any]:
    """What of a trained `model` follows from its weights: biases and prior, and what is measured
    of the latent and of the scores of `held_out` rows."""
    settle_biases(model, rows, derive(seed, "biases"), team)
    latent = settle(model, rows, derive(seed, "prior"), team)
    # Read as rows are that come later, which hold what is too rare to be learnt too.
    later = Rows.of(match(codec, held_out, derive(seed, "scores")).encoded)
    return {"latent": latent, "scores": quantiles(model, later, derive(seed, "scores"))}


def _identity(table: Table, prepared: Prepared, settings: Settings) -> str:
    text = json.dumps([settings.to_json(), prepared.codec.to_json()], sort_keys=True)
    return hashlib.sha256((table.fingerprint() + text).encode()).hexdigest()


def _artifact(
    prepared: Prepared,
    settings: Settings,
    model: Vae,
    trained: Trained,
    measured: Mapping[str, Any],
    table: Table,
) -> Artifact:
    progress = trained.progress
    content = {
        "synthvae": __version__,
        "settings": settings.to_json(),
        "metadata": prepared.metadata.to_sdv(),
        "frame_dtypes": dict(table.frame_dtypes),
        "codec": prepared.codec.to_json(),
        "conditions": prepared.conditions.to_json(),
        "training": {
            "rows": len(table),
            "parameters": trainable(model),
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch,
            "stopped": trained.stopped,
            "dropped": progress.dropped,
            **measured,
            "history": progress.history,
        },
    }
    return Artifact(content, model.state_dict())
