"""How usual each row is to a fitted model: nats that it takes to write the row down, by column.

The score is the negative evidence lower bound, or the tighter bound of several weighted draws
(Burda et al. 2016), under the prior that the model samples from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthvae.codecs.table_codec import TableCodec
from synthvae.errors import UsageError
from synthvae.matching import match
from synthvae.model.compute import in_order, rows_at_once
from synthvae.model.vae import Vae
from synthvae.model.values import Posterior, Rows
from synthvae.seeds import stream
from synthvae.table import Table

Bound = Literal["elbo", "iwae"]
DRAWS = 8
QUANTILES = 101
HELD_OUT = 10_000  # rows that quantiles are taken from, at most
_BLOCK = (1 << 20, 64, 2048)  # values of the widest array; fewest and most rows


@dataclass(frozen=True)
class Scores:
    """Of each row: `total` [B] nats, which are the `nats` [B, K] of the modelled blocks and the
    `rate` [B], what the latent tells."""

    total: Tensor
    nats: Tensor
    rate: Tensor


@torch.no_grad()
def scores(model: Vae, rows: Rows, noise: Tensor, bound: Bound) -> Scores:
    """Rows [B] of the whole layout, noise [draws, B, Z] -> Scores.

    `elbo` averages over the draws. `iwae` is minus log-mean-exp of log p(x, z) - log q(z | x); its
    parts are averaged by the same weights, and its rate is the rest, an estimate of
    KL(p(z | x) || p(z)).
    """
    drawn = [_draw(model, rows, one) for one in noise]
    nats = torch.stack([part for part, _ in drawn])  # [draws, B, K]
    rate = torch.stack([part for _, part in drawn])  # [draws, B]
    totals = nats.sum(dim=2) + rate
    if bound == "elbo":
        return Scores(totals.mean(dim=0), nats.mean(dim=0), rate.mean(dim=0))
    total = math.log(len(noise)) - torch.logsumexp(-totals, dim=0)
    weighted = (torch.softmax(-totals, dim=0)[:, :, None] * nats).sum(dim=0)
    return Scores(total, weighted, total - weighted.sum(dim=1))


def _draw(model: Vae, rows: Rows, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Of one draw of the posterior: nats [B, K], and log q(z | x) - log p(z) [B]."""
    posterior = model.encode(rows, noise)
    modelled, given = rows.part(model.modelled), rows.part(model.given)
    nats = model.heads.nats(model.decoder(posterior.z, modelled, given), modelled)
    point = point_of(posterior)
    return nats, log_posterior(posterior, point) - model.prior.log_density(point)


def point_of(posterior: Posterior) -> Tensor:
    """What the prior describes: z [B, Z], or the codes [B, S] of a discrete latent."""
    return posterior.z if posterior.codes is None else posterior.codes


def log_posterior(posterior: Posterior, point: Tensor) -> Tensor:
    """log q(point | x) [B] nats; 0 for a discrete latent, whose codes follow from the row."""
    if posterior.codes is not None:
        return point.new_zeros(len(point), dtype=torch.float32)
    off = (point - posterior.mean) ** 2 * torch.exp(-posterior.log_var)
    return -0.5 * (off + posterior.log_var + math.log(2 * math.pi)).sum(dim=1)


def quantiles(model: Vae, held_out: Rows, seed: int) -> list[float]:
    """101 quantiles of the scores (elbo) of rows that the model was not trained on."""
    held_out, rng = held_out.at(slice(0, HELD_OUT)), np.random.default_rng(seed)
    size = rows_at_once(model.heads.outputs, *_BLOCK)
    totals = []
    for start in range(0, len(held_out), size):
        rows = held_out.at(slice(start, start + size))
        totals.append(scores(model, rows, _noise(rng, len(rows), model, DRAWS), "elbo").total)
    found = np.quantile(torch.cat(totals).double().numpy(), np.linspace(0, 1, QUANTILES))
    return [round(value, 4) for value in found.tolist()]


def _noise(rng: np.random.Generator, rows: int, model: Vae, draws: int) -> Tensor:
    return torch.from_numpy(rng.standard_normal((draws, rows, model.space.size), np.float32))


class Scorer:
    """`model` and `codec` of one artifact; `held_out`: quantiles of the scores of rows that the
    model was not trained on, from the lowest to the highest."""

    def __init__(self, model: Vae, codec: TableCodec, held_out: list[float]) -> None:
        self.model, self.codec, self.held_out = model, codec, held_out
        self.warning = ""  # of the table that was scored last
        blocks = np.array(model.heads.columns)
        self.columns = [c.name for c in codec.codecs if c.name in blocks]
        self._of_column = [np.flatnonzero(blocks == name) for name in self.columns]

    def schema(self, bound: Bound) -> pa.Schema:
        """`score`, `percentile` (of the elbo alone, since it is what the held-out rows were scored
        by), `rate`, and `nats:` of each column that is learnt."""
        percentile = ["percentile"] if bound == "elbo" else []
        names = ["score", *percentile, "rate", *(f"nats:{name}" for name in self.columns)]
        return pa.schema([(name, pa.float32()) for name in names])

    def chunks(
        self,
        table: Table,
        bound: Bound = "elbo",
        draws: int = DRAWS,
        seed: int = 0,
        threads: int | None = None,
    ) -> Iterator[pa.Table]:
        """Arrow tables of `schema`, a row for each of `table`; `nats:` and `rate` add up to
        `score`, and `percentile` says how many of 100 held-out rows score lower. SchemaError for a
        table that the model can't read. Memory: the encoded rows, and a block of them at work."""
        if draws < 1:
            raise UsageError(f"a score takes 1 draw or more, but it is {draws}; correct it")
        matched = match(self.codec, table, seed)
        self.warning = _of_unknown({n: int(m.sum()) for n, m in matched.unknown.items() if m.any()})
        encoded = matched.encoded
        size = rows_at_once(self.model.heads.outputs, *_BLOCK)

        def block(start: int) -> pa.Table:
            # Always whole, since products round differently at different shapes.
            index = np.minimum(np.arange(start, start + size), len(encoded) - 1)
            noise = _noise(stream(seed, "score", start), size, self.model, draws)
            found = scores(self.model, Rows.of(encoded.rows(index)), noise, bound)
            return self._table(found, bound).slice(0, len(encoded) - start)

        return in_order(block, range(0, len(encoded), size), threads)

    def _table(self, found: Scores, bound: Bound) -> pa.Table:
        nats = found.nats.numpy()
        total = found.total.numpy()
        arrays: list[NDArray[np.floating]] = [total]
        if bound == "elbo":
            arrays.append(np.interp(total, self.held_out, np.linspace(0, 100, QUANTILES)))
        arrays += [found.rate.numpy(), *(nats[:, at].sum(axis=1) for at in self._of_column)]
        columns = [pa.array(values.astype(np.float32)) for values in arrays]
        return pa.table(columns, schema=self.schema(bound))


def _of_unknown(cells: dict[str, int]) -> str:
    if not cells:
        return ""
    listed = ", ".join(f"'{name}' ({count:,} rows)" for name, count in cells.items())
    return (
        f"values that the model never met are unknown to it and add nothing to a score, but there "
        f"are some in {listed}; look at these rows apart"
    )
