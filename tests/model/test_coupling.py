"""The flow: invertible, with the volume that automatic differentiation finds."""

from __future__ import annotations

import pytest
import torch

from synthvae.model.coupling import CouplingFlow


def bent(size: int) -> CouplingFlow:
    """A flow that is far from changing nothing."""
    flow = CouplingFlow(size, layers=6, hidden=8)
    generator = torch.Generator().manual_seed(1)
    flow.start(torch.randn(50, size, generator=generator) * 3 + 1, generator)
    with torch.no_grad():
        for coupling in flow.couplings:
            coupling.out.weight.normal_(0, 0.5, generator=generator)
            coupling.out.bias.normal_(0, 0.5, generator=generator)
    return flow.double()


sizes = pytest.mark.parametrize("size", [1, 2, 3, 5])


@sizes
@torch.no_grad()
def test_there_and_back_again(size: int) -> None:
    flow, z = bent(size), torch.randn(40, size, dtype=torch.double)
    image, _ = flow(z)
    assert not torch.allclose(image, z, atol=0.5)
    assert torch.allclose(flow.inverse(image), z, atol=1e-9)


@sizes
def test_the_log_determinant_is_that_of_the_jacobian(size: int) -> None:
    flow = bent(size)
    for z in torch.randn(5, size, dtype=torch.double):
        jacobian = torch.autograd.functional.jacobian(lambda z: flow(z[None])[0][0], z)
        expected = torch.linalg.slogdet(jacobian).logabsdet
        assert torch.allclose(flow(z[None])[1], expected, atol=1e-9)


def test_any_two_units_are_on_different_sides_in_some_layer() -> None:
    stays = torch.stack([c.stays for c in CouplingFlow(5, layers=6, hidden=4).couplings])
    apart = (stays[:, :, None] != stays[:, None]).any(dim=0)
    assert torch.equal(apart, ~torch.eye(5, dtype=torch.bool))
    assert torch.equal(stays[0::2] + stays[1::2], torch.ones(3, 5))


@torch.no_grad()
def test_before_the_start_nothing_is_changed() -> None:
    flow, z = CouplingFlow(3, layers=4, hidden=8), torch.randn(10, 3)
    image, volume = flow(z)
    assert torch.equal(image, z)
    assert torch.equal(volume, torch.zeros(10))
