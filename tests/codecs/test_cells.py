"""Numbers as cells: atoms are exact, the rest stays in its cell and on the column's grid."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.codecs.bounds import MAX_ATOMS
from synthvae.errors import SchemaError

Fit = Callable[..., Any]


def numbers(seed: int, rows: int, places: int, spiky: bool) -> list[str]:
    """Skewed numbers, some of them negative, with common values among rare ones."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.lognormal(4, 1, rows) - 20, places)
    if spiky:
        common = np.round(rng.choice(values, 9), places)
        values = np.where(rng.random(rows) < 0.5, rng.choice(common, rows), values)
    return [f"{value:.{places}f}" for value in values]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.sampled_from([1, 2, 30, 700, 6000]),
    places=st.integers(0, 4),
    spiky=st.booleans(),
)
def test_decoded_numbers_stay_in_their_cell_on_the_grid_and_atoms_are_exact(
    seed: int, rows: int, places: int, spiky: bool, fit: Fit
) -> None:
    fitted = fit(texts := numbers(seed, rows, places, spiky), "numerical")
    codec, encoded = fitted.one, fitted.encode()
    decoded = fitted.decode(encoded)
    old, new = np.array(texts, float), np.array(decoded, float)
    assert (codec.form.snap(new) == new).all()
    atoms = np.isin(old, codec.atoms)
    assert (new[atoms] == old[atoms]).all()
    assert not np.isin(new[~atoms], codec.atoms).any()
    if len(codec.edges):
        low, high = codec.edges[0], codec.edges[-1]
        cell = np.searchsorted(codec.edges, np.clip(old, low, high), "right") - 1
        cell = np.minimum(cell, len(codec.edges) - 2)
        inside = (new >= codec.edges[cell]) & (new <= codec.edges[cell + 1])
        assert inside[~atoms].all()
    again = fitted.encode(decoded)
    assert (again.codes == encoded.codes).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.sampled_from([3, 90, 3000]))
def test_numbers_without_a_grid_stay_in_their_cell(seed: int, rows: int, fit: Fit) -> None:
    texts = list(map(repr, np.random.default_rng(seed).normal(size=rows).tolist()))
    fitted = fit(texts, "numerical")
    encoded = fitted.encode()
    again = fitted.encode(fitted.decode(encoded))
    assert fitted.one.form.grid.step == 0
    assert (again.codes == encoded.codes).all()


@pytest.mark.parametrize(
    "texts",
    [
        ["5"] * 30,
        ["5.00"] * 30,
        ["1", "2", "", "NA", "N", "<5"] * 30,
        [str(i % MAX_ATOMS) for i in range(3 * MAX_ATOMS)],
        ["1e-05", "1e+300", "-0.5"] * 3,
        [str(2**60), str(2**60 + 1024), ""] * 9,
        ["7"],
    ],
)
def test_few_values_are_all_exact(texts: list[str], fit: Fit) -> None:
    fitted = fit(texts, "numerical")
    assert fitted.sizes == (len(set(texts)),)
    assert fitted.round_trip() == texts
    assert fitted.again().round_trip() == texts


def test_specials_are_exact_beside_cells(fit: Fit) -> None:
    texts = numbers(0, 3000, 2, True)
    for i, special in enumerate(["", "NA", "?", "<5"]):
        texts[i::40] = [special] * len(texts[i::40])
    out = fit(texts, "numerical").round_trip()
    assert [t for t in out if t in ("", "NA", "?", "<5")] == [
        t for t in texts if t in ("", "NA", "?", "<5")
    ]
    assert [t in ("", "NA", "?", "<5") for t in out] == [t in ("", "NA", "?", "<5") for t in texts]


def test_values_spread_over_their_cell_without_its_atoms(fit: Fit) -> None:
    """1,000 distinct whole numbers, and one of them in half of the rows: what is drawn for its
    neighbours is uniform among them, and never the common one."""
    rng = np.random.default_rng(0)
    texts = [str(v) for v in np.where(rng.random(20_000) < 0.5, 500, rng.integers(0, 1000, 20_000))]
    fitted = fit(texts, "numerical")
    old, new = np.array(texts, int), np.array(fitted.round_trip(), int)
    assert (old == 500).sum() == (new == 500).sum()
    near = np.bincount(new[(new > 400) & (new < 600) & (new != 500)] - 400, minlength=200)
    expected = ((old > 400) & (old < 600) & (old != 500)).sum() / 198
    assert near[np.r_[1:100, 101:200]].min() > 0
    assert abs(near[1:].sum() / 198 - expected) < 1e-9
    assert near.max() < expected + 6 * np.sqrt(expected)


def test_no_single_row_sets_an_edge(fit: Fit) -> None:
    texts = [f"{v:.3f}" for v in np.random.default_rng(0).normal(size=3000)]
    codec = fit([*texts, "1000000.000", "-5000000.000"], "numerical").one
    assert -5 < codec.edges[0] < codec.edges[-1] < 5


def test_values_outside_of_all_cells_go_to_the_outermost(fit: Fit) -> None:
    fitted = fit([f"{v:.3f}" for v in np.random.default_rng(0).normal(size=3000)], "numerical")
    out = fitted.decode(fitted.encode(["99.000", "-99.000"]))
    codec = fitted.one
    assert codec.edges[-2] <= float(out[0]) <= codec.edges[-1]
    assert codec.edges[0] <= float(out[1]) < codec.edges[1]


def test_where_all_are_atoms_others_go_to_the_nearest(fit: Fit) -> None:
    fitted = fit(["0", "10", "20"] * 30, "numerical")
    assert fitted.decode(fitted.encode(["4", "6", "-7", "99"])) == ["0", "10", "0", "20"]


def test_a_text_that_is_neither_number_nor_known_code_is_refused(fit: Fit) -> None:
    fitted = fit(["1", "2", "N"] * 9, "numerical")
    with pytest.raises(SchemaError, match=r"2 rows hold others, first 'M' in row 3; correct them"):
        fitted.encode(["1", "N", "M", "M"])
    with pytest.raises(SchemaError, match=r"1 rows hold others, first '' in row 2"):
        fitted.encode(["1", None])


def test_dates_are_cells_too(fit: Fit) -> None:
    rng = np.random.default_rng(0)
    days = np.datetime64("2014-01-01") + rng.integers(0, 3000, 5000)
    fitted = fit([str(day) for day in days])
    out = np.array(fitted.round_trip(), "datetime64[D]")
    assert fitted.table.columns[0].name == "c"
    assert (fitted.encode(out.astype(str).tolist()).codes == fitted.encode().codes).all()


def test_draws_depend_on_seed_and_start_alone(fit: Fit) -> None:
    fitted = fit(numbers(0, 2000, 3, False), "numerical")
    encoded = fitted.encode()
    first = fitted.decode(encoded, seed=1, start=0)
    assert fitted.again().decode(encoded, seed=1, start=0) == first
    assert fitted.decode(encoded, seed=2, start=0) != first
    assert fitted.decode(encoded, seed=1, start=2000) != first
