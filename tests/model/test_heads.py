"""Heads: the nats are those of the distribution that the sampler draws from."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from synthvae.layout import Block, Layout
from synthvae.model.heads import Heads, draw_codes
from synthvae.model.scalars import Gaussian
from synthvae.model.values import Noise, Rows, Space
from synthvae.seeds import stream

LAYOUT = Layout(
    (
        Block("a", "a", "categorical", 5),
        Block("b", "b", "categorical", 2),
        Block("s", "c", "scalar", 1),
        Block("c", "c", "categorical", 7),
        Block("one", "one", "categorical", 1),
    )
)


@pytest.fixture
def heads() -> Heads:
    return Heads(LAYOUT, Gaussian(LAYOUT.n_scalars))


def outputs(heads: Heads, rows: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, heads.outputs, generator=generator)


def by_hand(heads: Heads, row: torch.Tensor, block: int) -> np.ndarray:
    """log p of each class of categorical block `block`, from its own slice of the outputs."""
    for group in heads.groups:
        if block in group.blocks:
            first = group.start + group.blocks.index(block) * group.size
            logits = row[first : first + LAYOUT.sizes[block]].double().numpy()
            return logits - math.log(np.exp(logits).sum())
    raise AssertionError


def test_nats_equal_a_softmax_and_a_gaussian_written_by_hand(heads: Heads) -> None:
    raw = outputs(heads, 4)
    codes = torch.tensor(
        [[0, 1, 6, 0], [4, 0, 0, 0], [2, 1, 3, 0], [1, 1, -1, 0]], dtype=torch.int32
    )
    scalars = torch.tensor([[0.3], [-0.9], [float("nan")], [0.0]])
    nats = heads.nats(raw, Rows(codes, scalars)).detach()
    named = {name: nats[:, i] for i, name in enumerate(heads.names)}
    for row in range(4):
        for block, name in enumerate(["a", "b", "c", "one"]):
            code = int(codes[row, block])
            expected = 0.0 if code < 0 else -by_hand(heads, raw[row], block)[code]
            assert float(named[name][row]) == pytest.approx(expected, abs=1e-5)
        scale, mean = 0.1, math.tanh(float(raw[row, -1]))
        value = float(scalars[row, 0])
        gauss = 0.5 * ((value - mean) / scale) ** 2 + math.log(scale * math.sqrt(2 * math.pi))
        expected = 0.0 if math.isnan(value) else gauss
        assert float(named["s"][row]) == pytest.approx(expected, rel=1e-4)


def test_samples_follow_the_likelihood(heads: Heads) -> None:
    rows = 40_000
    raw = outputs(heads, 1).expand(rows, -1)
    with torch.no_grad():
        drawn = heads.sample(raw, Noise.draw(stream(0, "test"), rows, Space(0), 4, 1))
    for block, size in enumerate(LAYOUT.sizes):
        share = np.bincount(drawn.codes[:, block].numpy(), minlength=size) / rows
        expected = np.exp(by_hand(heads, raw[0], block))
        error = 5 * np.sqrt(expected * (1 - expected) / rows)
        assert (np.abs(share - expected) <= error + 1e-9).all()
    mean = math.tanh(float(raw[0, -1]))
    # The median, since draws beyond 1 are put on 1.
    error = 5 * 1.2533 * 0.1 / math.sqrt(rows)
    assert float(drawn.scalars.median()) == pytest.approx(mean, abs=error)
    assert float(drawn.scalars.std()) == pytest.approx(0.1, rel=0.05)


def test_codes_never_leave_their_block(heads: Heads) -> None:
    edge = torch.full((3, 5), 1 - 1e-7)
    noise = Noise(
        torch.empty(3, 0), torch.zeros(3, 1), edge, torch.zeros(3, 1), torch.empty(3, 0, 0)
    )
    with torch.no_grad():
        drawn = heads.sample(outputs(heads, 3), noise)
    assert (drawn.codes < torch.tensor(LAYOUT.sizes)).all()


def test_marginal_outputs_give_the_marginals(heads: Heads) -> None:
    rng = np.random.default_rng(1)
    codes = np.stack([rng.integers(0, size, 300) for size in LAYOUT.sizes], 1).astype(np.int32)
    rows = Rows(torch.from_numpy(codes), torch.zeros(300, 1))
    raw = heads.marginal_outputs(rows)
    for block, size in enumerate(LAYOUT.sizes):
        counts = np.bincount(codes[:, block], minlength=size) + 1
        assert np.exp(by_hand(heads, raw, block)) == pytest.approx(counts / counts.sum(), rel=1e-5)


@pytest.mark.parametrize("shift", [-3e3, -150.0, 0.0, 150.0, 3e3])
@pytest.mark.parametrize("size", [3, 100])
def test_draws_depend_on_differences_of_logits_alone(shift: float, size: int) -> None:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(400, 2, size, generator=generator).round(decimals=1)
    logits[:, 1] += shift  # one block far off, its neighbour not
    uniform = torch.rand(400, 2, generator=generator)
    shares = torch.softmax(logits.double(), dim=2).cumsum(dim=2)
    drawn = draw_codes(logits, uniform)
    expected = (shares <= uniform[:, :, None]).sum(dim=2).clamp(max=size - 1)
    assert (drawn != expected).float().mean() < 0.01  # a level that meets a step may be rounded
