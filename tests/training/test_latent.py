"""What is said of the latent after training."""

from __future__ import annotations

import torch

from synthvae.layout import Block, Layout
from synthvae.model.compute import side_by_side
from synthvae.model.presets import PRESETS
from synthvae.model.spec import build
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.training import latent
from synthvae.training.findings import warnings


def rows(n: int) -> Rows:
    codes = torch.randint(0, 5, (n, 3), generator=torch.Generator().manual_seed(0))
    return Rows(codes.int(), torch.empty(n, 0))


def settle(model: Vae, n: int) -> dict[str, float]:
    with side_by_side(1) as pool:
        return latent.settle(model, rows(n), 0, pool)


LAYOUT = Layout(tuple(Block(name, name, "categorical", 5) for name in "abc"))


def test_a_latent_that_ignores_the_row_has_no_active_unit() -> None:
    model = build(PRESETS["arvae"].model, LAYOUT, 0)
    with torch.no_grad():
        model.latent.mean.weight.zero_()
        model.latent.mean.bias.fill_(1.0)
        model.latent.log_var.weight.zero_()
        model.latent.log_var.bias.zero_()
    told = settle(model, 4000)
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
    told = settle(model, 4000)
    assert told["active"] == 4
    assert told["rate"] > 4
    assert told["gap"] < told["normal_gap"]


def test_a_collapsed_latent_is_named_with_the_remedy() -> None:
    fine = {"active": 3.0, "units": 4.0, "rate": 2.0}
    assert warnings({"latent": fine}) == []
    for found in ({"active": 0.0}, {"rate": 0.05}):
        (warning,) = warnings({"latent": fine | found})
        assert "free_nats" in warning
        assert "beta" in warning
    assert "0 of 4 units" in warnings({"latent": fine | {"active": 0.0}})[0]


def test_use_of_codes_on_a_case_that_is_done_by_hand() -> None:
    """Slot one: four codes of five, equally often. Slot two: always the same."""
    codes = torch.tensor([[0, 3], [1, 3], [2, 3], [4, 3]] * 3)
    told = latent._use(codes, 5)
    assert abs(told["perplexity"] - (4 + 1) / 2) < 1e-9
    assert abs(told["utilisation"] - (4 / 5 + 1 / 5) / 2) < 1e-6
    assert abs(latent._use(codes[:4], 100)["utilisation"] - (4 / 4 + 1 / 4) / 2) < 1e-6
