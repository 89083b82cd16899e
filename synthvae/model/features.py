"""What later columns see of earlier ones: an embedding of each class, and of each number its exact
place, spread over soft steps (piecewise linear, Gorishniy et al. 2022).

Dropout is of classes, unless set: what hangs on a number hangs on where exactly it is, and of a
place of which parts are dropped, models learn to rely on the blurred rest (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from synthvae.model.order import Step
from synthvae.model.values import Dropout, Rows

_ENDS = 0.002  # soft steps cover the scale between these tails; the linear feature covers all
_START = 0.5


@dataclass(frozen=True)
class Number:
    """A column of numbers: its scalar block (None: all classes), its class block among the class
    steps (None: it has none), and the step after which its value is known."""

    scalar: int | None
    classes: int | None
    known: int


class ClassFeatures(nn.Module):
    """Codes [B, class blocks in order] -> (index [B, class blocks] into all classes, embeddings
    [B, class blocks, E]). Index 0 is 'not present'."""

    offsets: Tensor

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(1 + sum(sizes), width)
        nn.init.normal_(self.table.weight, 0.0, _START)
        starts = torch.tensor([1, *sizes[:-1]], dtype=torch.long).cumsum(0)
        self.register_buffer("offsets", starts[: len(sizes)], persistent=False)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        index = torch.where(codes < 0, 0, codes + self.offsets)
        return index, self.table(index)


class NumberFeatures(nn.Module):
    """Places [B, numbers] on the normal scale -> [B, numbers, 1 + steps]."""

    edges: Tensor

    def __init__(self, steps: int) -> None:
        super().__init__()
        shares = torch.from_numpy(np.linspace(_ENDS, 1 - _ENDS, steps + 1))
        edges = torch.special.ndtri(shares).to(torch.float32)
        self.register_buffer("edges", edges, persistent=False)
        self.width = 1 + steps

    def forward(self, places: Tensor) -> Tensor:
        places = places[:, :, None]
        low, high = self.edges[:-1], self.edges[1:]
        return torch.cat([_START * places, ((places - low) / (high - low)).clamp(0, 1)], dim=2)

    def write(self, places: Tensor, out: Tensor) -> None:
        """The same of one number, places [n], with rows side by side: into `out` [1 + steps, n],
        without a pass to turn it."""
        low, high = self.edges[:-1, None], self.edges[1:, None]
        torch.mul(places, _START, out=out[0])
        torch.sub(places, low, out=out[1:]).div_(high - low).clamp_(0, 1)


class RowFeatures(nn.Module):
    """Rows -> features [B, width], those of earlier `steps` first: of each class block its
    embedding, and of each number its place, after the step with which it is known. `dropped`: the
    shares of features of classes and of features of numbers that dropout takes, `widths`: how many
    there are of each."""

    places: Tensor
    exact: Tensor
    codes_at: Tensor
    class_at: Tensor
    scalar_at: Tensor

    def __init__(
        self,
        steps: Sequence[Step],
        embedding: int,
        soft: int,
        dropped: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        super().__init__()
        self.dropped = dropped
        class_steps = [step for step in steps if step.kind == "categorical"]
        self.numbers = _numbers(steps)
        self.classes = ClassFeatures([step.size for step in class_steps], embedding)
        self.soft = NumberFeatures(soft)
        widths = [embedding if step.kind == "categorical" else 0 for step in steps]
        for number in self.numbers:
            widths[number.known] += self.soft.width
        self.before = [sum(widths[:i]) for i in range(len(widths))]  # features seen by each step
        self.width = sum(widths)
        self.widths = (embedding * len(class_steps), self.soft.width * len(self.numbers))
        known = [i for i, step in enumerate(steps) if step.kind == "categorical"]
        known += [number.known for number in self.numbers]
        self.in_order = sorted(range(len(known)), key=lambda part: (known[part], part))
        self._keep("codes_at", [step.at for step in class_steps])
        absent = len(class_steps)
        self._keep("class_at", [absent if n.classes is None else n.classes for n in self.numbers])
        scalars = sum(step.kind == "scalar" for step in steps)
        self._keep("scalar_at", [scalars if n.scalar is None else n.scalar for n in self.numbers])
        places = [place for step in class_steps for place in step.places or [None] * step.size]
        at = torch.tensor([0.0, *(place or 0.0 for place in places)])
        self.register_buffer("places", at, persistent=False)
        exact = torch.tensor([True, *(place is None for place in places)])
        self.register_buffer("exact", exact, persistent=False)  # the scalar holds the value

    def _keep(self, name: str, index: list[int]) -> None:
        self.register_buffer(name, torch.tensor(index, dtype=torch.long), persistent=False)

    def forward(self, rows: Rows, dropout: Dropout | None = None) -> Tensor:
        index, embedded = self.classes(rows.codes.index_select(1, self.codes_at))
        soft = self.soft(self._values(index, rows.scalars))
        if dropout is not None:
            of_classes, of_numbers = self.dropped
            embedded, soft = dropout.of(embedded, of_classes), dropout.of(soft, of_numbers)
        parts = [*embedded.unbind(1), *soft.unbind(1)]
        nothing = embedded.new_zeros(len(rows), 0)
        return torch.cat([nothing, *(parts[i] for i in self.in_order)], dim=1)

    def _values(self, index: Tensor, scalars: Tensor) -> Tensor:
        """[B, N]: the scalar where there is one, else the place of the class."""
        absent = index.new_zeros(len(index), 1)
        of_class = torch.cat([index, absent], dim=1).index_select(1, self.class_at)
        nothing = scalars.new_full((len(index), 1), torch.nan)
        exact = torch.cat([scalars, nothing], dim=1).index_select(1, self.scalar_at)
        return torch.where(torch.isnan(exact), self.places[of_class], exact)


def _numbers(steps: Sequence[Step]) -> list[Number]:
    found: list[Number] = []
    codes = 0
    for at, step in enumerate(steps):
        after = steps[at + 1] if at + 1 < len(steps) else None
        goes_on = after and after.column == step.column and after.kind == "scalar"
        if step.kind == "scalar":
            classes = codes - 1 if at and steps[at - 1].column == step.column else None
            found.append(Number(step.at, classes, at))
        else:
            codes += 1
            if step.places and not goes_on:
                found.append(Number(None, codes - 1, at))
    return found
