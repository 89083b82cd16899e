"""The prior over codes: uniform, then marginals, then whatever its weights say; always normalised,
and sampled as it scores."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from synthvae.model.parts import Learnt
from synthvae.model.priors.codes import CodesPrior, CodesSpec
from synthvae.model.priors.gmm import GmmPrior
from synthvae.model.values import Noise, Posterior, Space
from synthvae.seeds import stream

SLOTS, CLASSES = 4, 3
EVERY = torch.tensor(list(itertools.product(range(CLASSES), repeat=SLOTS)))  # [81, 4]


def prior(slots: int = SLOTS, classes: int = CLASSES) -> CodesPrior:
    torch.manual_seed(0)
    return CodesPrior(Space(2 * slots, slots, classes), CodesSpec(units=8)._network())


def shaken() -> CodesPrior:
    """Far from uniform, and fitted."""
    made = prior()
    made.fit(EVERY, 0)
    with torch.no_grad():
        for weight in made.decoder.out.weights:
            weight.normal_(0, 2)
        made.decoder.out.bias.normal_(0, 0.5)
    return made


def noise(n: int, space: Space) -> Noise:
    return Noise.draw(stream(3, "codes"), n, space, 7, 2)


def test_before_the_fit_it_is_uniform() -> None:
    made = prior()
    empty = torch.empty(len(EVERY), 0)
    rate = made.rate(Posterior(empty, empty, empty, EVERY))
    assert rate.shape == EVERY.shape
    assert torch.allclose(rate, torch.full(EVERY.shape, math.log(CLASSES)))
    uniform = torch.full((len(EVERY),), -SLOTS * math.log(CLASSES))
    assert torch.allclose(made.log_density(EVERY), uniform, atol=1e-5)
    drawn = noise(100, made.space)
    assert torch.equal(made.sample(drawn), (drawn.choice[:, 1:] * CLASSES).int())


def test_fit_starts_at_independent_slots() -> None:
    made = prior()
    codes = torch.cat([torch.zeros(900, SLOTS), torch.ones(100, SLOTS)]).long()
    made.fit(codes, 0)
    ones = made.log_density(torch.ones(1, SLOTS).long()).item()
    assert ones == pytest.approx(SLOTS * math.log(101 / 1003), abs=1e-4)


def test_probabilities_of_all_codes_add_up_to_one() -> None:
    density = shaken().log_density(EVERY)
    assert density.exp().sum().item() == pytest.approx(1.0, abs=1e-5)
    assert density.std().item() > 0.5


def test_fitted_its_rate_is_its_density() -> None:
    made, empty = shaken(), torch.empty(len(EVERY), 0)
    rate = made.rate(Posterior(empty, empty, empty, EVERY))
    assert torch.allclose(rate.sum(dim=1), -made.log_density(EVERY), atol=1e-5)


def test_samples_follow_the_density() -> None:
    made, n = shaken(), 60_000
    drawn = made.sample(noise(n, made.space))
    assert drawn.shape == (n, SLOTS)
    number = (drawn * torch.tensor([27, 9, 3, 1])).sum(dim=1)
    share = torch.bincount(number.long(), minlength=81) / n
    expected = made.log_density(EVERY).exp()
    error = 5 * torch.sqrt(expected * (1 - expected) / n) + 3 / n
    assert ((share - expected).abs() <= error).all()


def test_only_it_waits_for_stage_two() -> None:
    assert isinstance(prior(), Learnt)
    assert not isinstance(GmmPrior(2, 2), Learnt)


@pytest.mark.parametrize(("slots", "classes"), [(1, 2), (9, 2), (2, 600)])
def test_other_sizes_work(slots: int, classes: int) -> None:
    made = prior(slots, classes)
    drawn = made.sample(noise(50, made.space))
    assert drawn.shape == (50, slots)
    assert int(drawn.max()) < classes
    assert torch.allclose(
        made.log_density(drawn), torch.tensor(-slots * math.log(classes)), atol=1e-3
    )
