"""Rows that a fit leaves out, so that an audit can compare what was learnt with what was not.

Whether a row is left out follows from the seed, from what stands in it and, of equal rows, from how
many came before: never from where it stands. So the same rows in another order lose the same ones,
and one row more or less in a private fit's table is at most one more or less in what it learns.

Which rows they were is kept beside the model, as keyed hashes. Who holds that file and a row can
tell whether the row was left out: it stays where the table stays.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthvae.errors import ArtifactError, SchemaError
from synthvae.files import OWNER, write_bytes
from synthvae.marginals.forms import by_value
from synthvae.privacy.budget import ROW
from synthvae.seeds import derive
from synthvae.table import Column, Table

if TYPE_CHECKING:
    from synthvae.settings import Settings

SHARE = 0.1  # of the rows, by default
WANTED = 1000  # rows, where a fifth of the table has as many
FEWEST = 500  # rows: an audit of fewer can't pass
MOST = 0.2  # of the rows, unless more are asked for
FORMAT = 1
FULL = "%Y-%m-%d %H:%M:%S.%f"

Mask = NDArray[np.bool_]
Digests = NDArray[np.uint8]


def count_of(rows: int, share: float) -> int:
    """How many of `rows` to leave out: `share` of them, or 1,000 if that is at most a fifth; 0
    where not even 500 can be had, or none are asked for."""
    if share == 0:
        return 0
    wanted = max(round(share * rows), min(WANTED, int(MOST * rows)))
    return wanted if wanted >= FEWEST else 0


def is_noted(table: Table, settings: Settings) -> bool:
    """Whether a fit leaves a note of rows left out: of a private one also if there were none, since
    that would tell of rows."""
    plain = settings.privacy.epsilon is None
    return count_of(len(table) if plain else settings.privacy.rows, settings.holdout) > 0


def left_out(table: Table, settings: Settings) -> Mask:
    """Which rows [N] the fit of `settings` leaves out."""
    if settings.privacy.epsilon is None:
        return reserve(table, settings.holdout, settings.seed)
    unit = None if settings.privacy.unit == ROW else settings.privacy.unit
    rows = settings.privacy.rows
    return reserve_private(table, settings.holdout, settings.seed, rows, unit)


def reserve(table: Table, share: float, seed: int) -> Mask:
    """Which rows [N] a fit that is not private leaves out: `count_of` many."""
    count = count_of(len(table), share)
    if count == 0:
        return np.zeros(len(table), bool)
    keys = _numbers(_keyed(_marks(table), _key(seed)))
    mask: Mask = keys <= np.partition(keys, count - 1)[count - 1]
    return mask


def reserve_private(table: Table, share: float, seed: int, rows: int, unit: str | None) -> Mask:
    """Which rows [N] a private fit leaves out. `rows`: about how many there are, a public number;
    `unit`: the column whose value says whose a row is, of whom all rows are left out or none.

    Each row's (each unit's) lot is cast on its own, so that one more leaves those of the others as
    they are: what is learnt of neighbouring tables are neighbouring tables.
    """
    share = count_of(rows, share) / rows
    if unit is not None and unit not in table.names:
        return np.zeros(len(table), bool)  # the fit will refuse it
    marks = _marks(table) if unit is None else _owners(table[unit])
    keys = _numbers(_keyed(marks, _key(seed)))
    mask: Mask = keys < np.uint64(int(share * 2**64))
    return mask


def without(table: Table, mask: Mask) -> Table:
    """The rows that are learnt; what only the others hold is no longer there."""
    kept = table.rows(~mask)
    return Table(tuple(column.compact() for column in kept.columns), kept.frame_dtypes)


@dataclass(frozen=True)
class Holdout:
    """What is kept of the rows left out: a secret `salt` and `hashes` keyed with it. `model`: the
    SHA-256 of the model file that they belong to."""

    salt: bytes
    hashes: frozenset[str]
    model: str

    @staticmethod
    def of(table: Table, mask: Mask, model: Path) -> Holdout:
        """Of the rows of `table` in `mask`, under a salt that nobody knows."""
        salt = secrets.token_bytes(32)
        hashes = _keyed(_marks(table)[mask], salt)
        return Holdout(salt, frozenset(_texts(hashes)), sha256(model))

    def save(self, path: Path) -> None:
        """Write the file, for its owner's eyes only."""
        data = {
            "format": FORMAT,
            "model": self.model,
            "salt": self.salt.hex(),
            "rows": sorted(self.hashes),
        }
        write_bytes(path, (json.dumps(data, indent=0) + "\n").encode(), OWNER)

    def mask(self, table: Table) -> Mask:
        """Which rows [N] of the table that was fitted were left out. SchemaError if some of them
        are not in `table`: then others would count as learnt that were not."""
        found = self.found(table)
        if int(found.sum()) < len(self.hashes):
            raise SchemaError(
                "an audit takes the table that was fitted, as it was, but of the "
                f"{len(self.hashes):,} rows that the fit left out it has {int(found.sum()):,}; "
                "pass that very file, or rows that were not learnt with --holdout"
            )
        return found

    def found(self, table: Table) -> Mask:
        """Which rows [N] of any table are among them."""
        texts = _texts(_keyed(_marks(table), self.salt))
        return np.array([text in self.hashes for text in texts], bool)


def beside(model: Path) -> Path:
    """Where the rows left out of a model are noted: each model file has a note of its own."""
    return model.with_name(f"{model.name}.holdout.json")


def load(path: Path) -> Holdout:
    """Read the file. ArtifactError if it is none."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}")
        return Holdout(bytes.fromhex(data["salt"]), frozenset(data["rows"]), str(data["model"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"rows left out by a fit are noted beside its model, but '{path}' can't be read as "
            f"such a note ({error}); restore it, or pass rows that were not learnt with --holdout"
        ) from error


def sha256(path: Path) -> str:
    """Of a file's bytes, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _key(seed: int) -> bytes:
    return derive(seed, "holdout").to_bytes(8, "big")


def _marks(table: Table) -> Digests:
    """[N, 24]: what stands in each row, and how many equal ones came before it. How a typed value
    is written may depend on the other rows, so each has a form of its own first."""
    columns = sorted(table.columns, key=lambda column: column.name)
    columns = [by_value(column, FULL) for column in columns]
    cells = np.hstack([_cells(column)[column.codes] for column in columns])
    rows = _rows([hashlib.blake2b(row, digest_size=16).digest() for row in cells], 16)
    _, equal = np.unique(rows.view("V16").ravel(), return_inverse=True)
    order = np.argsort(equal, kind="stable")
    before = np.empty(len(rows), np.int64)
    before[order] = np.arange(len(rows)) - np.searchsorted(equal[order], equal[order])
    return np.hstack([rows, before[:, None].view(np.uint8)])


def _owners(column: Column) -> Digests:
    """[N, 8]: whose each row is."""
    column = by_value(column, FULL)
    return _cells(column)[column.codes]


def _cells(column: Column) -> Digests:
    """[L + 1, 8]: of each level, and last of null, which may be met as -1."""
    texts = [*(f"={text}" for text in column.texts), ""]
    name = column.name + "\x1f"
    found = [hashlib.blake2b((name + text).encode(), digest_size=8).digest() for text in texts]
    return _rows(found, 8)


def _keyed(marks: Digests, key: bytes) -> Digests:
    """[n, 16]"""
    found = [hashlib.blake2b(mark, digest_size=16, key=key).digest() for mark in marks]
    return _rows(found, 16)


def _rows(digests: Sequence[bytes], size: int) -> Digests:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, size)


def _numbers(digests: Digests) -> NDArray[np.uint64]:
    return np.ascontiguousarray(digests[:, :8]).view(">u8").ravel().astype(np.uint64)


def _texts(digests: Digests) -> list[str]:
    return [row.tobytes().hex() for row in digests]
