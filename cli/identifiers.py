"""Identifiers of drawn rows, where other tables have a say: --real and --pool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthvae.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthvae.sampling import Sampler
    from synthvae.table import Column, Table


@dataclass(frozen=True)
class Chosen:
    """Identifiers that are not those of the table `real`, or that are drawn from `pools`, by
    column; `files`: hashes of the files of both."""

    real: Table | None
    pools: Mapping[str, Column]
    files: tuple[str, ...]

    @staticmethod
    def of(real: str | None, pools: list[str] | None) -> Chosen:
        """The tables, read. UsageError for a pool that is none."""
        from synthvae.reading import read_table

        table = None if real is None else read_table(real)
        found = [_pool(entry) for entry in pools or []]
        paths = [*([] if real is None else [real]), *(path for _, _, path in found)]
        columns = {name: column for name, column, _ in found}
        return Chosen(table, columns, tuple(map(_hash, paths)))

    @property
    def keys(self) -> tuple[str, ...]:
        """Which options had a say, without values."""
        return (*([] if self.real is None else ["--real"]), *(f"--pool {n}" for n in self.pools))

    def told(self, sampler: Sampler) -> None:
        """`sampler` draws such identifiers from now on."""
        from synthvae.keys import avoiding, pooled

        if self.real is not None:
            sampler.codec = avoiding(sampler.codec, self.real)
        sampler.codec = pooled(sampler.codec, self.pools)


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
