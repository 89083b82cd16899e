"""Identifiers of drawn rows, where other tables have a say: --real and --pool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthvae.errors import UsageError

if TYPE_CHECKING:
    from synthvae.sampling import Sampler
    from synthvae.table import Column


def choose_identifiers(
    sampler: Sampler, real: str | None, pools: list[str] | None
) -> tuple[str, ...]:
    """Identifiers that are not those of the table `real`, or that are drawn from `pools`; which
    options had a say, without values."""
    from synthvae.keys import avoiding, pooled
    from synthvae.reading import read_table

    if real is not None:
        sampler.codec = avoiding(sampler.codec, read_table(real))
    found = [_pool(entry) for entry in pools or []]
    sampler.codec = pooled(sampler.codec, {name: column for name, column, _ in found})
    own = [_hashed("--real", real)] if real is not None else []
    return (*own, *(said for _, _, said in found))


def _hashed(what: str, path: str) -> str:
    """`what`, and which file that was: rows of another can't go on with those of this one."""
    from synthvae.outputs.record import hash_of

    return what if path == "-" else f"{what} sha256={hash_of(Path(path))}"


def _pool(entry: str) -> tuple[str, Column, str]:
    """COLUMN=FILE or COLUMN=FILE:NAME -> the column that draws, the one that it draws from, and
    what is noted of both."""
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
    return column, table[name], _hashed(f"--pool {column}={name}", path)
