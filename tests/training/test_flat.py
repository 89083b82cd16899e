"""Parameters as views of one vector."""

from __future__ import annotations

import torch

from synthvae.training.flat import Flat


def test_a_change_of_the_vector_is_one_of_the_parameters_and_back() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Linear(5, 1))
    before = [p.detach().clone() for p in net.parameters()]
    flat = Flat(list(net.parameters()))
    assert all(torch.equal(p, b) for p, b in zip(net.parameters(), before, strict=True))
    x = torch.randn(4, 3)
    expected = net(x)
    flat.vector.mul_(2)
    assert all(torch.equal(p, 2 * b) for p, b in zip(net.parameters(), before, strict=True))
    net.load_state_dict(dict(zip(net.state_dict(), before, strict=True)))
    assert torch.equal(net(x), expected)
    assert torch.equal(
        torch.cat([v.flatten() for v in flat.views(flat.vector)]),
        torch.cat([b.flatten() for b in before]),
    )
