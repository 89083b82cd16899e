"""Identifiers of drawn rows, where other tables have a say: --real and --pool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthvae.errors import UsageError

if TYPE_CHECKING:
    from synthvae.sampling import Sampler
    from synthvae.table import Column


@dataclass(frozen=True)
class Chosen:
    """Which options had a say, without values, and hashes of their files."""

    keys: tuple[str, ...]
    files: tuple[str, ...]


def choose_identifiers(sampler: Sampler, real: str | None, pools: list[str] | None) -> Chosen:
    """Identifiers that are not those of the table `real`, or that are drawn from `pools`."""
    from synthvae.keys import avoiding, pooled
    from synthvae.reading import read_table

    paths = [] if real is None else [real]
    if real is not None:
        sampler.codec = avoiding(sampler.codec, read_table(real))
    found = [_pool(entry) for entry in pools or []]
    sampler.codec = pooled(sampler.codec, {name: column for name, column, _ in found})
    keys = (*(["--real"] if paths else []), *(f"--pool {name}" for name, _, _ in found))
    return Chosen(keys, tuple(map(_hash, [*paths, *(path for _, _, path in found)])))


def _hash(path: str) -> str:
    from synthvae.outputs.record import hash_of

    return "" if path == "-" else hash_of(Path(path))


def _pool(entry: str) -> tuple[str, Column, str]:
    """COLUMN=FILE or COLUMN=FILE:NAME -> the column that draws, the one that it draws from, and
    the file of that."""
    from synthvae.reading import read_table

    column, _, source = entry.partition("=")
    if not source:
        raise UsageError(f"--pool takes COLUMN=FILE, but it is '{entry}'; put a '=' between them")
    path, _, name = source.rpartition(":") if ":" in source else (source, "", column)
    table = read_table(path)
    if name not in table.names:
        raise UsageError(
            f"a pool is a column of its file, but '{path}' has no column '{name}'; add it as "
            f"--pool {column}={path}:NAME"
        )
    return column, table[name], path
