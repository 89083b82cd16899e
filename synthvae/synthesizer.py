"""The Python API: fit a frame, sample frames, score and fill frames, save, load."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae import artifact as artifacts
from synthvae import certified, opening, pipeline, private
from synthvae import metadata as metadatas
from synthvae.acceptance import PATIENCE
from synthvae.arguments import alone, counts_of
from synthvae.artifact import Artifact
from synthvae.beforehand import check_whole
from synthvae.codecs.table_codec import TableCodec
from synthvae.constraints.declared import functions, rules_of
from synthvae.constraints.declared import parse as declared_rules
from synthvae.constraints.predicates import trust
from synthvae.errors import UsageError
from synthvae.frames import as_given, filled, indexed, written
from synthvae.holdout import Holdout, Mask, beside, is_noted, left_out, without
from synthvae.identity import fingerprints
from synthvae.keys import avoiding, check_room
from synthvae.privacy.history import NAME, Account
from synthvae.requests import Request
from synthvae.row_conditions import partial_rows
from synthvae.scoring import DRAWS, Bound
from synthvae.settings import DEFAULT_PRESET, parse
from synthvae.table import Table, from_frame
from synthvae.training.findings import hollow


class Synthesizer:
    """Learns a table and writes new rows of it.

    `preset` names a composition; `settings` lays over it what `synthvae.yaml` may hold, such as
    `{"training": {"epochs": 50}, "condition": ["income"]}`.

    >>> rows = Synthesizer().fit(frame).sample(1000, seed=7)      # doctest: +SKIP
    """

    def __init__(
        self, preset: str = DEFAULT_PRESET, *, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.settings = parse({"preset": preset, **(settings or {})})
        trust(functions(declared_rules(self.settings.constraints)))
        self._artifact: Artifact | None = None
        self._aside: tuple[Table, Mask] | None = None

    def fit(
        self,
        frame: pd.DataFrame,
        metadata: Mapping[str, Any] | str | Path | None = None,
        holdout: float | None = None,
        device: str = "auto",
        history: str | Path | None = NAME,
    ) -> Synthesizer:
        """Learn `frame`; `metadata` is an SDV metadata file or its content, detected if None.

        `holdout` is the share of the rows to leave out for an audit; `save` notes which they were
        beside the model. None: as the settings say, and those say none, since who holds a frame can
        part it and knows which part was learnt. (On the command line it is a tenth.)

        `device`: where steps are computed, `cpu` (which `auto` takes) or `cuda`.

        With `{"privacy": {"epsilon": 3}}` among the settings the fit is differentially private,
        and metadata is a must. Its cost is added to the file `history`, which is begun if there is
        none, and a warning says what several fits of the same rows cost together; None: it is
        yours to add up.
        """
        described = metadatas.given(metadata)
        if described is not None:
            trust(functions(rules_of((), described)))
        if holdout is not None:
            self.settings = parse({**self.settings.to_json(), "holdout": holdout})
        plain = self.settings.privacy.epsilon is None
        table = from_frame(frame, one_by_one=not plain)
        mask = left_out(table, self.settings)
        learnt = without(table, mask) if mask.any() else table
        if plain and mask.any():
            check_whole(table, described, self.settings)
        said: list[str] = []
        given: dict[str, Any] = {"device": device}
        if not plain and history is not None:
            given["paid"] = Account(Path(history), fingerprints(table), said.append).pay
        learn = pipeline.fit if plain else private.fit
        self._artifact = learn(learnt, described, self.settings, **given)
        said += hollow(self._artifact.content["training"])
        for words in said:  # not before: a warning may be an error, and what was paid for be lost
            warnings.warn(words, UserWarning, stacklevel=2)
        self._aside = (table, mask) if is_noted(table, self.settings) else None
        return self

    def sample(
        self,
        n: int | None = None,
        seed: int = 0,
        given: Mapping[str, Any] | None = None,
        *,
        balance: str | None = None,
        per: Mapping[str, Mapping[Any, int]] | None = None,
        where: str | None = None,
        conditions: pd.DataFrame | None = None,
        set: Mapping[str, Any] | None = None,
        max_seconds: float = PATIENCE,
        predicates: Sequence[str] = (),
        real: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """`n` new rows. The same model, seed and position give the same row, whatever `n` is.

        `given`: values for columns that the model is conditioned on. `balance`: a column of which
        every value gets as many rows. `per`, in place of `n`: how many rows each value of a column
        gets, `{"income": {">50K": 5000}}`.

        `where`: a condition that every row meets, "income == '>50K' and age > 60"
        (docs/conditions.md). `set`: values that columns are set to, whatever the model says; what
        is written after them follows. UsageError where either is foreseen to take more than
        `max_seconds`. `conditions`, in place of `n`: partial rows, each completed, in its dtypes
        and under its index; nulls are free.

        `predicates`: functions of constraints of a loaded model, as `module:name`, that are yours
        and may be run. `real`: the frame that was learnt, so that none of its identifiers comes up.
        """
        trust(predicates)
        if conditions is not None:
            alone(n=n, given=given, balance=balance, per=per, where=where, set=set)
            return self._completed(conditions, seed)
        sampler = opening.sampler(self.artifact)
        if real is not None:
            sampler.codec = avoiding(sampler.codec, from_frame(real))
        if where is not None or set:
            alone(balance=balance, per=per)
        column, counts = "", dict[str, int]()
        if balance is not None or per is not None:
            column, counts = counts_of(sampler, n, balance, per)
        elif n is None:
            raise UsageError("a sample has a number of rows, but none is given; pass n")
        asked = Request(
            sum(counts.values()) if counts else n or 0,
            seed,
            given=_texts(given),
            column=column,
            counts=counts,
            where=where,
            values=_texts(set),
            patience=max_seconds,
        )
        check_room(sampler.codec, asked.rows)
        return self._frame(asked.chunks(sampler, "typed"), sampler.codec)

    def _completed(self, frame: pd.DataFrame, seed: int) -> pd.DataFrame:
        """A whole row for each of `frame`."""
        imputer = opening.completer(self.artifact)
        check_room(imputer.codec, len(frame))
        job = imputer.job(partial_rows(imputer.codec, from_frame(frame)), seed, "typed")
        whole = pa.concat_tables(imputer.chunks(job)).to_pandas(integer_object_nulls=True)
        _warn(imputer.warning)
        whole.index = frame.index
        full = frame.reindex(columns=whole.columns)
        absent = [name for name in whole.columns if name not in frame.columns]
        full[absent] = whole[absent]
        unknown = {n: m for n, m in job.matched.unknown.items() if m.any() and n not in absent}
        return filled(full, whole, unknown)

    def score(
        self, frame: pd.DataFrame, bound: Bound = "elbo", draws: int = DRAWS, seed: int = 0
    ) -> pd.DataFrame:
        """How unusual each row is: `score` in nats, its parts `rate` and `nats:` of each column,
        and `percentile`: of 100 rows that the model did not learn, how many score lower (of the
        `elbo` alone)."""
        scorer = opening.scorer(self.artifact)
        chunks = scorer.chunks(from_frame(frame), bound, draws, seed)
        _warn(scorer.warning)
        return indexed(pa.concat_tables(chunks).to_pandas(), frame)

    def encode(self, frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
        """The point of each row in the latent space: posterior means `z0`, `z1`, ..., or the codes
        of a discrete latent. Points may be added, scaled and averaged before `decode`, codes may
        be exchanged."""
        chunks = opening.latent_space(self.artifact).encode(from_frame(frame), seed)
        return indexed(pa.concat_tables(chunks).to_pandas(), frame)

    def decode(
        self,
        z: pd.DataFrame | np.ndarray[Any, Any],
        seed: int = 0,
        given: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """A row drawn at each of the points `z` [n, Z], which `encode` gave or anybody made up.
        `given`: a value for some of the columns that the model is conditioned on; the others are
        drawn as often as in the training table."""
        space = opening.latent_space(self.artifact)
        rows = space.decode(np.asarray(z), seed, "typed", given=_texts(given))
        return self._frame(rows, space.codec)

    def reconstruct(self, frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
        """Each row drawn anew at its own point: what is kept of it is what the latent tells."""
        space = opening.latent_space(self.artifact)
        rows = self._frame(space.reconstruct(from_frame(frame), seed, "typed"), space.codec)
        return indexed(rows, frame)

    def interpolate(
        self, frame: pd.DataFrame, first: int = 0, last: int = -1, steps: int = 10, seed: int = 0
    ) -> pd.DataFrame:
        """`steps` rows on the way from one row of `frame` to another, named by position."""
        space, table = opening.latent_space(self.artifact), from_frame(frame)
        start, end = (len(table) + at if at < 0 else at for at in (first, last))
        way = space.interpolate(table, start, end, steps, seed, "typed")
        return self._frame([way], space.codec)

    def traverse(
        self, dim: int, steps: int = 10, row: pd.DataFrame | None = None, seed: int = 0
    ) -> pd.DataFrame:
        """`steps` rows that differ in dimension `dim` of the latent, around the first row of `row`,
        or around the prior's mean."""
        space, table = opening.latent_space(self.artifact), None
        if row is not None:
            table = from_frame(row)
        return self._frame([space.traverse(dim, steps, seed, "typed", table)], space.codec)

    def impute(self, frame: pd.DataFrame, draws: int = 1, seed: int = 0) -> pd.DataFrame:
        """`frame` with its missing cells drawn from the model, given what is observed in the row.
        Of several `draws` the frames stand one below the other, numbered in the index."""
        imputer = opening.imputer(self.artifact)
        job = imputer.job(from_frame(frame), seed, "typed")
        drawn = pa.concat_tables(imputer.chunks(job, draws)).to_pandas(integer_object_nulls=True)
        _warn(imputer.warning)
        unknown = {name: mask for name, mask in job.matched.holes.items() if mask.any()}
        tables = [drawn[i * len(frame) : (i + 1) * len(frame)] for i in range(draws)]
        whole = [filled(frame, table, unknown) for table in tables]
        return whole[0] if draws == 1 else pd.concat(whole, keys=range(draws), names=["draw"])

    def _frame(self, chunks: Iterable[pa.Table], codec: TableCodec) -> pd.DataFrame:
        """Chunks of typed rows as a frame, in the dtypes of the frame that was learnt."""
        schema = codec.arrow_schema("typed")
        drawn = pa.concat_tables([schema.empty_table(), *chunks])
        frame = drawn.to_pandas(integer_object_nulls=False)
        types = dict(zip(schema.names, schema.types, strict=True))
        return as_given(frame, self.artifact.content["frame_dtypes"], types)

    @property
    def artifact(self) -> Artifact:
        """The fitted model as data. UsageError before `fit`."""
        if self._artifact is None:
            raise UsageError("a model samples after it was fitted, but this one was not; call fit")
        return self._artifact

    def save(self, path: str | Path) -> None:
        """Write the model to one file; beside it its certificate, if it is private, and a note of
        the rows that `fit` left out, if it did."""
        model, artifact = Path(path), self.artifact
        artifact.save(model)
        if artifact.content.get("privacy"):
            certified.write(artifact, model)
        elif certified.names(model):  # it says nothing of the new model
            certified.beside(model).unlink()
        if self._aside is not None:
            Holdout.of(*self._aside, model).save(beside(model))

    @staticmethod
    def load(path: str | Path) -> Synthesizer:
        """A fitted Synthesizer from a file. ArtifactError if the file can't be trusted."""
        artifact = artifacts.load(Path(path))
        loaded = Synthesizer()
        loaded.settings = opening.settings_of(artifact)
        loaded._artifact = artifact
        return loaded


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Values as they would be written."""
    return {name: written(value) for name, value in (values or {}).items()}


def _warn(words: str) -> None:
    if words:
        warnings.warn(words, UserWarning, stacklevel=3)
