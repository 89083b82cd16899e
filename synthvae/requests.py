"""What was asked of a model: all that, with the model, decides which rows are drawn.

A request is plain JSON in a manifest, so that rows can be drawn again from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import pyarrow as pa

from synthvae.acceptance import PATIENCE, Tally
from synthvae.balancing import balanced
from synthvae.conditional import Conditional, Kind
from synthvae.errors import TableError
from synthvae.sampling import Sampler, after
from synthvae.storage import View

_SELDOM = ("where", "values", "conditions", "keys")  # not noted where nothing was asked for


@dataclass(frozen=True)
class Request:
    """`rows` rows of `seed`. `given`: values of columns that the model is conditioned on.
    `counts`, if any: rows of each value of `column`, `rows` in all. `where`, if any: a condition
    that all of them meet; `values` of columns that are set. `conditions`: columns that some cells
    were given of. `keys`: which other tables had a say in identifiers, without which they can't be
    drawn again. `files`: hashes of these and of given cells, for a run that goes on to have the
    same, in no manifest: who knows all rows of a table but one could try what that one is.
    `patience` in seconds and the `tally` of candidates change no row."""

    rows: int
    seed: int = 0
    given: Mapping[str, str] = field(default_factory=dict)
    column: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    where: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    files: tuple[str, ...] = field(default=(), compare=False)
    patience: float = field(default=PATIENCE, compare=False)
    tally: Tally = field(default_factory=Tally, compare=False)

    def chunks(
        self, sampler: Sampler, view: View, threads: int | None = None, first: int = 0
    ) -> Iterator[pa.Table]:
        """The rows from number `first` on. Balanced ones, and those that meet a condition, are
        drawn from the beginning and those before `first` dropped, since which they are depends on
        what came before."""
        if self.conditional:
            kind = Kind.of(sampler, self.where, self.given, self.values)
            asked = Conditional(sampler, kind, self.tally)
            return after(asked.chunks(self.rows, self.seed, view, threads, self.patience), first)
        if not self.counts:
            return sampler.chunks(self.rows, self.seed, view, self.given, threads, first)
        args = (sampler, self.column, self.counts, self.seed, view, self.given, threads)
        return after(balanced(*args), first)

    @property
    def beyond(self) -> str:
        """What had a say beside the model, so that it alone can't draw the rows again; or ""."""
        if self.conditions:
            return f"cells of {', '.join(self.conditions)} were given"
        return f"{', '.join(self.keys)} had a say in identifiers" if self.keys else ""

    @property
    def random_access(self) -> bool:
        """Whether rows can be drawn without those before them."""
        return not self.counts and not self.conditional

    @property
    def conditional(self) -> bool:
        return self.where is not None or bool(self.values)

    def loose(self) -> tuple[str, ...]:
        """Columns whose values the user gave."""
        return (*self.given, *self.values)

    def to_json(self) -> dict[str, Any]:
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.compare}
        return {name: value for name, value in own.items() if value or name not in _SELDOM}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Request:
        """TableError for a request that this version can't make."""
        lists = dict[str, Any](conditions=[], keys=[])
        known = {**Request(0).to_json(), "where": "", "values": {}, **lists}
        wrong = [name for name, value in data.items() if not _is_like(value, known.get(name))]
        if wrong or "rows" not in data:
            raise TableError(
                "a manifest holds a request that can be made again, but in this one "
                f"{', '.join(wrong or ['rows'])} can't be; use the synthvae that wrote it"
            )
        return Request(**data)


def _is_like(value: Any, empty: Any) -> bool:
    """Whether `value` is of the type of `empty`, and if it is a mapping, of texts or counts."""
    inner = value.values() if isinstance(value, dict) else ()
    return type(value) is type(empty) and all(type(one) in (str, int) for one in inner)
