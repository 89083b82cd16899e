"""A column given earlier ones: a softmax of a weight for each of its cells, and one for each cell
of a counted pair on each scale.

Of all distributions whose counts of pairs are those that were counted, it has the most entropy,
given the columns before (Berger et al. 1996): what pairs don't tell of three columns stays as
simple as it can be. Fitting a column meets rows that were drawn so far, never real ones, and so
makes up for what their draw left off.

A weight of size 1 may move a count by CAUTION standard deviations of its noise (a penalty of
CAUTION * sigma on half its square; Dudik et al. 2007), so that noise makes no single one large.
Where two columns hang together closely, weights must be large, and a fine count alone would give
way by much; the same count on coarse scales, of many rows each, does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import embedding_bag

from synthvae.marginals.axes import Classes
from synthvae.marginals.cells import TINY, Cells
from synthvae.marginals.scales import Scale, scales
from synthvae.marginals.shares import Shares

CAUTION = 0.75
ITERATIONS = 60
_ENOUGH = 1e-9  # relative gain of an iteration
_NEVER = -1e9


@dataclass(frozen=True)
class Clique:
    """Noisy shares [A, ..., B] of one or more parents and, last, of a column itself: `groups` [G]
    of the cells of each; which of them are `ordered`."""

    parents: Sequence[int]
    groups: Sequence[Classes]
    shares: Shares
    sigma: float
    ordered: Sequence[bool]

    @cached_property
    def scales(self) -> list[Scale]:
        return scales(self.shares.shape, self.ordered)

    def places(self, drawn: Classes) -> Classes:
        """Which of all combinations of the parents' groups each row of `drawn` [N, d] is in."""
        sides = zip(self.groups[:-1], self.parents, strict=True)
        places = tuple(group[drawn[:, parent]] for group, parent in sides)
        return np.asarray(np.ravel_multi_index(places, self.shares.shape[:-1]))


class Conditional:
    """A column's cells given those of its parents, from the noisy shares of `total` rows."""

    def __init__(self, own: Cells, cliques: Sequence[Clique], total: float) -> None:
        self.own, self.cliques, self.total = own, cliques, total
        self.scales = [(clique, scale) for clique in cliques for scale in clique.scales]
        combinations = [int(np.prod(clique.shares.shape[:-1])) for clique in cliques]
        self.starts = np.cumsum([0, *combinations])[:-1]
        likely = np.log(np.maximum(own.shares, TINY))
        self.base = torch.from_numpy(np.where(own.never, _NEVER, likely)).float()
        self.bias, self.table = self.base, torch.zeros(0, len(self.base))

    def fit(self, drawn: Classes) -> None:
        """Weights, by rows [N, d] that were drawn so far."""
        if not self.cliques:
            return
        index = self._index(drawn)
        shares = [scale.merged(clique.shares) for clique, scale in self.scales]
        sigmas = [scale.sigmas(clique.sigma) for clique, scale in self.scales]
        counts = _flat([self.own.noisy, *shares]) * self.total
        penalty = CAUTION * _flat([self.own.sigmas, *sigmas]) * self.total
        scale = torch.rsqrt(counts.clamp(min=0) + penalty + 1)  # by curvature, about

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            free = torch.from_numpy(flat).float().requires_grad_()
            weights = free * scale
            bias, table = self._laid_out(weights)
            nats = torch.logsumexp(embedding_bag(index, table, mode="sum") + bias, 1).mean()
            told = counts @ weights - penalty @ weights.square() / 2
            value = nats - told / self.total
            value.backward()  # type: ignore[no-untyped-call]
            assert free.grad is not None
            return float(value.detach()), free.grad.double().numpy()

        options = {"maxiter": ITERATIONS, "ftol": _ENOUGH, "gtol": 0.0}
        start = np.zeros(len(counts))
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
        self.bias, self.table = self._laid_out(torch.from_numpy(found.x).float() * scale)

    def shares(self, drawn: Classes) -> Shares:
        """Of the cells [N, G], given earlier columns of rows [N, d]."""
        if not self.cliques:
            return np.tile(self.bias.double().softmax(0).numpy(), (len(drawn), 1))
        logits = embedding_bag(self._index(drawn), self.table, mode="sum") + self.bias
        return np.asarray(logits.double().softmax(1).numpy())

    def _index(self, drawn: Classes) -> Tensor:
        """Rows of `table` that a row adds up."""
        places = [clique.places(drawn) for clique in self.cliques]
        return torch.from_numpy(np.stack(places, 1) + self.starts)

    def _laid_out(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """A bias [G], and weights [combinations of all cliques, G]."""
        sizes = [int(np.prod(scale.shape)) for _, scale in self.scales]
        own, *rest = torch.split(weights, [len(self.base), *sizes])
        left, wide = iter(rest), []
        for clique in self.cliques:
            on = [next(left).reshape(scale.shape)[scale.grid] for scale in clique.scales]
            flat = torch.stack(on).sum(0).reshape(-1, clique.shares.shape[-1])
            wide.append(flat[:, clique.groups[-1]])
        return self.base + own, torch.cat(wide)


def _flat(parts: Sequence[Shares]) -> Tensor:
    return torch.from_numpy(np.concatenate([part.ravel() for part in parts])).float()
