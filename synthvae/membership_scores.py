"""What a model tells of rows that it may have learnt: nats by column and the rate, and how much
less they are than by a model that did not learn the row.

A row that was learnt takes fewer nats than it would have taken otherwise. How many it takes depends
on how usual the row is, which says nothing about membership; a reference that was fitted like the
model, to rows of the holdout, takes that away (Watson et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from synthvae import opening
from synthvae.amortisation import gap, picked
from synthvae.artifact import Artifact
from synthvae.audit.records import Access, RowScores
from synthvae.codecs.table_codec import TableCodec
from synthvae.layout import Encoded
from synthvae.matching import match_known
from synthvae.model.compute import in_order, rows_at_once, side_by_side
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.pooled import as_learnt
from synthvae.relearning import as_found, cautious, relearn
from synthvae.scoring import scores
from synthvae.seeds import derive, stream
from synthvae.settings import Settings
from synthvae.table import Table

READINGS = 16
ASKED = 8000  # rows of each table that are scored, at most: attacks look at no more
UNSEEN = 25.0  # nats of a cell that the model can't write: once in 10^11 rows
REFERENCE_ROWS = 1000  # of the holdout; from half of fewer, a reference learns too little
_BLOCK = (1 << 20, 64, 2048)  # values of the widest array; fewest and most rows

Nats = NDArray[np.float32]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Step = Callable[[str], None]


@dataclass(frozen=True)
class Read:
    """Rows [N] as a model reads them, and which of their cells [N, C] it can't."""

    encoded: Encoded
    strange: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.encoded)

    def rows(self, index: NDArray[np.int64]) -> Read:
        return Read(self.encoded.rows(index), self.strange[index])

    @property
    def tensors(self) -> Rows:
        return Rows.of(self.encoded)


Readings = tuple[Read, ...]


def of_rows(readings: Readings, index: Places) -> Readings:
    """Some of the rows."""
    return tuple(each.rows(index) for each in readings)


def learnt_columns(model: Vae, codec: TableCodec) -> list[str]:
    """The C columns that have nats."""
    return [one.name for one in codec.codecs if one.name in model.heads.columns]


def readings(model: Vae, codec: TableCodec, table: Table, seed: int) -> Readings:
    """`table` read several times: where a codec draws (the place in a grid cell, the mode of a
    number), training met one draw, and nobody knows which."""
    return tuple(read(model, codec, table, derive(seed, "reading", i)) for i in range(READINGS))


def read(model: Vae, codec: TableCodec, table: Table, seed: int) -> Read:
    """`table` as `model` reads it. SchemaError for a table without the model's columns."""
    matched = match_known(codec, table, seed)
    strange = [matched.unknown[name] for name in learnt_columns(model, codec)]
    return Read(matched.encoded, np.column_stack(strange))


class Terms:
    """Scores rows by one model, each at the mean of its posterior: no draw of the latent comes
    between what models learnt and what stands in a row."""

    def __init__(self, model: Vae, codec: TableCodec) -> None:
        self.model = model
        blocks = np.array(model.heads.columns)
        columns = learnt_columns(model, codec)
        self.names = (*columns, "rate")
        self._of_column = [np.flatnonzero(blocks == name) for name in columns]
        self._noise = torch.zeros(1, 1, model.space.size)
        self._size = rows_at_once(model.heads.outputs, *_BLOCK)

    def __call__(self, rows: Readings, threads: int | None = None) -> Nats:
        """[N, C + 1]: nats of each column, and the rate. They add up to minus the log of the mean
        likelihood over the readings; columns are averaged by the share that a reading has in it."""

        def block(start: int) -> Nats:
            where = self._block_at(start, rows)
            return _together(np.stack([self._block(each.rows(where)) for each in rows]))

        return np.concatenate(list(in_order(block, range(0, len(rows[0]), self._size), threads)))

    def gaps(self, rows: Readings, threads: int | None = None) -> Floats | None:
        """[N]: the amortisation gap of each row, at the reading that the model finds least strange;
        None of a discrete latent, which has no way from point to point."""
        if self.model.space.slots:
            return None

        def block(start: int) -> Floats:
            where = self._block_at(start, rows)
            parts = [each.rows(where) for each in rows]
            found = np.stack([self._block(part).sum(axis=1) for part in parts]).argmin(axis=0)
            return (
                gap(self.model, picked([each.encoded for each in parts], found))
                .numpy()
                .astype(np.float64)
            )

        return np.concatenate(list(in_order(block, range(0, len(rows[0]), self._size), threads)))

    def _block_at(self, start: int, rows: Readings) -> Places:
        return np.arange(start, min(start + self._size, len(rows[0])))

    def _block(self, rows: Read) -> Nats:
        noise = self._noise.expand(-1, len(rows), -1)
        found = scores(self.model, rows.tensors, noise, "elbo")
        nats = found.nats.numpy()
        columns = np.stack([nats[:, at].sum(axis=1) for at in self._of_column], axis=1)
        columns[rows.strange] = UNSEEN
        terms: Nats = np.column_stack([columns, found.rate.numpy()]).astype(np.float32)
        return terms


def _together(terms: Nats) -> Nats:
    """[readings, B, C + 1] -> [B, C + 1]."""
    totals = terms.sum(axis=2, dtype=np.float64)
    mean = np.log(len(totals)) - logsumexp(-totals, axis=0)
    found = (softmax(-totals, axis=0)[:, :, None] * terms).sum(axis=0)
    found[:, -1] += mean - found.sum(axis=1)
    together: Nats = found.astype(np.float32)
    return together


@dataclass(frozen=True)
class Suspects:
    """A model, and the rows about which it is asked: of the training table and of the holdout, as
    it reads them, with their places in both."""

    model: Vae
    codec: TableCodec
    settings: Settings
    rows: tuple[Readings, Readings]
    places: tuple[Places, Places]
    sizes: tuple[int, int]
    seed: int

    @staticmethod
    def of(artifact: Artifact, real: Table, holdout: Table, seed: int) -> Suspects:
        """At most 8,000 rows of each, drawn at random, and as a fit would have learnt them."""
        model, codec = opening.fitted(artifact)
        places, rows = [], []
        tables = as_learnt(artifact, [real, holdout])
        for what, table in zip(("real", "holdout"), tables, strict=True):
            order = stream(seed, "suspects", what).permutation(len(table))[:ASKED]
            places.append(np.sort(order))
            asked = table.rows(places[-1])
            rows.append(readings(model, codec, asked, derive(seed, "spread", what)))
        settings = as_found(opening.settings_of(artifact), artifact.content["training"])
        both, where = (rows[0], rows[1]), (places[0], places[1])
        return Suspects(model, codec, settings, both, where, (len(real), len(holdout)), seed)

    def row_scores(self, real: Floats, holdout: Floats, access: Access = "model") -> RowScores:
        """Scores [n] or [n, K] of the rows in question, as an audit takes them."""
        parts = []
        for found, places, size in zip((real, holdout), self.places, self.sizes, strict=True):
            part = np.full((size, *found.shape[1:]), np.nan)
            part[places] = found
            parts.append(part)
        return RowScores(parts[0], parts[1], access)


def white_box(suspects: Suspects, threads: int | None, step: Step) -> dict[str, RowScores]:
    """Attacks of somebody who has the model file, by name: few nats as a sign of membership, in all
    and by column, as they are and, if the holdout has 1,000 rows, less those of a reference; and a
    small amortisation gap."""
    step("scoring rows by the model")
    terms = Terms(suspects.model, suspects.codec)
    own = [terms(part, threads) for part in suspects.rows]
    found = _named(suspects, own, "")
    gaps = [terms.gaps(part, threads) for part in suspects.rows]
    if gaps[0] is not None and gaps[1] is not None:
        found["amortisation gap"] = suspects.row_scores(-gaps[0], -gaps[1])
    if suspects.sizes[1] >= REFERENCE_ROWS:
        step("learning two references from halves of the holdout")
        other = _references(suspects, threads)
        less = [a - b for a, b in zip(own, other, strict=True)]
        found |= _named(suspects, less, " less a reference's")
    return found


def together(scores: Mapping[str, RowScores]) -> RowScores:
    """All attacks that give one number a row, as terms of one; how to weigh them is learnt on the
    first half of the rows."""
    single = [each for each in scores.values() if each.real.ndim == 1]
    deep = any(each.access == "shadow models" for each in single)
    real, holdout = (
        np.column_stack([getattr(each, side) for each in single]) for side in ("real", "holdout")
    )
    return RowScores(real, holdout, "shadow models" if deep else "model")


def _named(suspects: Suspects, terms: list[Nats], suffix: str) -> dict[str, RowScores]:
    """[n, C + 1] and [m, C + 1] of real rows and holdout."""
    real, holdout = (-part.astype(np.float64) for part in terms)
    return {
        f"nats{suffix}": suspects.row_scores(real.sum(axis=1), holdout.sum(axis=1)),
        f"nats by column{suffix}": suspects.row_scores(real, holdout),
    }


def _references(suspects: Suspects, threads: int | None) -> list[Nats]:
    """The terms of each row by one of two references, each learnt from half of the holdout; never
    by one that learnt the row. Real rows meet either by chance, so that they and the holdout are
    treated alike."""
    settings, codec, seed = cautious(suspects.settings), suspects.codec, suspects.seed
    rng = stream(seed, "references")
    halves = [rng.permutation(len(part[0])) % 2 for part in suspects.rows]
    learnt = suspects.rows[1][0].tensors

    def one(half: int) -> list[Nats]:
        others = torch.from_numpy(np.flatnonzero(halves[1] != half))
        with side_by_side(1) as team:
            model = relearn(settings, codec, learnt.at(others), derive(seed, "ref", half), team)
        terms = Terms(model, codec)
        asked = zip(suspects.rows, halves, strict=True)
        return [terms(of_rows(part, np.flatnonzero(which == half)), 1) for part, which in asked]

    with side_by_side(threads) as team:
        answers = team.crew(one).all([0, 1])
    width = answers[0][0].shape[1]
    found = [np.empty((len(which), width), np.float32) for which in halves]
    for half, answer in enumerate(answers):
        for part, which, terms_of in zip(found, halves, answer, strict=True):
            part[which == half] = terms_of
    return found
