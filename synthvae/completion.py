"""Rows with unknown blocks, filled from p(unknown | known).

No decoder can draw that directly: blocks that are written before a known one, and the latent, have
to agree with it. So candidates are drawn with what is known held in place, weighed by how likely
they make what is known, and one is taken at random by weight (importance resampling). Then latent
and unknown blocks take turns, each time among fresh candidates and the current one, which leaves
p(z, unknown | known) as it is (iterated resampling, Andrieu et al. 2018; the turns are those of
Rezende et al. 2014, whose fault of not weighing was mended by Mattei & Frellsen 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthvae.layout import Kind
from synthvae.model.vae import Vae
from synthvae.model.values import Held, Noise, Rows
from synthvae.scoring import log_posterior, point_of

CANDIDATES = 16
TURNS = 4


@dataclass(frozen=True)
class Detail:
    """A modelled block that tells values apart in classes from `first` on of the class block
    `classes`: not present in others. `at`: where it stands among the blocks of its kind."""

    classes: int
    first: int
    kind: Kind
    at: int


class Completion:
    """Fills `rows` [n] of the whole layout where `held` does not hold them. The given blocks are
    known. `rng` is drawn from at every step."""

    def __init__(
        self,
        model: Vae,
        rows: Rows,
        held: Held,
        details: Sequence[Detail],
        rng: np.random.Generator,
    ) -> None:
        self.model, self.details, self.rng = model, details, rng
        self.rows, self.n = rows, len(rows)
        self.many = torch.arange(self.n).repeat_interleave(CANDIDATES)
        self.held = held.at(self.many)
        self.given = rows.part(model.given).at(self.many)
        known = [held.codes.index_select(1, model.heads.grouped), held.scalars]
        self.known = torch.cat(known, dim=1)[self.many]  # [n * candidates, K], as `heads.nats`

    @torch.no_grad()
    def run(self) -> Rows:
        """Whole Rows [n]: one draw of the unknown blocks of each row."""
        point, filled = self._start()
        for _ in range(TURNS):
            point = self._new_points(point, filled)
            filled = self._new_cells(point, filled)
        return self.model.whole(filled, self.rows.part(self.model.given))

    def _start(self) -> tuple[Tensor, Rows]:
        """Half of the candidates from q(z | known), half from the prior: the encoder has never seen
        rows with unknown blocks, and may be far off."""
        posterior = self.model.encode(self.rows.at(self.many), self._noise().latent)
        point = point_of(posterior)
        weight = self.model.prior.log_density(point) - log_posterior(posterior, point)
        free = torch.arange(len(self.many)) % 2 == 1
        fresh = self.model.prior.sample(self._noise()).to(point.dtype)
        point = torch.where(free[:, None], fresh, point)
        cells = self._draw(point)
        weight = torch.where(free, 0.0, weight) - (self._nats(point, cells) * self.known).sum(1)
        chosen = self._chosen(weight)
        return point[chosen], cells.at(chosen)

    def _new_points(self, point: Tensor, filled: Rows) -> Tensor:
        """z given whole rows: candidates from q(z | x), and the current one."""
        cells = filled.at(self.many)
        posterior = self.model.encode(self.model.whole(cells, self.given), self._noise().latent)
        points = self._with_current(point, point_of(posterior))
        weight = self.model.prior.log_density(points) - log_posterior(posterior, points)
        return points[self._chosen(weight - self._nats(points, cells).sum(dim=1))]

    def _new_cells(self, point: Tensor, filled: Rows) -> Rows:
        """Unknown blocks given z and known blocks: candidates from the decoder, and the current
        one."""
        points = point[self.many]
        drawn = self._draw(points)
        cells = Rows(
            self._with_current(filled.codes, drawn.codes),
            self._with_current(filled.scalars, drawn.scalars),
        )
        return cells.at(self._chosen(-(self._nats(points, cells) * self.known).sum(dim=1)))

    def _with_current(self, current: Tensor, candidates: Tensor) -> Tensor:
        """[n, ...] in place of the first candidate of each row, [n * candidates, ...]."""
        candidates = candidates.clone()
        candidates[::CANDIDATES] = current.to(candidates.dtype)
        return candidates

    def _nats(self, point: Tensor, cells: Rows) -> Tensor:
        """[n * candidates, K]."""
        z = self.model.latent.embed(point)
        return self.model.heads.nats(self.model.decoder(z, cells, self.given), cells)

    def _draw(self, point: Tensor) -> Rows:
        """Modelled rows with what is known held in place."""
        model = self.model
        z = model.latent.embed(point)
        drawn = model.decoder.sample(z, self.given, self._noise(), model.heads, self.held)
        for detail in self.details:
            present = drawn.codes[:, detail.classes] >= detail.first
            values = drawn.codes if detail.kind == "categorical" else drawn.scalars
            values[~present, detail.at] = -1 if detail.kind == "categorical" else torch.nan
        return drawn

    def _chosen(self, weight: Tensor) -> Tensor:
        """Log weights [n * candidates] -> the index of one candidate a row [n], at random."""
        share = torch.softmax(weight.view(self.n, CANDIDATES), dim=1).cumsum(dim=1)
        level = torch.from_numpy(self.rng.random((self.n, 1), np.float32)) * share[:, -1:]
        chosen = torch.searchsorted(share, level, right=True)[:, 0].clamp(max=CANDIDATES - 1)
        return torch.arange(self.n) * CANDIDATES + chosen

    def _noise(self) -> Noise:
        return self.model.noise(self.rng, len(self.many))
