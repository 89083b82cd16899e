"""What is said of the latent after training."""

from __future__ import annotations

import torch

from synthvae.layout import Block, Layout
from synthvae.model.parts import Rows
from synthvae.model.spec import PRESETS, build
from synthvae.training.latent import settle, warnings


def rows(n: int) -> Rows:
    codes = torch.randint(0, 5, (n, 3), generator=torch.Generator().manual_seed(0))
    return Rows(codes.int(), torch.empty(n, 0))


LAYOUT = Layout(tuple(Block(name, name, "categorical", 5) for name in "abc"))


def test_a_latent_that_ignores_the_row_has_no_active_unit() -> None:
    model = build(PRESETS["arvae"].model, LAYOUT, 0)
    with torch.no_grad():
        model.latent.mean.weight.zero_()
        model.latent.mean.bias.fill_(1.0)
        model.latent.log_var.weight.zero_()
        model.latent.log_var.bias.zero_()
    told = settle(model, rows(4000), 0)
    assert told["active"] == 0
    assert told["units"] == 4
    assert abs(told["rate"] - 2.0) < 1e-4  # four units, each half a nat off N(0, 1)
    assert abs(told["gap"]) < 0.1
    assert told["normal_gap"] > 1.5


def test_a_latent_that_tells_rows_apart_is_active() -> None:
    model = build(PRESETS["arvae"].model, LAYOUT, 0)
    with torch.no_grad():
        model.latent.mean.weight.mul_(20)
        model.latent.log_var.bias.fill_(-3.0)
    told = settle(model, rows(4000), 0)
    assert told["active"] == 4
    assert told["rate"] > 4
    assert told["gap"] < told["normal_gap"]


def test_a_collapsed_latent_is_named_with_the_remedy() -> None:
    fine = {"active": 3.0, "units": 4.0, "rate": 2.0}
    assert warnings(fine) == []
    for found in ({"active": 0.0}, {"rate": 0.05}):
        (warning,) = warnings(fine | found)
        assert "free_nats" in warning
        assert "beta" in warning
    assert "0 of 4 units" in warnings(fine | {"active": 0.0})[0]
