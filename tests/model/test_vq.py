"""Vector quantization: the nearest code, whose gradient goes where, and codes brought to life."""

from __future__ import annotations

import pytest
import torch

from synthvae.model.latents.vq import VqLatent, VqSpec

HIDDEN = 12


def latent(**fields: object) -> VqLatent:
    torch.manual_seed(0)
    return VqLatent(HIDDEN, VqSpec(**{"slots": 3, "codes": 20, "width": 4, **fields}))


def wanted(made: VqLatent, h: torch.Tensor) -> torch.Tensor:
    return made.project(h).view(len(h), made.space.slots, -1)


def books(made: VqLatent) -> torch.Tensor:
    return made.books.weight.view(made.space.slots, made.space.classes, -1)


def test_each_slot_takes_the_nearest_code_of_its_own_book() -> None:
    made, h = latent(), torch.randn(200, HIDDEN)
    found = made(h, torch.empty(0))
    for slot in range(3):
        off = torch.cdist(wanted(made, h)[:, slot], books(made)[slot])
        assert torch.equal(found.codes[:, slot], off.argmin(dim=1))
        assert torch.equal(
            found.z.view(200, 3, 4)[:, slot], books(made)[slot][found.codes[:, slot]]
        )
    assert torch.equal(made.embed(found.codes), found.z)


def test_the_gradient_of_z_goes_to_the_encoder_unchanged() -> None:
    made, h = latent(), torch.randn(10, HIDDEN)
    weight = torch.randn(10, 12)
    (made(h, torch.empty(0)).z * weight).sum().backward()
    assert made.books.weight.grad is None
    assert torch.allclose(made.project.bias.grad, weight.sum(dim=0), atol=1e-5)


def test_the_penalty_pulls_codes_and_commits_the_encoder() -> None:
    """d/dq of half the squared distance is q - e, and the encoder's is `commitment` times e - q."""
    made, h = latent(commitment=0.3), torch.randn(10, HIDDEN)
    found = made(h, torch.empty(0))
    off = (wanted(made, h) - found.z.view(10, 3, 4)).detach()
    assert found.penalty is not None
    assert torch.allclose(found.penalty, 1.3 * 0.5 * (off**2).sum(dim=(1, 2)), atol=1e-5)
    found.penalty.sum().backward()
    expected = torch.zeros(3, 20, 4)
    for row in range(10):
        for slot in range(3):
            expected[slot, found.codes[row, slot]] -= off[row, slot]
    assert torch.allclose(made.books.weight.grad.view(3, 20, 4), expected, atol=1e-5)
    assert torch.allclose(made.project.bias.grad, 0.3 * off.sum(dim=0).flatten(), atol=1e-5)


def test_without_commitment_the_penalty_leaves_the_encoder_alone() -> None:
    made = latent(commitment=0.0)
    made(torch.randn(10, HIDDEN), torch.empty(0)).penalty.sum().backward()
    assert not made.project.weight.grad.any()
    assert made.books.weight.grad.any()


def test_revived_codes_are_used_and_the_others_stay() -> None:
    made, h = latent(), torch.randn(500, HIDDEN)
    with torch.no_grad():
        books(made)[:, 5:] += 100.0  # out of reach
    before = books(made).clone()
    used = made(h, torch.empty(0)).codes
    made.revive(h, torch.Generator().manual_seed(1))
    for slot in range(3):
        kept = used[:, slot].unique()
        assert torch.equal(books(made)[slot, kept], before[slot, kept])
        revived = set(range(20)) - set(kept.tolist())
        assert len(revived) >= 15
        assert revived <= set(made(h, torch.empty(0)).codes[:, slot].tolist())


def test_reviving_follows_from_the_generator() -> None:
    h, made = torch.randn(300, HIDDEN), [latent() for _ in range(3)]
    for one, seed in zip(made, (1, 1, 2), strict=True):
        with torch.no_grad():
            one.books.weight.add_(100.0)
        one.revive(h, torch.Generator().manual_seed(seed))
    assert torch.equal(made[0].books.weight, made[1].books.weight)
    assert not torch.equal(made[0].books.weight, made[2].books.weight)


def test_fewer_rows_than_dead_codes_do_no_harm() -> None:
    made, h = latent(), torch.randn(1, HIDDEN).expand(4, -1)
    made.revive(h, torch.Generator().manual_seed(0))
    assert torch.isfinite(made.books.weight).all()


@pytest.mark.parametrize("fields", [{"codes": 1}, {"codes": 5000}, {"slots": 0}, {"width": 0}])
def test_sizes_that_make_no_book_are_refused(fields: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        VqSpec(**fields)
