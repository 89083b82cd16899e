"""Columns made of texts, and ledgers whose noise is known and that note what they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthvae import metadata as metadatas
from synthvae.metadata import Metadata
from synthvae.privacy.budget import Budget
from synthvae.privacy.entries import Noisy
from synthvae.privacy.ledger import Ledger
from synthvae.table import Column, Table
from tests.conftest import Tape

Texts = Sequence[str | None]


@dataclass(frozen=True)
class Asked:
    """What a ledger was asked to release; `counts` by cell, or by name."""

    kind: str
    stage: str
    what: str
    terms: tuple[float, ...]
    sensitivity: float
    counts: Any

    @property
    def public(self) -> tuple[object, ...]:
        """All but the counts themselves, and how many names there were."""
        shape = () if self.kind == "keys" else (self.counts.shape, str(self.counts.dtype))
        return (self.kind, self.stage, self.what, self.terms, self.sensitivity, *shape)


class Door(Ledger):
    """A ledger that notes what it is asked. If it is `like` another, its noise is such that what it
    releases is what that one released, for the same questions."""

    def __init__(self, budget: Budget, noise: Tape, share: float, like: Door | None = None) -> None:
        super().__init__(budget, noise, share)
        self.asked: list[Asked] = []
        self.released: list[Any] = []
        self._like = like

    def counts(
        self, stage: str, what: str, counts: Any, share: float, sensitivity: float = 1.0
    ) -> Noisy:
        wanted = self._ask(Asked("counts", stage, what, (share,), sensitivity, counts))
        self._noise.wanted = None if wanted is None else wanted - counts
        self.released.append(super().counts(stage, what, counts, share, sensitivity))
        return self.released[-1]

    def keys(
        self, stage: str, what: str, counts: Mapping[str, int], share: float, delta: float
    ) -> dict[str, float]:
        wanted = self._ask(Asked("keys", stage, what, (share, delta), 1.0, dict(counts)))
        if wanted is not None:
            names = sorted(name for name, count in counts.items() if count > 0)
            # A name that the other did not release stays below the threshold.
            self._noise.wanted = np.array([wanted.get(n, 0.0) - counts[n] for n in names])
        self.released.append(super().keys(stage, what, counts, share, delta))
        return self.released[-1]

    def best(self, stage: str, what: str, scores: Any, most: int, share: float) -> Any:
        wanted = self._ask(Asked("best", stage, what, (share, most), 1.0, scores))
        self._noise.chosen = [] if wanted is None else list(wanted)
        self.released.append(super().best(stage, what, scores, most, share))
        return self.released[-1]

    def _ask(self, asked: Asked) -> Any:
        """What the other released for the same question; None if it was not asked."""
        at = len(self.asked)
        self.asked.append(asked)
        other = self._like
        if other is None or at >= len(other.released) or other.asked[at].public != asked.public:
            return None
        released = other.released[at]
        return released.values if asked.kind == "counts" else released


@pytest.fixture(scope="session")
def make_column() -> Callable[..., Column]:
    return _column


def _column(texts: Texts, storage: str = "text", name: str = "c") -> Column:
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Column(name, codes.astype(np.int32), encoded.dictionary, storage)


@pytest.fixture(scope="session")
def make_table() -> Callable[[Mapping[str, Texts]], Table]:
    """A table from texts by column name."""
    return lambda columns: Table(tuple(_column(t, name=name) for name, t in columns.items()))


@pytest.fixture(scope="session")
def make_ledger() -> Callable[..., Door]:
    """Without noise, or with as much as it says times `scale`."""

    def make(epsilon: float = 1.0, scale: float = 0.0, keys: float = 0.1) -> Door:
        return Door(Budget(epsilon), Tape(scale), keys)

    return make


@pytest.fixture(scope="session")
def make_door() -> Callable[..., Door]:
    """The ledger of a fit, which releases what the ledger `like` did."""

    def make(budget: Budget, share: float, like: Door | None) -> Door:
        return Door(budget, Tape(), share, like)

    return make


@pytest.fixture(scope="session")
def described() -> Callable[..., Metadata]:
    """Metadata from entries by column name; a plain text is an sdtype."""

    def make(**columns: Any) -> Metadata:
        entries = {n: {"sdtype": e} if isinstance(e, str) else e for n, e in columns.items()}
        content = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": entries}
        return metadatas.parse(content, "metadata")

    return make
