"""Private fits of which all is seen, of a table and of its neighbour."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthvae import private
from synthvae.journal import Journal
from synthvae.marginals import chain
from synthvae.marginals.engine import draw_private
from synthvae.metadata import Metadata
from synthvae.privacy import ledger as ledgers
from synthvae.privacy.accounting import Composed, Event
from synthvae.privacy.budget import Budget
from synthvae.privacy.gaussian import epsilon_of
from synthvae.settings import Settings, parse
from synthvae.table import Table, from_arrow

ROWS = 240


@dataclass
class Seen:
    """All that comes of a private fit."""

    door: Any = None
    artifact: bytes = b""
    claim: Any = None
    drawn: Any = None
    progress: list[Any] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    words: str = ""
    warned: list[str] = field(default_factory=list)
    failed: str = ""

    def differences(self, other: Seen) -> list[str]:
        """What anybody could tell the two fits apart by."""
        names = ("artifact", "claim", "drawn", "progress", "files", "words", "warned", "failed")
        found = [name for name in names if getattr(self, name) != getattr(other, name)]
        questions = [[asked.public for asked in seen.door.asked] for seen in (self, other)]
        return found + (["questions"] if questions[0] != questions[1] else [])

    def moves(self, other: Seen) -> list[tuple[str, float, float]]:
        """Of each release: the L2 distance of both fits' exact counts, of scores by which is chosen
        the largest; and what was declared."""
        return [
            (
                a.what,
                _distance(a.counts, b.counts, np.inf if a.kind == "best" else 2),
                a.sensitivity * self.door.budget.contributions,
            )
            for a, b in zip(self.door.asked, other.door.asked, strict=True)
        ]


def _distance(a: Any, b: Any, norm: float) -> float:
    if isinstance(a, dict):
        names = sorted({*a, *b})
        a, b = (np.array([counts.get(name, 0) for name in names]) for counts in (a, b))
    return float(np.linalg.norm((a - b).ravel(), norm)) if a.shape == b.shape else np.inf


def rows(count: int = ROWS) -> dict[str, list[str]]:
    """Texts by column; columns depend on each other, some are missing, some were not declared."""
    rng = np.random.default_rng(3)
    group = rng.choice(["low", "high"], count)
    found = np.round(np.where(group == "low", 2.0, 9.0) + rng.normal(0, 1, count), 1)
    days = np.datetime64("2020-01-01") + rng.integers(0, 400, count)
    return {
        "group": group.tolist(),
        "declared": rng.choice(["a", "b", "c", ""], count).tolist(),
        "found": [str(x) if i % 9 else "NA" for i, x in enumerate(found.tolist())],
        "bounded": rng.integers(0, 2000, count).astype(str).tolist(),
        "flag": rng.choice(["yes", "no"], count).tolist(),
        "day": days.astype(str).tolist(),
        "id": [f"K-{i}" for i in range(count)],
        "mail": [f"{i}@example.org" for i in range(count)],
    }


def with_row(columns: dict[str, list[str]], row: dict[str, str]) -> dict[str, list[str]]:
    """One row more, before all others: so each text has another code too."""
    return {name: [row.get(name, texts[0]), *texts] for name, texts in columns.items()}


def quicken(patch: pytest.MonkeyPatch) -> None:
    """Fits that take no time: what is learnt well is of no interest. Costs are computed in closed
    form, which is exact where nothing is sampled."""
    patch.setattr(chain, "ITERATIONS", 3)
    patch.setattr(private, "ROWS", 200)
    patch.setattr(ledgers, "composed", lambda e, delta: Composed(*[epsilon(e, delta)] * 2))


def noise(events: Iterable[Event]) -> float:
    return sum(event.steps * (event.rate / event.noise) ** 2 for event in events) ** -0.5


def epsilon(events: Iterable[Event], delta: float) -> float:
    return epsilon_of(noise(events), delta)


@pytest.fixture(scope="session")
def watched(
    tmp_path_factory: pytest.TempPathFactory, make_door: Callable[..., Any]
) -> Callable[..., Seen]:
    """`watched(table, metadata, settings, like)`: a private fit, and all that comes of it."""

    def fit(table: Table, metadata: Metadata, settings: Settings, like: Seen | None = None) -> Seen:
        seen, folder, out = Seen(), tmp_path_factory.mktemp("journal"), io.StringIO()

        def opened(budget: Budget, _: None, share: float) -> Any:
            seen.door = make_door(budget, share, like.door if like else None)
            return seen.door

        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(out),
            redirect_stderr(out),
            warnings.catch_warnings(record=True) as warned,
        ):
            warnings.simplefilter("always")
            quicken(patch)
            patch.setattr(private, "Ledger", opened)
            patch.setattr(private, "draw_private", noting(seen))
            try:
                watch, journal = noting_progress(seen), Journal(folder)
                artifact = private.fit(table, metadata, settings, watch, journal, threads=1)
            except Exception as error:  # what is raised may tell of a row too
                seen.failed = f"{type(error).__name__}: {error}"
            else:
                seen.artifact, seen.claim = artifact.to_bytes(), artifact.content["privacy"]
        seen.words, seen.warned = out.getvalue(), [str(each.message) for each in warned]
        paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
        seen.files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
        return seen

    return fit


def noting_progress(seen: Seen) -> Callable[..., None]:
    return lambda progress, epochs: seen.progress.append(repr((progress.history, epochs)))


def noting(seen: Seen) -> Callable[..., Any]:
    def noted(*args: Any) -> Any:
        drawn = draw_private(*args)
        rows = {c.name: [[*c.texts, None][code] for code in c.codes] for c in drawn.table.columns}
        seen.drawn = (rows, drawn.rows, drawn.provenance)
        return drawn

    return noted


@pytest.fixture(scope="session")
def meta(described: Callable[..., Metadata]) -> Metadata:
    return described(
        group="categorical",
        declared={"sdtype": "categorical", "range_values": ["a", "b"]},
        found="numerical",
        bounded={"sdtype": "numerical", "range_min": 0, "range_max": 5000, "decimal_places": 0},
        flag="boolean",
        day={"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
        id="id",
        mail="email",
    )


@pytest.fixture(scope="session")
def spending() -> Callable[..., Settings]:
    """Settings by what a fit may cost."""
    training = {"epochs": 1, "batch": 100}
    return lambda **privacy: parse(
        {
            "preset": "tvae",
            "training": training,
            "privacy": {"epsilon": 20.0, "engine": "marginals", **privacy},
        }
    )


@pytest.fixture(scope="session")
def settings(spending: Callable[..., Settings]) -> Settings:
    return spending()


@pytest.fixture
def columns() -> dict[str, list[str]]:
    return rows()


@pytest.fixture
def typed_pair(
    pair_of: Fits, described: Callable[..., Metadata], settings: Settings
) -> Callable[..., tuple[Seen, Seen]]:
    """The same of `typed()`, whose row more is `row`."""
    at = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d %H:%M:%S"}
    metadata = described(code="categorical", at=at)
    return lambda row: pair_of(typed(), typed(row), metadata, settings)


def typed(row: dict[str, Any] | None = None) -> Table:
    """Codes stored as floats, zero with both signs, and moments of whole seconds."""
    rng = np.random.default_rng(4)
    code = rng.choice([12345678901.0, 98765432100.0, -0.0, 3.0], ROWS)
    at = np.datetime64("2020-01-01T10:00:00", "ns") + 86_400_000_000_000 * np.arange(ROWS)
    columns = {"code": code, "at": at}
    if row:
        columns = {n: np.append(v, np.array(row.get(n, v[0]), v.dtype)) for n, v in columns.items()}
    return from_arrow(pa.table(columns), "a test")


Fits = Callable[..., tuple[Seen, Seen]]


@pytest.fixture(scope="session")
def pair_of(watched: Callable[..., Seen]) -> Fits:
    """Fits of a table and of its neighbour, with the same released values."""

    def fits(table: Table, larger: Table, metadata: Metadata, spec: Settings) -> tuple[Seen, Seen]:
        one = watched(table, metadata, spec)
        return one, watched(larger, metadata, spec, one)

    return fits


@pytest.fixture(scope="session")
def untouched(
    watched: Callable[..., Seen], make_table: Any, meta: Metadata, settings: Settings
) -> Seen:
    """A fit of `rows()`."""
    return watched(make_table(rows()), meta, settings)


@pytest.fixture
def next_to(
    untouched: Seen,
    watched: Callable[..., Seen],
    make_table: Any,
    meta: Metadata,
    settings: Settings,
) -> Callable[..., Seen]:
    """A fit of one row more, whose values `row` names by column, that released the same."""
    return lambda row: watched(make_table(with_row(rows(), row)), meta, settings, untouched)


@pytest.fixture
def pair(pair_of: Fits, make_table: Any, meta: Metadata, settings: Settings) -> Fits:
    """Both fits, anew."""
    return lambda row: pair_of(
        make_table(rows()), make_table(with_row(rows(), row)), meta, settings
    )
