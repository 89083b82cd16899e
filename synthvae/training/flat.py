"""All parameters in one vector: what an optimizer does to them is then a few large operations, and
what it moves is moved in helpers too."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthvae.model.crew import shared

_ALIGNED = 16  # floats: every parameter begins at a cache line


class Flat:
    """`vector`: the values of `parameters`, which become views of it; forked processes share it."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.shapes = [p.shape for p in parameters]
        self.sizes = [-(-p.numel() // _ALIGNED) * _ALIGNED for p in parameters]
        self.device = parameters[0].device if parameters else torch.device("cpu")
        self.vector = self.zeros()
        for view, parameter in zip(self.views(self.vector), parameters, strict=True):
            view.copy_(parameter.detach())
            parameter.data = view

    def zeros(self) -> Tensor:
        """A vector as long; of the processor, in memory that forked processes share."""
        size = sum(self.sizes)
        return shared(size) if self.device.type == "cpu" else torch.zeros(size, device=self.device)

    def views(self, vector: Tensor) -> list[Tensor]:
        """The parts of `vector` that belong to each parameter, in its shape."""
        parts = torch.split(vector, self.sizes)
        return [
            part[: shape.numel()].view(shape)
            for part, shape in zip(parts, self.shapes, strict=True)
        ]
