"""Filling unknown blocks: frequencies are those of p(unknown | known), by enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from synthvae.completion import Completion, Detail
from synthvae.layout import Block, Layout
from synthvae.model.presets import PRESETS
from synthvae.model.spec import build
from synthvae.model.vae import Vae
from synthvae.model.values import Held, Rows
from synthvae.seeds import stream

BLOCKS = (
    Block("a", "a", "categorical", 3),
    Block("k", "k", "categorical", 4),
    Block("b", "b", "categorical", 2),
)
SIZES = (3, 4, 2)


def model(preset: str, blocks: tuple[Block, ...] = BLOCKS, spread: float = 0.5) -> Vae:
    made = build(PRESETS[preset].model, Layout(blocks), 3)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in made.decoder.parameters():  # far from the start, where all is constant
            mask = (parameter != 0).float() if parameter.dim() > 1 else 1.0
            parameter.add_(spread * torch.randn(parameter.shape, generator=generator) * mask)
    return made


def held(rows: Rows, known: tuple[bool, ...], never: Tensor) -> Held:
    codes = torch.tensor(known).repeat(len(rows), 1)
    return Held(rows, codes, torch.zeros_like(rows.scalars).bool(), never)


@torch.no_grad()
def exact(vae: Vae, row: tuple[int, ...], known: tuple[bool, ...]) -> dict[tuple[int, ...], float]:
    """p(unknown | known) by the sum over all completions, and the mean over draws of the prior."""
    options = [
        [code] if fixed else range(size)
        for code, fixed, size in zip(row, known, SIZES, strict=True)
    ]
    each, n = list(itertools.product(*options)), 3000
    z = torch.randn(n, vae.space.size, generator=torch.Generator().manual_seed(0))
    codes = torch.tensor(each, dtype=torch.int32).repeat_interleave(n, dim=0)
    rows = Rows(codes, torch.empty(len(codes), 0))
    outputs = vae.decoder(z.repeat(len(each), 1), rows, rows.part(vae.given))
    nats = vae.heads.nats(outputs, rows).sum(dim=1).view(len(each), n)
    likely = dict(zip(each, torch.exp(-nats).mean(dim=1).tolist(), strict=True))
    total = sum(likely.values())
    return {codes: value / total for codes, value in likely.items()}


@pytest.mark.parametrize("preset", ["arvae", "tvae"])
@pytest.mark.parametrize("known", [(False, True, True), (True, False, True), (False, False, True)])
def test_frequencies_are_those_of_the_conditional(preset: str, known: tuple[bool, ...]) -> None:
    vae, row, n = model(preset), (2, 1, 1), 1000
    codes = [code if fixed else -1 for code, fixed in zip(row, known, strict=True)]
    rows = Rows(torch.tensor([codes], dtype=torch.int32).repeat(n, 1), torch.empty(n, 0))
    never = vae.heads.never({})
    drawn = Completion(vae, rows, held(rows, known, never), [], stream(0, "test")).run()
    found, counts = np.unique(drawn.codes.numpy(), axis=0, return_counts=True)
    expected = exact(vae, row, known)
    assert {tuple(codes) for codes in found.tolist()} <= set(expected)
    shares = dict(zip(map(tuple, found.tolist()), counts / n, strict=True))
    off = 0.5 * sum(abs(share - shares.get(codes, 0.0)) for codes, share in expected.items())
    assert off < 0.08  # 0.3 and more would be the marginal, see below


def test_the_conditional_is_far_from_the_marginal() -> None:
    """Else the test above could not fail."""
    vae = model("arvae")
    freely = exact(vae, (0, 0, 0), (False, False, False))
    told = exact(vae, (0, 0, 1), (False, False, True))
    share = sum(value for codes, value in freely.items() if codes[2] == 1)
    apart = {codes: value / share for codes, value in freely.items() if codes[2] == 1}
    assert sum(abs(apart[codes] - told[codes]) for codes in told) < 1e-5
    marginal = {codes[:2]: 0.0 for codes in freely}
    for codes, value in freely.items():
        marginal[codes[:2]] += value
    assert sum(abs(marginal[codes[:2]] - value) for codes, value in told.items()) > 0.3


@pytest.mark.parametrize("preset", ["arvae", "tvae"])
def test_classes_that_are_never_to_be_drawn_are_not(preset: str) -> None:
    vae, n = model(preset), 300
    rows = Rows(torch.tensor([[-1, -1, 1]], dtype=torch.int32).repeat(n, 1), torch.empty(n, 0))
    never = vae.heads.never({0: [0, 2], 1: [3]})
    known = held(rows, (False, False, True), never)
    drawn = Completion(vae, rows, known, [], stream(0, "test")).run()
    assert set(drawn.codes[:, 0].tolist()) == {1}
    assert set(drawn.codes[:, 1].tolist()) <= {0, 1, 2}
    assert set(drawn.codes[:, 2].tolist()) == {1}


def test_a_number_stands_only_where_its_class_says_so() -> None:
    blocks = (
        Block("n:mode", "n", "categorical", 4),
        Block("n:scalar", "n", "scalar", 1),
        Block("a", "a", "categorical", 3),
    )
    vae, n = model("tvae", blocks), 200
    rows = Rows(torch.tensor([[-1, 2]], dtype=torch.int32).repeat(n, 1), torch.full((n, 1), np.nan))
    known = Held(rows, torch.tensor([[False, True]]).repeat(n, 1), torch.zeros(n, 1).bool(),
                 vae.heads.never({}))  # fmt: skip
    details = [Detail(0, 2, "scalar", 0)]
    drawn = Completion(vae, rows, known, details, stream(0, "test")).run()
    absent = torch.isnan(drawn.scalars[:, 0])
    assert absent.any()
    assert (absent == (drawn.codes[:, 0] < 2)).all()
