"""Numbers on a normal scale: atoms are exact, the rest comes back to within its grid."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.codecs.bounds import MAX_ATOMS
from synthvae.errors import SchemaError
from synthvae.layout import Encoded

Fit = Callable[..., Any]


def skewed(seed: int, rows: int, places: int, spiky: bool) -> list[str]:
    """Skewed numbers, some of them negative, with common values among rare ones."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.lognormal(4, 1, rows) - 20, places)
    if spiky:
        values = np.where(rng.random(rows) < 0.5, rng.choice(values[:3], rows), values)
    return [f"{value:.{places}f}" for value in values]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.sampled_from([1, 2, 30, 700, 6000]),
    places=st.integers(0, 4),
    spiky=st.booleans(),
)
def test_what_was_encoded_comes_back_on_the_grid(
    seed: int, rows: int, places: int, spiky: bool, fit: Fit
) -> None:
    texts = skewed(seed, rows, places, spiky)
    fitted = fit(texts, "numerical", numeric="quantiles")
    codec, encoded = fitted.one, fitted.encode()
    old, new = np.array(texts, float), np.array(fitted.decode(encoded), float)
    assert (codec.form.snap(new) == new).all()
    atoms = np.isin(old, codec.atoms)
    assert (new[atoms] == old[atoms]).all()
    if len(codec.knots):
        # Spread over a cell of the grid and put back, a value moves by one grid point at most;
        # the outermost values are drawn in to the outermost knots. Places are 32-bit floats.
        low, high = codec.knots[0], codec.knots[-1]
        steepest = np.max(np.diff(codec.knots) / np.diff(codec.places), initial=0.0)
        error = codec.form.grid.unit + 1e-6 * steepest
        assert (np.abs(np.clip(old, low, high) - new)[~atoms] <= error).all()


def test_the_scale_is_standard_normal_whatever_the_column(fit: Fit) -> None:
    fitted = fit(skewed(1, 20_000, 2, spiky=False), "numerical", numeric="quantiles")
    places = fitted.encode().scalars[:, 0]
    assert abs(np.nanmean(places)) < 0.02
    assert abs(np.nanstd(places) - 1) < 0.03
    assert abs((places < 1).mean() - 0.841) < 0.01


def test_few_values_are_classes_with_places_in_their_order(fit: Fit) -> None:
    fitted = fit(
        [str(i % MAX_ATOMS) for i in range(3 * MAX_ATOMS)], "numerical", numeric="quantiles"
    )
    (block,) = fitted.one.blocks
    assert block.size == MAX_ATOMS
    assert list(block.places) == sorted(block.places)
    assert len(fitted.encode().scalars[0]) == 0


def test_a_spike_and_missing_are_classes_beside_the_density(fit: Fit) -> None:
    texts: list[str | None] = ["0"] * 500 + [None] * 100 + [f"{i / 7:.4f}" for i in range(1, 2000)]
    fitted = fit(texts, "numerical", numeric="quantiles")
    classes, scalar = fitted.one.blocks
    assert (classes.size, scalar.kind) == (3, "scalar")
    assert classes.places[0] == 0.0
    assert classes.places[-1] is None
    encoded = fitted.encode()
    assert np.isnan(encoded.scalars[:600]).all()
    assert not np.isnan(encoded.scalars[600:]).any()
    assert set(encoded.codes[:500, 0]) == {1}
    assert set(encoded.codes[500:600, 0]) == {0}
    assert fitted.decode(encoded)[:600] == ["0"] * 500 + [""] * 100


def test_a_column_without_spikes_is_a_density_alone(fit: Fit) -> None:
    fitted = fit([f"{i * 1.37:.2f}" for i in range(900)], "numerical", numeric="quantiles")
    (block,) = fitted.one.blocks
    assert block.kind == "scalar"


def test_the_ends_are_not_single_rows(fit: Fit) -> None:
    texts = [f"{i * 0.5:.1f}" for i in range(2000)] + ["1e7", "-1e7"]
    knots = fit(texts, "numerical", numeric="quantiles").one.knots
    assert -10 < knots[0] < knots[-1] < 1100


def test_far_draws_stay_inside(fit: Fit) -> None:
    fitted = fit([f"{i * 0.5:.1f}" for i in range(2000)], "numerical", numeric="quantiles")
    scalars = np.array([[-40.0], [40.0]], np.float32)
    low, high = map(float, fitted.decode(Encoded(np.empty((2, 0), np.int32), scalars)))
    assert -0.5 <= low < high <= 1000


def test_a_text_that_was_never_seen_is_refused(fit: Fit) -> None:
    fitted = fit(skewed(0, 500, 2, spiky=False), "numerical", numeric="quantiles")
    with pytest.raises(SchemaError, match="first 'what' in row 2"):
        fitted.encode(["3.00", "what"])
