"""Identifiers of drawn rows, where other tables have a say: --real and --pool."""

from __future__ import annotations

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
    named = dict(map(_pool, pools or []))
    sampler.codec = pooled(sampler.codec, named)
    return (*(["--real"] if real is not None else []), *(f"--pool {name}" for name in named))


def _pool(entry: str) -> tuple[str, Column]:
    """COLUMN=FILE or COLUMN=FILE:NAME -> the column that draws, and the one that it draws from."""
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
    return column, table[name]
