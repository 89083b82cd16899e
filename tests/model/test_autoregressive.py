"""The autoregressive decoder: no block sees itself or a later one, and its sampler draws from the
conditionals whose product is its likelihood."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from synthvae.layout import Block, Layout
from synthvae.model.decoders.autoregressive import AutoregressiveDecoder, AutoregressiveSpec
from synthvae.model.heads import draw_codes
from synthvae.model.presets import PRESETS
from synthvae.model.spec import build
from synthvae.model.vae import Vae
from synthvae.model.values import Noise, Rows, Space
from synthvae.seeds import stream

BLOCKS = (
    Block("n:class", "n", "categorical", 4, (0.0, -1.0, 0.5, None)),
    Block("n:place", "n", "scalar", 1),
    Block("a", "a", "categorical", 3),
    Block("m:place", "m", "scalar", 1, (-5.0, 4.0)),
    Block("k", "k", "categorical", 5, (-1.5, -0.5, 0.0, 0.5, 1.5)),
    Block("b", "b", "categorical", 2),
)
SIZES = (4, 3, 5, 2)


def model(blocks: tuple[Block, ...] = BLOCKS, given: tuple[str, ...] = ()) -> Vae:
    made = build(PRESETS["arvae"].model, Layout(blocks, given), 3)
    torch.manual_seed(1)
    for parameter in made.decoder.parameters():  # far from the start, where all is nearly constant
        with torch.no_grad():
            mask = (parameter != 0).float() if parameter.dim() > 1 else 1.0
            parameter.add_(0.3 * torch.randn_like(parameter) * mask)
    return made.eval()


def rows(n: int, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, size, n) for size in SIZES], 1).astype(np.int32)
    scalars = rng.normal(size=(n, 2)).astype(np.float32)
    scalars[codes[:, 0] != 3, 0] = np.nan
    return Rows(torch.from_numpy(codes), torch.from_numpy(scalars))


def noise(n: int, latent: int, blocks: int, scalars: int) -> Noise:
    return Noise.draw(stream(5, "test"), n, Space(latent), blocks, scalars)


def decoder_of(vae: Vae) -> AutoregressiveDecoder:
    assert isinstance(vae.decoder, AutoregressiveDecoder)
    return vae.decoder


def test_no_block_sees_itself_or_a_later_one() -> None:
    vae = model()
    decoder, empty = decoder_of(vae), rows(40).part(vae.given)
    z, before = torch.randn(40, vae.space.size), rows(40)
    outputs = decoder(z, before, empty)
    parts = {name: outputs[:, at] for name, at in spans(vae).items()}
    order = [(step.kind, step.at) for step in decoder.steps]
    for i, (kind, at) in enumerate(order):
        changed = Rows(before.codes.clone(), before.scalars.clone())
        if kind == "categorical":
            changed.codes[:, at] = (before.codes[:, at] + 1) % SIZES[at]
        else:
            changed.scalars[:, at] = 1.234
        after = decoder(z, changed, empty)
        for j, other in enumerate(order):
            same = torch.equal(after[:, spans(vae)[other]], parts[other])
            assert same if j <= i else not same


def spans(vae: Vae) -> dict[tuple[str, int], slice]:
    """Where the outputs of each block stand."""
    found: dict[tuple[str, int], slice] = {}
    for group in vae.heads.groups:
        for i, block in enumerate(group.blocks):
            start = group.start + i * group.size
            found["categorical", block] = slice(start, start + SIZES[block])
    width = vae.heads.scalars.width
    for i in range(vae.heads.n_scalars):
        start = vae.heads.first_scalar + i * width
        found["scalar", i] = slice(start, start + width)
    return found


def test_the_sampler_equals_a_pass_per_block() -> None:
    vae, n = model(), 500
    drawn_by = noise(n, vae.space.size, 4, 2)
    z, empty = torch.randn(n, vae.space.size), rows(n).part(vae.given)
    decoder = decoder_of(vae)
    fast = decoder.sample(z, empty, drawn_by, vae.heads)
    slow = Rows(torch.zeros(n, 4, dtype=torch.int32), torch.full((n, 2), torch.nan))
    with torch.no_grad():
        for step in decoder.steps:
            outputs = decoder(z, slow, empty)[:, None, spans(vae)[step.kind, step.at]]
            at = slice(step.at, step.at + 1)
            if step.kind == "categorical":
                slow.codes[:, at] = draw_codes(outputs, drawn_by.uniform[:, at]).int()
                continue
            uniform = drawn_by.uniform[:, 4:][:, at]
            value = vae.heads.scalars.draw(outputs, at, uniform, drawn_by.normal[:, at])
            value = value.clamp(*step.places) if step.places else value
            absent = (slow.codes[:, :1] != 3) & (step.column == "n")
            slow.scalars[:, at] = torch.where(absent, torch.nan, value)
    # Matrix products of other shapes round differently: a draw on the edge may fall either way.
    same = (fast.codes == slow.codes).all(dim=1)
    assert same.float().mean() > 0.99
    assert torch.allclose(fast.scalars[same], slow.scalars[same], atol=1e-3, equal_nan=True)
    within = fast.scalars[:, 1]
    assert within.min() == -5.0
    assert within.max() == 4.0
    assert ((within > -5.0) & (within < 4.0)).float().mean() > 0.1


def test_probabilities_of_all_rows_add_up_to_one() -> None:
    vae = model(tuple(block for block in BLOCKS if block.column in "akb"))
    every = torch.tensor(list(itertools.product(range(3), range(5), range(2))), dtype=torch.int32)
    whole = Rows(every, torch.empty(len(every), 0))
    z = torch.randn(1, vae.space.size).expand(len(every), -1)
    with torch.no_grad():
        outputs = decoder_of(vae)(z, whole, whole.part(vae.given))
        nats = vae.heads.nats(outputs, whole).sum(dim=1)
    assert float(torch.exp(-nats).sum()) == pytest.approx(1.0, abs=1e-5)


def test_samples_follow_the_likelihood() -> None:
    vae, n = model(tuple(block for block in BLOCKS if block.column in "akb")), 60_000
    z = torch.randn(1, vae.space.size).expand(n, -1)
    empty = Rows(torch.empty(n, 0, dtype=torch.int32), torch.empty(n, 0))
    drawn = decoder_of(vae).sample(z, empty, noise(n, vae.space.size, 3, 0), vae.heads)
    every = torch.tensor(list(itertools.product(range(3), range(5), range(2))), dtype=torch.int32)
    whole = Rows(every, torch.empty(len(every), 0))
    with torch.no_grad():
        outputs = decoder_of(vae)(z[: len(every)], whole, whole.part(vae.given))
        expected = torch.exp(-vae.heads.nats(outputs, whole).sum(dim=1))
    number = drawn.codes[:, 0] * 10 + drawn.codes[:, 1] * 2 + drawn.codes[:, 2]
    share = torch.bincount(number.long(), minlength=30) / n
    # A row that is expected less than once may be drawn a few times: counts are Poisson there.
    error = 5 * torch.sqrt(expected * (1 - expected) / n) + 3 / n
    assert ((share - expected).abs() <= error).all()


def test_later_blocks_see_the_exact_number() -> None:
    """Two numbers of the same class differ for the blocks after them."""
    vae = model()
    before, after = rows(8), rows(8)
    before.codes[:, 0], after.codes[:, 0] = 3, 3
    before.scalars[:, 0], after.scalars[:, 0] = 0.10, 0.11
    z, empty = torch.randn(8, vae.space.size), before.part(vae.given)
    last = spans(vae)["scalar", 1]
    decoder = decoder_of(vae)
    assert (decoder(z, before, empty)[:, last] != decoder(z, after, empty)[:, last]).any()


def test_the_latent_reaches_every_block() -> None:
    vae, whole = model(), rows(6)
    decoder, empty = decoder_of(vae), whole.part(vae.given)
    z = torch.randn(6, vae.space.size)
    for unit in range(vae.space.size):
        moved = z.clone()
        moved[:, unit] += 1
        one, two = (decoder(at, whole, empty) for at in (z, moved))
        assert all((one[:, at] != two[:, at]).any() for at in spans(vae).values())


def test_samples_change_with_the_latent() -> None:
    vae, n = model(), 500
    drawn_by, empty = noise(n, vae.space.size, 4, 2), rows(n).part(vae.given)
    z = torch.randn(n, vae.space.size)
    one, two = (decoder_of(vae).sample(at, empty, drawn_by, vae.heads) for at in (z, z + 1))
    assert (one.codes != two.codes).any(dim=0).all()
    assert (one.scalars[:, 1] != two.scalars[:, 1]).any()


def test_given_columns_reach_every_block() -> None:
    vae = model(given=("a",))
    whole = rows(6)
    other = Rows(whole.codes.clone(), whole.scalars)
    other.codes[:, 1] = (whole.codes[:, 1] + 1) % 3
    z = torch.randn(6, vae.space.size)
    decoder = decoder_of(vae)
    one, two = (
        decoder(z, part.part(vae.modelled), part.part(vae.given)) for part in (whole, other)
    )
    assert (one != two).any(dim=0).all()


def test_wide_tables_get_fewer_units_a_block() -> None:
    blocks = tuple(Block(str(i), str(i), "categorical", 3) for i in range(300))
    vae = build(PRESETS["arvae"].model, Layout(blocks), 0)
    assert decoder_of(vae).units == 4
    narrow = dataclasses.replace(AutoregressiveSpec(), units=2)
    assert narrow.units == 2
    with pytest.raises(ValueError, match="dropout is a share"):
        AutoregressiveSpec(dropout=1.0)


def test_more_dropout_is_worth_a_try_where_there_is_some() -> None:
    decoder = decoder_of(model())
    features = decoder.features
    classes, numbers = features.widths
    assert classes > 0
    assert numbers > 0
    assert classes + numbers == features.width
    for dropped, more in (
        ((0.2, 0.0), {0.0: 0, 0.2: numbers, 0.3: features.width}),
        ((0.1, 0.9), {0.8: classes}),
        ((0.0, 0.0), {0.8: 0}),
    ):
        features.dropped = dropped
        assert {share: decoder.droppable(share) for share in more} == more
