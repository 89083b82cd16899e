"""A mixture of products, fitted to noisy counts: p(x) = sum over k of w_k prod over columns of
p_k(x_j).

It is a VAE's decoder at K fixed points of a latent: columns are independent given the point, so
that any count of pairs is one matrix product, and fitting takes no row (as in GEM, Liu et al. 2021,
whose network writes the products). Each count weighs as much as its noise is small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthvae.marginals.axes import Classes
from synthvae.marginals.measure import OneWay, Shares, TwoWay, TwoWays
from synthvae.model.compute import side_by_side

COMPONENTS = 500
STEPS = 800
RATE = 0.2
TOLD = 1 / 40  # what a nat costs a row, in log-likelihood of the noise
_WEIGHT_RATE = 0.04
_SPREAD = 0.5
_COOLING = 0.4  # the share of steps over which the learning rate falls
_TINY = 1e-6
_NEVER = -1e9


class Mixture(nn.Module):
    """`logits` [K, C] of the classes of all columns side by side, `weights` [K]."""

    never: Tensor

    def __init__(self, ones: Sequence[OneWay], components: int, generator: torch.Generator) -> None:
        super().__init__()
        self.sizes = [len(one.best) for one in ones]
        best = np.concatenate([one.best for one in ones])
        start = torch.from_numpy(np.log(np.maximum(best, _TINY))).float()
        noise = torch.randn(components, len(start), generator=generator)
        self.logits = nn.Parameter(start + _SPREAD * noise)
        self.weights = nn.Parameter(torch.zeros(components))
        absent = torch.from_numpy(np.concatenate([one.absent for one in ones]))
        self.register_buffer("never", torch.where(absent, _NEVER, 0.0))

    def forward(self) -> tuple[Tensor, Tensor]:
        """Shares of the classes in each component [K, C], and of the components [K]."""
        parts = [part.softmax(1) for part in torch.split(self.logits + self.never, self.sizes, 1)]
        return torch.cat(parts, 1), self.weights.softmax(0)

    @torch.no_grad()
    def sample(self, rows: int, rng: np.random.Generator) -> Classes:
        """Classes [rows, d]. Components come as often as they should, up to one row."""
        shares, weights = self()
        ends = np.cumsum(weights.double().numpy())
        places = (np.arange(rows) + rng.random()) / rows * ends[-1]
        component = np.searchsorted(ends, places).clip(max=len(ends) - 1)
        drawn = [
            _drawn(part.double().cumsum(1).numpy(), component, rng)
            for part in torch.split(shares, self.sizes, 1)
        ]
        return np.stack(drawn, 1)[rng.permutation(rows)]


def _drawn(ends: NDArray[np.float64], component: Classes, rng: np.random.Generator) -> Classes:
    """A class of each row's component [n], by one search over all components laid end to end."""
    ends = ends / ends[:, -1:]
    flat = (ends + np.arange(len(ends))[:, None]).ravel()
    at = np.searchsorted(flat, component + rng.random(len(component)), side="right")
    drawn: Classes = (at - component * ends.shape[1]).clip(0, ends.shape[1] - 1)
    return drawn


class Targets:
    """Noisy counts, as what a mixture's are held against. Each group of classes is summed once; the
    counts of all pairs are one product of groups with themselves, those of chosen pairs a small
    product each."""

    def __init__(self, ones: Sequence[OneWay], counted: TwoWays) -> None:
        self.sizes = [len(one.best) for one in ones]
        self.ones = _Cells([one.shares for one in ones], [one.sigmas for one in ones])
        self.best = _joined([one.best for one in ones]).clamp(min=_TINY).log()
        self.views = _Views(self.sizes)
        spans = [self.views.spans(pair) for pair in counted.every]
        self.wide = self.views.width  # what all pairs use stands first
        flat = [(_range(a)[:, None] * self.wide + _range(b)).flatten() for a, b in spans]
        self.index = torch.cat([torch.zeros(0, dtype=torch.long), *flat])
        self.every = _Cells.of(counted.every)
        self.spans = [self.views.spans(pair) for pair in counted.chosen]
        self.chosen = _Cells.of(counted.chosen)

    def off(self, shares: Tensor, weights: Tensor) -> Tensor:
        """Squared distance of a mixture's counts from these, in variances of the noise."""
        groups = self.views.sums(shares)
        weighted = groups * weights[:, None]
        every = (groups[:, : self.wide].T @ weighted[:, : self.wide]).flatten()[self.index]
        chosen = [(groups[:, a].T @ weighted[:, b]).flatten() for a, b in self.spans]
        total = self.every.off(every) + self.ones.off(shares.T @ weights)
        return total + self.chosen.off(torch.cat([every.new_zeros(0), *chosen]))

    def told(self, shares: Tensor, weights: Tensor) -> Tensor:
        """Nats that a component tells of a row: the mean divergence of components from columns
        that are independent."""
        divergence = shares * (shares.clamp(min=_TINY**2).log() - self.best)
        return weights @ divergence.sum(1)


class _Cells:
    """Values [n] with standard deviations."""

    def __init__(self, values: Sequence[Shares], sigmas: Sequence[Shares]) -> None:
        self.values, self.precision = _joined(values), 1 / _joined(sigmas)

    @staticmethod
    def of(pairs: Sequence[TwoWay]) -> _Cells:
        sigmas = [np.full(pair.shares.size, pair.sigma) for pair in pairs]
        return _Cells([pair.shares.ravel() for pair in pairs], sigmas)

    def off(self, values: Tensor) -> Tensor:
        return ((values - self.values) * self.precision).square().sum()


class _Views:
    """Groups of classes, column by column: `sums` of components [K, C] -> [K, width]."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes, self.width = list(sizes), 0
        self.known: dict[tuple[int, bytes], slice] = {}
        self.products: list[tuple[int, Tensor]] = []

    def spans(self, pair: TwoWay) -> tuple[slice, slice]:
        """Where the groups of both columns stand."""
        (i, j), (a, b) = pair.columns, pair.groups
        return self._span(i, a), self._span(j, b)

    def _span(self, column: int, group: Classes) -> slice:
        key = (column, group.tobytes())
        if key not in self.known:
            hot = torch.from_numpy(group[:, None] == np.arange(group.max() + 1)).float()
            self.products.append((column, hot))
            self.known[key] = slice(self.width, self.width + hot.shape[1])
            self.width += hot.shape[1]
        return self.known[key]

    def sums(self, shares: Tensor) -> Tensor:
        columns = torch.split(shares, self.sizes, 1)
        parts = [columns[column] @ hot for column, hot in self.products]
        return torch.cat([shares.new_zeros(len(shares), 0), *parts], 1)


def fit_mixture(
    ones: Sequence[OneWay],
    counted: TwoWays,
    rows: float,
    seed: int,
    watch: Callable[[float], None] = lambda _: None,
) -> Mixture:
    """The mixture whose counts come near the noisy ones, and that tells no more than they do.
    `watch` is told the share of the work that is done."""
    with side_by_side(1):
        generator = torch.Generator().manual_seed(seed)
        mixture, targets = Mixture(ones, COMPONENTS, generator), Targets(ones, counted)
        for step in _descend(mixture, targets, TOLD * rows):
            watch(step / STEPS)
        return mixture


def _descend(mixture: Mixture, targets: Targets, told: float) -> Iterator[int]:
    """Steps down the distance of the counts, in log-likelihood of the noise, and `told` times what
    components tell; after each, how many are done."""
    groups = [
        {"params": [mixture.logits], "lr": RATE, "top": RATE},
        {"params": [mixture.weights], "lr": _WEIGHT_RATE, "top": _WEIGHT_RATE},
    ]
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99))
    for step in range(STEPS):
        left = (STEPS - step) / (_COOLING * STEPS)
        for group in optimizer.param_groups:
            group["lr"] = group["top"] * min(1.0, left)
        optimizer.zero_grad()
        shares, weights = mixture()
        loss = targets.off(shares, weights) / 2 + told * targets.told(shares, weights)
        (loss / len(mixture.sizes)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        yield step + 1


def _range(span: slice) -> Tensor:
    return torch.arange(span.start, span.stop)


def _joined(parts: Sequence[Shares]) -> Tensor:
    return torch.from_numpy(np.concatenate([np.empty(0), *parts])).float()
