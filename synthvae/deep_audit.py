"""What somebody can tell who has the model, rows like those that it learnt, and an hour: the
likelihood-ratio attack with shadow models, on what they say of rows and on rows that they draw, and
canaries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae.artifact import Artifact
from synthvae.audit import EpsilonBound, RowScores
from synthvae.audit.f_dp import f_dp_bound_of
from synthvae.audit.lira import midway, offline, online
from synthvae.audit.neighbours import nearest
from synthvae.audit.one_run import bound_of
from synthvae.audit.points import Space, space_of
from synthvae.canaries import bounds_by_canaries
from synthvae.conditions import Conditions
from synthvae.membership_scores import Floats, Nats, Read, Suspects, Terms, read, readings
from synthvae.model.vae import Vae
from synthvae.pooled import as_learnt, joined
from synthvae.privacy.budget import ROW
from synthvae.relearning import for_epochs
from synthvae.sampling import Sampler
from synthvae.seeds import derive, stream
from synthvae.shadows import Shadows, Told, halves, train_shadows
from synthvae.table import Table, from_arrow
from synthvae.unfinished import Unfinished

MIDWAY = "likelihood ratio, midway"
NEIGHBOUR = 5
DRAWN = 20_000  # rows of a shadow, at most
SHARE = 0.5  # of the audited model's epochs: one that knows its rows by heart judges others badly
_LEAST_EPOCHS = 2
_SIGMAS = 3.0

ToFrame = Callable[[Table], pd.DataFrame]


@dataclass(frozen=True)
class Deep:
    """What a deep audit adds: scores by attack, bounds by canaries, and notes on what it did."""

    scores: dict[str, RowScores]
    bounds: tuple[EpsilonBound, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Nearness:
    """How near released rows come to those in question: minus the log of the distance to the fifth
    nearest. `asked`: the rows, as points of `space`; `rows`: how many are drawn of each model."""

    space: Space
    asked: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    rows: int
    suspects: Suspects
    conditions: Conditions
    frame: ToFrame

    def of_model(self, model: Vae) -> Floats:
        """[n], of rows that `model` draws."""
        sampler = Sampler(model, self.suspects.codec, self.conditions)
        seed = derive(self.suspects.seed, "shadow rows")
        chunks = list(sampler.chunks(self.rows, seed, "text", threads=1))
        table = from_arrow(pa.concat_tables(chunks, promote_options="permissive"), "a shadow")
        return self.of_rows(self.frame(table))

    def of_rows(self, released: pd.DataFrame) -> Floats:
        """[n], of rows that were released."""
        points = self.space.points(released.iloc[: self.rows])
        found = nearest(self.asked, points, NEIGHBOUR).distances[:, -1]
        return -np.log(found + 1e-6)


def dig(
    artifact: Artifact,
    suspects: Suspects,
    tables: tuple[Table, Table, Table],
    frame: ToFrame,
    models: int,
    threads: int | None,
    told: Told,
    kept: Unfinished,
) -> Deep:
    """The deep part of an audit; `tables`: what was learnt, the holdout, released rows. What was
    `kept` of an audit that was stopped is not done again."""
    real, holdout, released = tables
    private = bool(artifact.content.get("privacy"))
    scores: dict[str, RowScores] = {}
    bounds: tuple[EpsilonBound, ...] = ()
    notes: tuple[str, ...] = ()
    if private:
        notes += ("no shadow models: each would be a private fit of its own",)
    else:
        scores = _by_shadows(artifact, suspects, (real, holdout, released), frame, models, threads,
                             lambda done, words: told(0.9 * done, words), kept)  # fmt: skip
        bounds += bounds_of_ratios(scores[MIDWAY], suspects)
        notes += (f"{models} shadow models, each learnt from half of all real and holdout rows",)
    if suspects.settings.privacy.unit != ROW:
        return Deep(scores, bounds, (*notes, "no canaries: they are rows, and the unit is none"))
    told(0.1 if private else 0.9, "fitting once more, with canaries")
    bounds += bounds_by_canaries(artifact, suspects, real, holdout, threads, kept)
    return Deep(scores, bounds, notes)


def bounds_of_ratios(found: RowScores, suspects: Suspects) -> tuple[EpsilonBound, ...]:
    """Bounds on epsilon from likelihood ratios of the rows in question, by two theorems, which ask
    for a fair coin: as many heads as it shows are drawn from the training rows, tails from the
    holdout. Nothing is chosen by the labels, so no rows are set aside."""
    sides = [part[np.isfinite(part)] for part in (found.real, found.holdout)]
    fewer = min(map(len, sides))
    rng = stream(suspects.seed, "coins")
    count = 2 * fewer - round(_SIGMAS * np.sqrt(2 * fewer))  # neither side runs out
    heads = int(min(max(rng.binomial(max(count, 0), 0.5), count - fewer), fewer))
    drawn = [
        rng.permutation(side)[:n] for side, n in zip(sides, (heads, count - heads), strict=True)
    ]
    member = np.repeat([True, False], [len(part) for part in drawn])
    scores, delta = np.concatenate(drawn), suspects.settings.privacy.delta
    name = f"{MIDWAY}, rows in place of canaries"
    return (
        bound_of(name, scores, member, delta=delta),
        f_dp_bound_of(name, scores, member, delta=delta),
    )


def _by_shadows(
    artifact: Artifact,
    suspects: Suspects,
    tables: tuple[Table, Table, Table],
    frame: ToFrame,
    models: int,
    threads: int | None,
    told: Told,
    kept: Unfinished,
) -> dict[str, RowScores]:
    seed = suspects.seed
    both = joined(as_learnt(artifact, tables[:2]))
    model, codec = suspects.model, suspects.codec

    def pool(number: int) -> Read:
        return read(model, codec, both, derive(seed, "spread", "pool", number))

    places = np.concatenate([suspects.places[0], len(tables[0]) + suspects.places[1]])
    asked = readings(model, codec, both.rows(places), derive(seed, "asked"))
    nearness = _nearness(artifact, suspects, tables, frame)
    own = Terms(model, codec)(asked, threads)
    seed, epochs = derive(seed, "shadows"), artifact.content["training"]["epochs"]
    shadows = train_shadows(
        for_epochs(suspects.settings, max(round(SHARE * epochs), _LEAST_EPOCHS)),
        codec,
        halves(len(both), models, seed),
        pool,
        asked,
        places,
        seed,
        threads,
        told,
        nearness.of_model,
        kept,
    )
    released = nearness.of_rows(frame(tables[2]))
    return _ratios(suspects, own, released, shadows)


def _ratios(
    suspects: Suspects, own: Nats, released: Floats, shadows: Shadows
) -> dict[str, RowScores]:
    """Likelihood ratios of nats in all, of nats by column, and of released rows. Midway is robust
    where few models leave a row's own deviations rough, and the one that bounds rest on."""
    said, all_said = -own.astype(np.float64), -shadows.nats.astype(np.float64)
    totals = all_said.sum(axis=2)
    found: dict[str, Floats] = {MIDWAY: midway(said, all_said)}
    for how, ratio in (("online", online), ("offline", offline)):
        found[f"likelihood ratio, {how}"] = ratio(said.sum(axis=1), totals, shadows.learnt)
        by_column = [
            ratio(said[:, at], all_said[:, :, at], shadows.learnt) for at in range(said.shape[1])
        ]
        found[f"likelihood ratio by column, {how}"] = np.stack(by_column, axis=1)
        rows = ratio(released, shadows.nearness, shadows.learnt)
        found[f"likelihood ratio of released rows, {how}"] = rows
    first = len(suspects.places[0])
    return {
        name: suspects.row_scores(values[:first], values[first:], "shadow models")
        for name, values in found.items()
    }


def _nearness(
    artifact: Artifact, suspects: Suspects, tables: tuple[Table, Table, Table], frame: ToFrame
) -> Nearness:
    released = frame(tables[2])
    space = space_of(released, suspects.seed)
    asked = [
        frame(table.rows(places)) for table, places in zip(tables[:2], suspects.places, strict=True)
    ]
    points = space.points(pd.concat(asked, ignore_index=True))
    conditions = Conditions.from_json(artifact.content["conditions"])
    rows = min(len(released), DRAWN)
    return Nearness(space, points, rows, suspects, conditions, frame)
