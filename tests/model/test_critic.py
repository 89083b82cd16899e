"""The critic of a VAE-GAN: what it looks at, and what its losses ask for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthvae.layout import Block, Layout
from synthvae.model.critic import AdversarialSpec, Critic, disbelief, feature_distance, told_apart
from synthvae.model.heads import Heads
from synthvae.model.scalars import Gaussian, GaussianMixture
from synthvae.model.values import Noise, Rows, Space
from synthvae.model.views import RowView

BLOCKS = (
    Block("a", "a", "categorical", 3),
    Block("b:mode", "b", "categorical", 4),
    Block("b:scalar", "b", "scalar", 1),
    Block("c:coarse", "c", "categorical", 12),
    Block("c:fine", "c", "categorical", 2),
)
LAYOUT = Layout(BLOCKS)
NONE = Layout(())
NOTHING = Rows(torch.empty(400, 0, dtype=torch.int32), torch.empty(400, 0))


def rows(n: int = 400) -> Rows:
    """b's scalar is missing in modes 0 and 2, c's fine cell in the first five coarse ones."""
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, size, n) for size in (3, 4, 12, 2)], 1).astype(np.int32)
    codes[codes[:, 2] < 5, 3] = -1
    scalars = rng.uniform(-0.9, 0.9, (n, 1)).astype(np.float32)
    scalars[np.isin(codes[:, 1], (0, 2))] = np.nan
    return Rows(torch.from_numpy(codes), torch.from_numpy(scalars))


@pytest.fixture
def view() -> RowView:
    return RowView(Heads(LAYOUT, Gaussian(1)), rows())


def by_hand(view: RowView, seen: Rows) -> torch.Tensor:
    """The layout's one-hot view, its blocks put where the heads have theirs."""
    plain = torch.from_numpy(LAYOUT.one_hot(seen.encoded()))
    out = torch.zeros(len(seen), view.width)
    offsets = np.cumsum([0, *LAYOUT.sizes])
    for group in view.heads.groups:
        for i, block in enumerate(group.blocks):
            start, size = group.start + i * group.size, LAYOUT.sizes[block]
            out[:, start : start + size] = plain[:, offsets[block] : offsets[block + 1]]
    out[:, -1] = plain[:, -1]
    return out


def test_real_rows_are_the_one_hot_view_by_hand(view: RowView) -> None:
    assert torch.equal(view.real(rows()), by_hand(view, rows()))
    assert view.real(rows()).sum(dim=1).max() <= 4.9


@pytest.mark.parametrize("scalars", [Gaussian(1), GaussianMixture(3)])
def test_the_expected_view_is_the_mean_of_what_the_heads_draw(scalars: Gaussian) -> None:
    """And the critic's own draws have the same mean: presence too."""
    heads, n = Heads(LAYOUT, scalars), 40_000
    view = RowView(heads, rows())
    outputs = torch.randn(1, heads.outputs, generator=torch.Generator().manual_seed(1)) * 0.5
    outputs = outputs.expand(n, -1)
    with torch.no_grad():
        expected = view.expected(outputs)[0]
        drawn = view.drawn(outputs, torch.Generator().manual_seed(2))
        noise = Noise.draw(np.random.default_rng(3), n, Space(1), 4, 1)
        sampled = heads.sample(outputs, noise)
    # As the codec would drop what is not present:
    absent = torch.isin(sampled.codes[:, 1], torch.tensor([0, 2]))
    sampled.scalars[absent] = torch.nan
    sampled.codes[sampled.codes[:, 2] < 5, 3] = -1
    for mean in (drawn.mean(dim=0), view.real(sampled).mean(dim=0)):
        assert torch.allclose(mean, expected, atol=0.02)
    classes = drawn[:, : heads.first_scalar]
    assert set(classes.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(classes.sum(1), 3.0 + (drawn[:, fine(view)].sum(dim=1)))


def fine(view: RowView) -> slice:
    """Where the fine cells of c stand."""
    (group,) = (g for g in view.heads.groups if 3 in g.blocks)
    start = group.start + group.blocks.index(3) * group.size
    return slice(start, start + group.size)


def test_draws_have_gradients_and_follow_from_their_generator(view: RowView) -> None:
    outputs = torch.zeros(400, view.heads.outputs, requires_grad=True)
    one, two, other = (view.drawn(outputs, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    (one * torch.randn_like(one)).sum().backward()
    own = outputs.grad.abs().sum(dim=0)
    padding = view.heads.pad < 0
    assert (own[~padding] > 0).all()
    assert (own[padding] == 0).all()


def critic(seed: int = 0, given: Layout = NONE) -> Critic:
    width = RowView(Heads(LAYOUT, Gaussian(1)), rows()).width
    return AdversarialSpec(hidden=(16, 16)).build(width, given, seed)


def test_the_penalty_is_the_squared_slope_at_real_rows(view: RowView) -> None:
    judge, real = critic().double(), view.real(rows()).double()
    drawn = torch.rand_like(real)
    penalised = told_apart(judge, real, drawn, NOTHING, 2.0)
    slope, at, step = torch.zeros(len(real), dtype=torch.double), real.clone(), 1e-6
    for column in range(real.shape[1]):
        at[:, column] += step
        up = judge(at, NOTHING)[1]
        at[:, column] -= 2 * step
        slope += ((up - judge(at, NOTHING)[1]) / (2 * step)) ** 2
        at[:, column] += step
    score = [judge(part, NOTHING)[1] for part in (real, drawn)]
    plain = torch.log1p(torch.exp(-score[0])) + torch.log1p(torch.exp(score[1]))
    assert torch.allclose(penalised, plain + slope, atol=1e-6)


def test_it_learns_to_tell_rows_apart_and_a_view_to_convince_it(view: RowView) -> None:
    judge, real = critic(), view.real(rows())
    outputs = torch.linspace(-1, 1, view.heads.outputs).expand(400, -1)
    drawn = view.drawn(outputs, torch.Generator().manual_seed(0)).detach()
    optimizer = torch.optim.Adam(judge.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = told_apart(judge, real, drawn, NOTHING, 0.01).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.3
    assert disbelief(judge, drawn, NOTHING).mean() > disbelief(judge, real, NOTHING).mean() + 0.5
    assert (feature_distance(judge, real, real, NOTHING) == 0).all()
    far = feature_distance(judge, real, drawn, NOTHING) > 0
    assert torch.equal(far, (real != drawn).any(dim=1))


def test_conditions_reach_the_critic_and_the_seed_decides_its_weights() -> None:
    given = Layout((Block("g", "g", "categorical", 3),))
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, same, other = critic(0, given), critic(0, given), critic(1, given)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one.inner.weight, same.inner.weight)
    assert not torch.equal(one.inner.weight, other.inner.weight)
    seen = torch.zeros(2, one.inner.in_features)
    conditions = Rows(torch.tensor([[0], [1]], dtype=torch.int32), torch.empty(2, 0))
    scores = one(seen, conditions)[1]
    assert scores[0] != scores[1]
