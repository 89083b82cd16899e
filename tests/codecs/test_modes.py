"""Mode-specific normalization: spikes are exact, the rest returns within what its mode can hold."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.codecs.modes import _INSIDE, WIDTH
from synthvae.table import Column

Fit = Callable[..., Any]


def skewed(seed: int, rows: int, places: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(rows) < 0.3, rng.normal(500, 20, rows), rng.lognormal(3, 1, rows))
    return np.round(np.where(rng.random(rows) < 0.2, 0.0, values), places)


def tolerance(codec: Any, encoded: Any, old: np.ndarray) -> np.ndarray:
    """How far a value may move: out of the bounds, beyond what a mode holds, by rounding of a
    float32, and to the grid."""
    component = np.maximum(encoded.codes[:, 0] - codec.detailed_from, 0)
    mean, reach = codec.mixture.means[component], WIDTH * codec.mixture.stds[component]
    clipped = np.clip(old, *codec.bounds)
    beyond = np.maximum(np.abs(clipped - mean) - _INSIDE * reach, 0)
    slack: np.ndarray = (
        np.abs(old - clipped) + beyond + reach * 2.0**-23 + codec.form.grid.unit / 2 + 1e-9
    )
    return slack


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.sampled_from([40, 700, 5000]), places=st.integers(0, 4))
def test_decoded_numbers_are_where_their_mode_can_hold_them(
    seed: int, rows: int, places: int, fit: Fit
) -> None:
    old = skewed(seed, rows, places)
    fitted = fit([f"{value:.{places}f}" for value in old], "numerical", "modes")
    codec, encoded = fitted.one, fitted.encode(seed=seed)
    new = np.array(fitted.decode(encoded), float)
    spike = np.isin(old, codec.spikes)
    assert (new[spike] == old[spike]).all()
    assert (np.abs(new - old) <= tolerance(codec, encoded, old))[~spike].all()
    assert np.mean(np.abs(new - old) <= codec.form.grid.unit + 1e-3) > 0.95
    assert (codec.form.snap(new) == new).all()
    scalars = encoded.scalars[:, 0]
    assert np.isnan(scalars[spike]).all()
    assert (np.abs(scalars[~spike]) <= _INSIDE).all()


@pytest.mark.parametrize(
    "texts",
    [["5"] * 30, ["5.00", "", "NA"] * 30, ["1", "2", "N", "<5"] * 30, ["TRUE_", "3.5", "4"] * 25],
)
def test_a_column_of_spikes_has_no_scalar_and_is_exact(texts: list[str], fit: Fit) -> None:
    fitted = fit(texts, "numerical", "modes")
    assert fitted.encode().scalars.shape == (len(texts), 0)
    assert fitted.round_trip() == texts


def test_a_number_of_a_column_of_spikes_that_is_none_counts_as_the_nearest(fit: Fit) -> None:
    codec = fit(["0", "5", "5"] * 40, "numerical", "modes").one
    other = Column("x", np.arange(3, dtype=np.int32), pa.array(["1", "4", "900"]), "text")
    encoded = codec.encode(other, np.random.default_rng(0))
    assert codec.spikes[encoded.codes[:, 0] - len(codec.form.specials)].tolist() == [0, 5, 5]


def test_specials_and_spikes_are_exact_beside_modes(fit: Fit) -> None:
    texts = [f"{v:.2f}" for v in skewed(0, 3000, 2)]
    for i, special in enumerate(["", "NA", "?"]):
        texts[i::30] = [special] * len(texts[i::30])
    exact = {"", "NA", "?", "0.00"}
    out = fit(texts, "numerical", "modes").round_trip()
    assert [t if t in exact else "-" for t in out] == [t if t in exact else "-" for t in texts]


def test_components_are_drawn_by_their_responsibility(fit: Fit) -> None:
    """The component of a value is drawn, so another seed draws another, as often as it should."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(-1, 1, 3000), rng.normal(1, 1, 3000)])
    fitted = fit([f"{v:.6f}" for v in values], "numerical", "modes")
    one, two = (fitted.encode(seed=seed).codes[:, 0] for seed in (1, 2))
    expected = fitted.one.mixture.responsibilities(np.round(values, 6)).mean(axis=0)
    share = np.bincount(one, minlength=len(expected)) / len(one)
    assert (one != two).any()
    assert np.abs(share - expected).max() < 4 * np.sqrt(0.25 / len(one))


def test_json_decodes_the_same(fit: Fit) -> None:
    fitted = fit([f"{v:.2f}" for v in skewed(1, 2000, 2)], "numerical", "modes")
    encoded = fitted.encode()
    again = fitted.again()
    assert again.decode(encoded) == fitted.decode(encoded)
    np.testing.assert_array_equal(again.encode().scalars, encoded.scalars)


def test_no_single_row_sets_a_bound(fit: Fit) -> None:
    texts = [f"{v:.3f}" for v in np.random.default_rng(0).normal(size=3000)]
    codec = fit([*texts, "1000000.000", "-5000000.000"], "numerical", "modes").one
    assert -5 < codec.bounds[0] < codec.bounds[1] < 5
    assert np.abs(codec.mixture.means).max() < 5


def test_dates_are_modes_too(fit: Fit) -> None:
    rng = np.random.default_rng(0)
    days = np.datetime64("2014-01-01") + rng.integers(0, 3000, 3000)
    fitted = fit([str(day) for day in days], "datetime", "modes")
    out = np.array(fitted.round_trip(), "datetime64[D]")
    assert np.abs(out - days).max() <= np.timedelta64(31, "D")
    assert np.mean(out == days) > 0.95
