"""A small model of made-up rows, and private steps of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pytest
import torch

from synthvae.layout import Block, Layout
from synthvae.model.compute import side_by_side
from synthvae.model.decoders.autoregressive import AutoregressiveSpec
from synthvae.model.decoders.parallel import ParallelSpec
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.scalars import MixtureSpec
from synthvae.model.spec import ModelSpec, build
from synthvae.model.values import Rows
from synthvae.training.descent import Batch
from synthvae.training.guards import made_up
from synthvae.training.poisson import Secret
from synthvae.training.private import PrivateSpec, PrivateSteps

PARALLEL = ModelSpec(
    numeric="quantiles",
    encoder=(16, 16),
    latent=GaussianSpec(size=3),
    decoder=ParallelSpec(hidden=(16,)),
    scalar=MixtureSpec(components=2),
)

MODELS = {
    "parallel": PARALLEL,
    "autoregressive": replace(
        PARALLEL, decoder=AutoregressiveSpec(units=4, embedding=3, soft=4, layers=1)
    ),
}


@dataclass(frozen=True)
class Case:
    """A layout with all kinds of blocks, models of it, and what its steps are made with."""

    models = MappingProxyType(MODELS)
    layout = Layout(
        (
            Block("a", "a", "categorical", 3),
            Block("b", "b", "categorical", 12),
            Block("x mode", "x", "categorical", 4),
            Block("x", "x", "scalar", 1),
        )
    )
    spec = PrivateSpec(noise=1.3, rate=0.2, steps=5, clip=0.7)
    expected = 300
    alpha = 1e-6  # of every test of a distribution

    def rows(self, rows: int) -> Rows:
        return made_up(self.layout, rows, np.random.default_rng())

    def batch(self, rows: Rows) -> Batch:
        return Batch.of(rows, torch.randn(len(rows), 3), 1.0, 0)

    @contextmanager
    def stepping(
        self, model: str = "autoregressive", workers: int = 1, **changes: float
    ) -> Iterator[PrivateSteps]:
        """Private steps of a new model, ready to be taken."""
        made = self.models[model]
        built, spec = build(made, self.layout, seed=4), replace(self.spec, **changes)
        with side_by_side(workers) as team:
            steps = PrivateSteps(built, made.objective, spec, self.expected, team, Secret())
            with steps.sums.watching():
                yield steps


@pytest.fixture(scope="session")
def case() -> Case:
    return Case()
