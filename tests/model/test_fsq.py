"""Finite scalar quantization: codes and points are each other's inverse, gradients pass."""

from __future__ import annotations

import math

import pytest
import torch

from synthvae.model.latents.fsq import FsqLatent, FsqSpec

LEVELS = [(8, 5, 5), (4, 3), (7,), (2,), (2, 2, 2, 2, 2)]


def latent(levels: tuple[int, ...], slots: int = 3, hidden: int = 16) -> FsqLatent:
    torch.manual_seed(0)
    made = FsqLatent(hidden, FsqSpec(slots=slots, levels=levels))
    with torch.no_grad():
        made.project.weight.mul_(5)  # so that all levels are met
    return made


@pytest.mark.parametrize("levels", LEVELS)
def test_every_code_is_a_point_of_its_own_on_the_grid(levels: tuple[int, ...]) -> None:
    made = latent(levels, slots=1)
    count = math.prod(levels)
    points = made.embed(torch.arange(count)[:, None])
    assert points.shape == (count, len(levels))
    assert len(points.unique(dim=0)) == count
    for dimension, level in enumerate(levels):
        expected = torch.linspace(-1, 1, level)
        assert torch.allclose(points[:, dimension].unique(), expected, atol=1e-6)


@pytest.mark.parametrize("levels", LEVELS)
def test_embedding_the_codes_gives_the_posterior_back_to_the_bit(levels: tuple[int, ...]) -> None:
    made = latent(levels)
    found = made(torch.randn(2000, 16), torch.empty(0))
    assert found.codes is not None
    assert found.codes.shape == (2000, 3)
    assert torch.equal(made.embed(found.codes), found.z)
    assert torch.equal(made.embed(found.codes.int()), found.z)
    assert made.space.classes == math.prod(levels)
    assert set(found.codes[:, 0].tolist()) <= set(range(made.space.classes))


@pytest.mark.parametrize("levels", LEVELS)
def test_every_code_is_reached(levels: tuple[int, ...]) -> None:
    """From an h whose bounded value is a code's point, that very code comes."""
    made = latent(levels, slots=1, hidden=len(levels))
    with torch.no_grad():
        made.project.weight.copy_(torch.eye(len(levels)))
        made.project.bias.zero_()
    codes = torch.arange(made.space.classes)[:, None]
    found = made(torch.atanh(0.999 * made.embed(codes)), torch.empty(0))
    assert torch.equal(found.codes, codes)


def test_each_dimension_takes_its_nearest_level() -> None:
    made = latent((5, 4), slots=2)
    h = torch.randn(300, 16)
    bounded = torch.tanh(made.project(h)).view(300, 2, 2)
    z = made(h, torch.empty(0)).z.view(300, 2, 2)
    for dimension, level in enumerate((5, 4)):
        grid = torch.linspace(-1, 1, level)
        off = (bounded[:, :, dimension, None] - grid).abs()
        assert torch.allclose(z[:, :, dimension], grid[off.argmin(dim=2)], atol=1e-6)


def test_two_levels_are_signs() -> None:
    made = latent((2,), slots=9)
    h = torch.randn(100, 16)
    found = made(h, torch.empty(0))
    assert torch.equal(found.z, made.project(h).sign())
    assert torch.equal(found.codes, (made.project(h) > 0).long())


def test_the_gradient_is_that_of_what_was_rounded() -> None:
    made = latent((4, 3))
    h, weight = torch.randn(10, 16), torch.randn(10, 6)
    (made(h, torch.empty(0)).z * weight).sum().backward()
    straight = made.project.weight.grad
    made.project.weight.grad = None
    (torch.tanh(made.project(h)) * weight).sum().backward()
    assert torch.allclose(straight, made.project.weight.grad)


@pytest.mark.parametrize("levels", [(), (1, 5), (17, 17, 17)])
def test_levels_that_are_no_choice_are_refused(levels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="levels"):
        FsqSpec(levels=levels)
