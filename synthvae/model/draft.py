"""Rows that an autoregressive decoder is writing: every hidden unit is computed once a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from synthvae.model.features import ClassFeatures, Number
from synthvae.model.order import Step
from synthvae.model.triangular import Stepwise, TriangularLinear, with_ones

if TYPE_CHECKING:
    from synthvae.model.decoders.autoregressive import AutoregressiveDecoder


class Draft:
    """The `codes` [n, class blocks] and `scalars` [n, scalar blocks] so far, and what later steps
    see of them. `given` [n, hidden]: what the first layer takes from the given blocks, if any."""

    def __init__(self, decoder: AutoregressiveDecoder, z: Tensor, given: Tensor | None) -> None:
        self.decoder, self.given, rows = decoder, given, len(z)
        kinds = [step.kind for step in decoder.steps]
        self.codes = torch.zeros(rows, kinds.count("categorical"), dtype=torch.int32)
        self.scalars = torch.full((rows, kinds.count("scalar")), torch.nan)
        self.written = 1 + z.shape[1]  # rows of `seen` that are there
        self.seen = with_ones(z.shape[1] + decoder.features.width, rows)
        self.seen[1 : self.written] = z.T
        self.layers = [Stepwise(decoder.inner, self.seen)]
        for layer in cast("Iterable[TriangularLinear]", decoder.layers):
            self.layers.append(Stepwise(layer, self.layers[-1].y))
        self.index: list[Tensor] = []  # of each class block, as ClassFeatures counts
        self.embeddings = decoder.features.classes.table.weight.T.contiguous()

    def hidden(self, step: int) -> Tensor:
        """The last layer's units [n, units] of `step`."""
        units = self.decoder.units
        own = slice(step * units, (step + 1) * units)
        inner, *residual = self.layers
        h = inner.outputs(own)
        if self.given is not None:
            h += self.given[:, own].T
        h = nn.functional.silu(h, inplace=True)
        for layer in residual:
            h = nn.functional.silu(layer.outputs(own), inplace=True).add_(h)
        return h.T

    def write_class(self, step: Step, code: Tensor) -> None:
        classes: ClassFeatures = self.decoder.features.classes
        index = code + classes.offsets[len(self.index)]
        self.codes[:, step.at] = code
        self.index.append(index)
        torch.index_select(self.embeddings, 1, index, out=self._next(len(self.embeddings)))

    def write_scalar(self, step: Step, value: Tensor) -> None:
        """As later steps will see it and the codec will read it: within the column's ends."""
        if step.places:
            low, high = step.places
            value = value.clamp(low, high)
        self.scalars[:, step.at] = value

    def finish(self, step: int) -> None:
        """After `step`: the place of the number that is known by now, if one is."""
        features = self.decoder.features
        number = next((n for n in features.numbers if n.known == step), None)
        if number is not None:
            features.soft.write(self._place(number), self._next(features.soft.width))

    def keep(self, rows: Tensor) -> None:
        """Only `rows` [m], positions among those so far, are written on."""
        self.codes, self.scalars, self.seen = (
            self.codes[rows],
            self.scalars[rows],
            self.seen[:, rows],
        )
        self.index = [index[rows] for index in self.index]
        self.given = None if self.given is None else self.given[rows]
        x = self.seen
        for layer in self.layers:  # what one layer gives is what the next one takes
            layer.x, layer.y = x, layer.y[:, rows]
            x = layer.y

    def _place(self, number: Number) -> Tensor:
        """The place [n] of a number on the normal scale. A scalar that stands for
        nothing is dropped."""
        features = self.decoder.features
        if number.classes is None:
            return self.scalars[:, number.scalar]
        index = self.index[number.classes]
        if number.scalar is None:
            return features.places[index]
        exact, drawn = features.exact[index], self.scalars[:, number.scalar].clone()
        self.scalars[:, number.scalar] = torch.where(exact, drawn, torch.nan)
        return torch.where(exact, drawn, features.places[index])

    def _next(self, features: int) -> Tensor:
        """Where the next so many features of each row are to be written: [features, n]."""
        start, self.written = self.written, self.written + features
        return self.seen[start : self.written]
