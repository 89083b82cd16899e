"""Rows to points of the latent space, and points to rows: encode, decode, and ways between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.conditions import Conditions
from synthvae.errors import UsageError
from synthvae.layout import Encoded
from synthvae.matching import match, match_known
from synthvae.model.compute import in_order, rows_at_once
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.sampling import Fixed, Sampler
from synthvae.seeds import stream
from synthvae.storage import View
from synthvae.table import Table

_BLOCK = (1 << 21, 64, 4096)  # values of the widest array; fewest and most rows
_PRIOR_DRAWS = 4096
_TAIL = 0.005  # a dimension is traversed between these tails of the prior


class LatentSpace:
    """`model` and `codec` of one artifact. A point is the mean of a row's posterior, or the codes
    of a discrete latent."""

    def __init__(self, model: Vae, codec: TableCodec, conditions: Conditions) -> None:
        self.model, self.codec = model, codec
        self.sampler = Sampler(model, codec, conditions)
        self.block_rows = rows_at_once(model.heads.outputs, *_BLOCK)

    @property
    def schema(self) -> pa.Schema:
        """Of points: `z0`, `z1`, ... or `code0`, `code1`, ..."""
        space = self.model.space
        if space.slots:
            return pa.schema([(f"code{i}", pa.int32()) for i in range(space.slots)])
        return pa.schema([(f"z{i}", pa.float32()) for i in range(space.size)])

    def encode(self, table: Table, seed: int = 0, threads: int | None = None) -> Iterator[pa.Table]:
        """Arrow tables of `schema`, a point for each row. SchemaError for a table that the model
        can't read."""
        return self._encoded(self._rows(table, seed), threads)

    def _encoded(self, rows: Rows, threads: int | None) -> Iterator[pa.Table]:
        def block(start: int) -> pa.Table:
            index = self._index(start, len(rows))
            points = self._points(rows.at(index)).numpy()
            columns = [pa.array(column) for column in np.ascontiguousarray(points.T)]
            return pa.table(columns, schema=self.schema).slice(0, len(rows) - start)

        return in_order(block, range(0, len(rows), self.block_rows), threads)

    def vectors(
        self, table: Table, seed: int = 0, threads: int | None = None
    ) -> NDArray[np.float32]:
        """[N, Z]: the points of `table`, or the vectors that its codes stand for. Cells that the
        model can't read count as unknown."""
        rows = Rows.of(match_known(self.codec, table, seed).encoded)
        found = [
            np.column_stack([column.to_numpy() for column in chunk.columns])
            for chunk in self._encoded(rows, threads)
        ]
        points: NDArray[np.float32] = self._embed(torch.tensor(np.concatenate(found))).numpy()
        return points

    def decode(
        self,
        points: NDArray[np.generic],
        seed: int,
        view: View,
        threads: int | None = None,
        given: Mapping[str, str] | None = None,
    ) -> Iterator[pa.Table]:
        """Rows drawn from p(x | z) at `points` [n, Z] or [n, S]; conditions as they are `given`,
        else as often as in the training table. UsageError for points or values that are none."""
        tensor, fixed = self._checked(points), self.sampler.fixed(given or {})

        def block(start: int) -> pa.Table:
            index = self._index(start, len(tensor))
            rng = stream(seed, "conditions", start)
            known = self._drawn_conditions(len(index), rng, fixed)
            decoded = self._decoded(self._embed(tensor[index]), known, start, seed, view)
            return self.sampler.shown(decoded, fixed, view).slice(0, len(tensor) - start)

        return in_order(block, range(0, len(tensor), self.block_rows), threads)

    def reconstruct(
        self, table: Table, seed: int, view: View, threads: int | None = None
    ) -> Iterator[pa.Table]:
        """Each row drawn anew from p(x | z) at its own point, under its own conditions."""
        rows = self._rows(table, seed)

        def block(start: int) -> pa.Table:
            some = rows.at(self._index(start, len(rows)))
            z = self._embed(self._points(some))
            decoded = self._decoded(z, some.part(self.model.given), start, seed, view)
            return decoded.slice(0, len(rows) - start)

        return in_order(block, range(0, len(rows), self.block_rows), threads)

    def interpolate(
        self, table: Table, first: int, last: int, steps: int, seed: int, view: View
    ) -> pa.Table:
        """`steps` rows on the straight way from the point of row `first` to that of row `last`,
        counted from 0. All are drawn by the same random numbers, so that what changes follows from
        the latent. Conditions are those of the nearer end."""
        ends = self._chosen(table, seed, first, last)
        share = torch.linspace(0, 1, _at_least(steps, 2))
        z = self._embed(self._points(ends))
        way = z[:1] + share[:, None] * (z[1:] - z[:1])
        given = ends.part(self.model.given).at((share >= 0.5).long())
        return self._decoded(way, given, 0, seed, view, same=True)

    def traverse(
        self,
        dim: int,
        steps: int,
        seed: int,
        view: View,
        table: Table | None = None,
        row: int = 0,
    ) -> pa.Table:
        """`steps` rows that differ in one dimension of z, from the lowest 0.5 % of the prior to the
        highest, around row `row` of `table`, or around the prior's mean. All are drawn by the same
        random numbers."""
        size = self.model.space.size
        if not 0 <= dim < size:
            raise UsageError(f"dimensions of z are 0 to {size - 1}, but it is {dim}; correct it")
        rng = stream(seed, "traverse")
        prior = self._prior(rng)
        if table is None:
            around, given = prior.mean(dim=0), self._drawn_conditions(1, rng)
        else:
            one = self._chosen(table, seed, row)
            around, given = self._embed(self._points(one))[0], one.part(self.model.given)
        ends = torch.quantile(prior[:, dim], torch.tensor([_TAIL, 1 - _TAIL]))
        way = around.repeat(_at_least(steps, 1), 1)
        way[:, dim] = torch.linspace(float(ends[0]), float(ends[1]), steps)
        only = torch.zeros(steps, dtype=torch.long)
        return self._decoded(way, given.at(only), 0, seed, view, same=True)

    def _checked(self, points: NDArray[np.generic]) -> Tensor:
        """`points` as the latent takes them. UsageError if they are none."""
        space, names = self.model.space, self.schema.names
        if points.ndim != 2 or points.shape[1] != len(names):
            raise UsageError(
                f"a point has {len(names)} numbers, {names[0]} to {names[-1]}, "
                f"but an array of shape {points.shape} is given; pass one row a point"
            )
        numbers = points.astype(np.float64)
        if not space.slots:
            if not np.isfinite(numbers).all():
                raise UsageError("a point has finite numbers, but some are not; correct them")
            return torch.tensor(numbers, dtype=torch.float32)
        known = (numbers >= 0) & (numbers < space.classes) & (numbers == np.floor(numbers))
        if not known.all():
            raise UsageError(
                f"a point of this latent is a row of codes, whole numbers from 0 to "
                f"{space.classes - 1}, but {numbers[~known][0]:g} is given; pass codes that "
                "`encode` could give: they can be exchanged, not averaged"
            )
        return torch.tensor(numbers, dtype=torch.int64)

    def _rows(self, table: Table, seed: int) -> Rows:
        return Rows.of(match(self.codec, table, seed).encoded)

    def _index(self, start: int, rows: int) -> Tensor:
        """The rows of a block, always whole: products round differently at different shapes."""
        return torch.arange(start, start + self.block_rows).clamp(max=rows - 1)

    @torch.no_grad()
    def _points(self, rows: Rows) -> Tensor:
        posterior = self.model.encode(rows, torch.zeros(len(rows), self.model.space.size))
        return posterior.mean if posterior.codes is None else posterior.codes

    @torch.no_grad()
    def _embed(self, points: Tensor) -> Tensor:
        return self.model.latent.embed(points)

    @torch.no_grad()
    def _prior(self, rng: np.random.Generator) -> Tensor:
        noise = self.model.noise(rng, _PRIOR_DRAWS)
        return self.model.latent.embed(self.model.prior.sample(noise))

    def _drawn_conditions(
        self, rows: int, rng: np.random.Generator, fixed: Fixed | None = None
    ) -> Rows:
        codes = self.sampler.conditions.draw(rng, rows, fixed.codes if fixed else None)
        return Rows.of(Encoded(codes, np.empty((rows, 0), np.float32)))

    @torch.no_grad()
    def _decoded(
        self, z: Tensor, given: Rows, start: int, seed: int, view: View, same: bool = False
    ) -> pa.Table:
        """`same`: one row of noise for all."""
        noise = self.model.noise(stream(seed, "decode", start), 1 if same else len(z))
        if same:
            noise = noise.at(torch.zeros(len(z), dtype=torch.long))
        rows = self.model.decode(z, given, noise)
        return self.codec.decode(rows.encoded(), Draw(seed, start, alike=same), view)

    def _chosen(self, table: Table, seed: int, *rows: int) -> Rows:
        for row in rows:
            if not 0 <= row < len(table):
                raise UsageError(
                    f"rows of the table, counted from 1, are 1 to {len(table):,}, but row "
                    f"{row + 1:,} is asked for; choose one of them"
                )
        return self._rows(table, seed).at(torch.tensor(rows))


def _at_least(steps: int, fewest: int) -> int:
    if steps < fewest:
        raise UsageError(f"a way has {fewest} steps or more, but it is {steps}; correct it")
    return steps
