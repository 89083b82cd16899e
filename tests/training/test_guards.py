"""The guards pass every composition that says it is private, and catch planted bugs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synthvae.errors import TrainingError
from synthvae.layout import Block, Layout
from synthvae.model.compute import side_by_side
from synthvae.model.objective import Objective
from synthvae.model.priors.codes import CodesPrior, CodesSpec
from synthvae.model.spec import PARTS, ModelSpec, TrainingSpec, build, priors_of
from synthvae.model.vae import Vae
from synthvae.model.values import Dropout, Rows, Space, Terms
from synthvae.training import guards, rowwise
from synthvae.training.clipping import ClippedSum
from synthvae.training.guards import check, unmoved
from synthvae.training.permitted import why_not_private
from synthvae.training.poisson import Secret
from synthvae.training.private import PrivateSpec, PrivateSteps
from synthvae.training.stage_two import OfDraws

NUMBER = (Block("x mode", "x", "categorical", 3), Block("x", "x", "scalar", 1))
LAYOUT = Layout(
    (
        Block("a", "a", "categorical", 2),
        *NUMBER,
        Block("b", "b", "categorical", 9),
        Block("c", "c", "categorical", 40),
    ),
    given=("b",),
)


def compositions() -> Iterator[ModelSpec]:
    for latent, decoder in itertools.product(PARTS["latent"].values(), PARTS["decoder"].values()):
        for prior, scalar in itertools.product(priors_of(latent()), PARTS["scalar"].values()):
            numeric = "modes" if scalar().kind == "gaussian" else "quantiles"
            if decoder().kind == "autoregressive" and numeric == "modes":
                continue
            yield ModelSpec(
                numeric=numeric,
                encoder=(24, 24),
                latent=latent(),
                prior=PARTS["prior"][prior](),
                decoder=decoder(),
                scalar=scalar(),
                objective=Objective(free_nats=0.1),
            )


ALL = list(compositions())
PRIVATE = [spec for spec in ALL if not why_not_private(spec, TrainingSpec())]
FIRST = PRIVATE[0]


def name(spec: ModelSpec) -> str:
    return "-".join((spec.latent.kind, spec.prior.kind, spec.decoder.kind, spec.scalar.kind))


@contextmanager
def sums_of(model: nn.Module, bound: float = 1.0, layout: Layout = LAYOUT):
    """Sums of the ELBO's clipped gradients, and a call that checks them."""
    with side_by_side(1) as team:
        spec = PrivateSpec(noise=1.0, rate=0.1, steps=1, clip=bound)
        sums = PrivateSteps(model, Objective(), spec, 100, team, Secret()).sums
        yield sums, lambda: check(sums, layout, model.space.size, 1.0)


@pytest.mark.parametrize("bound", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("spec", PRIVATE, ids=name)
def test_what_says_it_is_private_passes(spec: ModelSpec, bound: float) -> None:
    model = build(spec, LAYOUT, seed=3)
    with sums_of(model, bound) as (_, checked):
        checked()
    assert all(p.requires_grad for p in model.latent.parameters())


def test_every_part_is_in_a_composition_or_says_why_it_is_not() -> None:
    for table, part in (("latent", "latent"), ("prior", "prior"), ("decoder", "decoder")):
        covered = {getattr(spec, part).kind for spec in PRIVATE}
        says_why = {kind for kind, cls in PARTS[table].items() if cls.private is not True}
        assert covered | says_why == set(PARTS[table])
        assert not covered & says_why


def test_a_prior_of_codes_passes_on_its_own() -> None:
    space = Space(6, 3, 5)
    layout = Layout(tuple(Block(f"s{i}", f"s{i}", "categorical", 5) for i in range(3)))
    prior = CodesPrior(space, CodesSpec(units=8)._network())
    with sums_of(OfDraws(prior), layout=layout) as (_, checked):
        checked()


def test_reasons_name_the_part_and_say_why() -> None:
    model = replace(ALL[0], prior=PARTS["prior"]["vamp"](), objective=Objective(iwae=3))
    training = TrainingSpec(regime=PARTS["regime"]["adversarial"]())
    prior, regime, iwae = why_not_private(model, training)
    assert prior.startswith("prior: vamp puts pseudo-rows")
    assert regime.startswith("regime: adversarial lets a critic")
    assert "iwae: 3" in iwae
    assert why_not_private(FIRST, TrainingSpec()) == []


def test_a_prior_of_pseudo_rows_is_refused() -> None:
    model = build(replace(FIRST, prior=PARTS["prior"]["vamp"]()), LAYOUT, 0)
    with pytest.raises(TrainingError, match="VampPrior"), sums_of(model):
        pass


class Planted(Vae):
    """A model with something wrong, in what it says of rows."""

    def __init__(self, of: Vae, wrong: Callable[[Planted, Terms], Tensor]) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(of.__dict__)
        self.wrong = wrong
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, rows: Rows, noise: Tensor, dropout: Dropout | None = None) -> Terms:
        terms = super().forward(rows, noise, dropout)
        return Terms(terms.nats, terms.rate, self.wrong(self, terms))


def coupled(_: Planted, terms: Terms) -> Tensor:
    return (terms.distortion - terms.distortion.mean()) ** 2


def moved(model: Planted, terms: Terms) -> Tensor:
    model.seen += terms.distortion.detach().sum()
    return torch.zeros(len(terms.nats))


def elsewhere(model: Planted, terms: Terms) -> Tensor:
    return model.decoder.out.weight.square().sum() * terms.distortion.detach()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [(coupled, "that row alone"), (moved, "moved seen"), (elsewhere, "outside its layer")],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_planted_bugs_of_a_model_are_caught(
    wrong: Callable[[Planted, Terms], Tensor], says: str
) -> None:
    model = Planted(build(FIRST, LAYOUT, 0), wrong)
    with sums_of(model) as (_, checked), pytest.raises(TrainingError, match=says):
        checked()


def test_statistics_of_the_batch_are_caught() -> None:
    model = build(FIRST, LAYOUT, 0)
    model.encoder.trunk.insert(1, nn.BatchNorm1d(24, affine=False, track_running_stats=False))
    with sums_of(model) as (_, checked), pytest.raises(TrainingError, match="that row alone"):
        checked()


def test_sums_that_are_not_clipped_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClippedSum, "factor", lambda _, squares: torch.ones_like(squares))
    with (
        sums_of(build(FIRST, LAYOUT, 0), 1e-3) as (_, checked),
        pytest.raises(TrainingError, match="differs"),
    ):
        checked()


@pytest.mark.parametrize("kind", rowwise.RULES, ids=lambda kind: kind.__name__)
def test_a_wrong_rule_is_caught(kind: type[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    right = rowwise.RULES[kind]
    wrong = replace(right, squares=lambda *given: 0.5 * right.squares(*given))
    monkeypatch.setitem(rowwise.RULES, kind, wrong)  # type: ignore[arg-type]
    # The rows that are made up decide how much of the gradient a layer has: the same ones each run.
    monkeypatch.setattr(guards, "fresh_stream", lambda: np.random.default_rng(0))
    models = (build(spec, LAYOUT, 0) for spec in PRIVATE)
    having = next(m for m in models if any(type(part) is kind for part in m.modules()))
    with sums_of(having, 1e-3) as (_, checked), pytest.raises(TrainingError, match="rule"):
        checked()


def test_what_only_fills_a_matrix_up_is_not_in_use_and_zero() -> None:
    spec = next(spec for spec in PRIVATE if spec.decoder.kind == "autoregressive")
    many = Layout(tuple(Block(f"c{i}", f"c{i}", "categorical", 3) for i in range(9)))
    with sums_of(build(spec, many, 0), layout=many) as (sums, _):
        in_use, held = sums.in_use(), sums.flat.vector
        filling = [
            weight[mark == 0]
            for weight, mark in zip(sums.flat.views(held), sums.flat.views(in_use), strict=True)
        ]
    assert sum(len(part) for part in filling) > 100
    assert not torch.cat(filling).any()


def test_buffers_that_hold_nan_are_no_alarm() -> None:
    model = nn.Module()
    model.register_buffer("nothing", torch.tensor([float("nan")]))
    with unmoved(model):
        pass
    with pytest.raises(TrainingError, match="moved nothing"), unmoved(model):
        model.nothing.zero_()


def test_rows_that_are_made_up_fit_the_layout() -> None:
    rows = guards.made_up(LAYOUT, 500, np.random.default_rng(0))
    for block, size in enumerate(LAYOUT.sizes):
        assert rows.codes[:, block].min() == -1
        assert rows.codes[:, block].max() == size - 1
    assert torch.isnan(rows.scalars).any()
