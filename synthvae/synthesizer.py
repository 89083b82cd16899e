"""The Python API: fit a frame, sample frames, save, load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from synthvae import artifact as artifacts
from synthvae import metadata as metadatas
from synthvae import pipeline
from synthvae.artifact import Artifact
from synthvae.errors import UsageError
from synthvae.settings import DEFAULT_PRESET, parse
from synthvae.table import from_frame


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
        self._artifact: Artifact | None = None

    def fit(self, frame: pd.DataFrame, metadata: Mapping[str, Any] | None = None) -> Synthesizer:
        """Learn `frame`; `metadata` is the content of an SDV metadata file, detected if None."""
        described = metadatas.parse(metadata, "metadata") if metadata is not None else None
        self._artifact = pipeline.fit(from_frame(frame), described, self.settings)
        return self

    def sample(self, n: int, seed: int = 0, given: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """`n` new rows. The same model, seed and position give the same row, whatever `n` is.

        `given`: values for columns that the model is conditioned on.
        """
        sampler = pipeline.sampler(self.artifact)
        texts = {name: _written(value) for name, value in (given or {}).items()}
        chunks = list(sampler.chunks(n, seed, "typed", texts))
        schema = sampler.codec.arrow_schema("typed")
        table = pa.Table.from_batches([], schema) if not chunks else pa.concat_tables(chunks)
        frame = table.to_pandas(integer_object_nulls=False)
        return _as_given(frame, self.artifact.content["frame_dtypes"])

    @property
    def artifact(self) -> Artifact:
        """The fitted model as data. UsageError before `fit`."""
        if self._artifact is None:
            raise UsageError("a model samples after it was fitted, but this one was not; call fit")
        return self._artifact

    def save(self, path: str | Path) -> None:
        """Write the model to one file."""
        self.artifact.save(Path(path))

    @staticmethod
    def load(path: str | Path) -> Synthesizer:
        """A fitted Synthesizer from a file. ArtifactError if the file can't be trusted."""
        artifact = artifacts.load(Path(path))
        loaded = Synthesizer()
        loaded.settings = pipeline.settings_of(artifact)
        loaded._artifact = artifact
        return loaded


def _written(value: Any) -> str:
    """A given value as the columns of a frame are met: Arrow's text of it."""
    scalar = pa.scalar(value.item() if hasattr(value, "item") else value)
    if pa.types.is_timestamp(scalar.type):
        scalar = scalar.cast(pa.timestamp("s"), safe=False)
    return "" if not scalar.is_valid else str(scalar.cast(pa.string()).as_py())


def _as_given(frame: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """The dtypes of the frame that was learnt; columns read from a file keep what Arrow gave."""
    text = [str(name) for name in frame.select_dtypes("category")]
    inferred = {name: "object" for name in text if name not in dtypes}
    given = {n: dtype for n, dtype in dtypes.items() if str(frame[n].dtype) != dtype}
    others = {**inferred, **given}
    return frame.astype(others)
