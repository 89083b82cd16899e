"""The latent space: points keep their shapes, ways keep their ends, and every row is valid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from synthvae import opening
from synthvae.artifact import Artifact
from synthvae.errors import UsageError
from synthvae.latent_space import LatentSpace
from synthvae.model.presets import PRESETS
from synthvae.table import Table, from_frame

Fitted = Callable[[str], Artifact]
presets = pytest.mark.parametrize("preset", list(PRESETS))
LEARNT = ["group", "score", "spend", "visits", "active", "since"]


@pytest.fixture
def table(frame: pd.DataFrame) -> Table:
    return from_frame(frame)


def points(space: LatentSpace, table: Table) -> pd.DataFrame:
    return pa.concat_tables(space.encode(table)).to_pandas()


@presets
def test_points_and_rows_keep_their_shapes(
    preset: str, fitted: Fitted, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.latent_space._BLOCK", (1, 128, 128))
    space = opening.latent_space(fitted(preset))
    z = points(space, table)
    assert z.shape == (len(table), space.model.space.slots or space.model.space.size)
    assert z.nunique().max() > 1
    pd.testing.assert_frame_equal(points(space, table.rows(np.arange(50))), z[:50])
    rows = pa.concat_tables(space.decode(z.to_numpy(), 1, "typed"))
    assert rows.schema == space.codec.arrow_schema("typed")
    assert len(rows) == len(table)
    some = pa.concat_tables(space.decode(z.to_numpy()[:150], 1, "typed", threads=1))
    assert some.to_pandas().equals(rows.slice(0, 150).to_pandas())
    again = pa.concat_tables(space.reconstruct(table, 1, "typed"))
    assert again.schema == rows.schema
    assert len(again) == len(table)


def test_what_is_no_point_is_refused(fitted: Fitted, table: Table) -> None:
    for preset in ("tvae", "vq-vae", "fsq-vae"):
        space = opening.latent_space(fitted(preset))
        z = points(space, table).to_numpy()
        wrong = [np.full_like(z, np.nan, dtype=float), np.full_like(z, np.inf, dtype=float)]
        if space.model.space.slots:
            assert z.max() < space.model.space.classes
            wrong += [z + 0.5, z - 1 - z.max(), z + space.model.space.classes]
        for one in wrong:
            with pytest.raises(UsageError, match="a point"):
                space.decode(one, 0, "typed")


def test_points_are_decoded_under_given_conditions(fitted: Fitted, table: Table) -> None:
    space = opening.latent_space(fitted("cvae"))
    z = points(space, table).to_numpy()
    some = {"group": "rare"}
    rows = pa.concat_tables(space.decode(z, 0, "typed", given=some)).to_pandas()
    assert set(rows["group"]) == {"rare"}
    assert rows["visits"].nunique() > 1
    with pytest.raises(UsageError, match="'none'"):
        space.decode(z, 0, "typed", given={"group": "none"})


def test_nothing_changes_on_a_way_to_where_it_begins(fitted: Fitted, table: Table) -> None:
    for preset in ("cvae", "arvae"):  # numbers are drawn within cells, or by the model
        space = opening.latent_space(fitted(preset))
        way = space.interpolate(table, 3, 3, 40, 0, "text").to_pandas()
        assert len(way) == 40
        assert len(way[LEARNT].drop_duplicates()) == 1
        assert way["customer_id"].is_unique


def test_what_is_given_stays_in_a_reconstruction(fitted: Fitted, frame: pd.DataFrame) -> None:
    space = opening.latent_space(fitted("cvae"))
    again = pa.concat_tables(space.reconstruct(from_frame(frame), 0, "typed")).to_pandas()
    for name in ("group", "visits"):
        often = frame.groupby(name)[name].transform("size") >= 6  # what is rare is withheld
        assert again[name][often].astype(str).tolist() == frame[name][often].astype(str).tolist()


@presets
def test_a_way_ends_in_its_ends(preset: str, fitted: Fitted, table: Table) -> None:
    space = opening.latent_space(fitted(preset))

    def way(first: int, last: int) -> pd.DataFrame:
        return space.interpolate(table, first, last, 7, 3, "typed").to_pandas()[LEARNT]

    there, first, last = way(3, 11), way(3, 3), way(11, 11)
    if preset == "cvae":  # numbers that are given are drawn within their cell
        there, first, last = (rows.drop(columns="visits") for rows in (there, first, last))
    pd.testing.assert_frame_equal(there[:1], first[:1])
    pd.testing.assert_frame_equal(there[-1:], last[-1:])
    assert set(there["group"]) <= set(table["group"].texts)
    assert space.interpolate(table, 3, 11, 7, 3, "text").schema == space.codec.arrow_schema("text")


def test_a_way_is_straight_and_a_traverse_moves_one_dimension(
    fitted: Fitted, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    space, seen = opening.latent_space(fitted("arvae")), []
    decode = space.model.decode

    def spy(z, given, noise):
        seen.append(z)
        return decode(z, given, noise)

    monkeypatch.setattr(space.model, "decode", spy)
    space.interpolate(table, 3, 11, 5, 0, "text")
    z = points(space, table).to_numpy()
    expected = np.linspace(z[3], z[11], 5)
    np.testing.assert_allclose(seen[-1].numpy(), expected, atol=1e-5)
    space.traverse(2, 6, 0, "text", table, 3)
    way = seen[-1].numpy()
    np.testing.assert_allclose(np.delete(way, 2, 1), np.delete(z[[3] * 6], 2, 1), atol=1e-5)
    assert (np.diff(way[:, 2]) > 0).all()
    assert np.diff(way[[0, -1], 2]) > 2
    space.traverse(0, 3, 0, "text")
    assert torch.allclose(seen[-1][0, 1:], seen[-1][2, 1:])


@presets
def test_traverses_are_rows(preset: str, fitted: Fitted) -> None:
    space = opening.latent_space(fitted(preset))
    rows = space.traverse(1, 9, 0, "typed")
    assert rows.schema == space.codec.arrow_schema("typed")
    assert len(rows) == 9


def test_wrong_requests_are_named(fitted: Fitted, table: Table) -> None:
    space = opening.latent_space(fitted("arvae"))
    with pytest.raises(UsageError, match="row 601 is asked"):
        space.interpolate(table, 0, 600, 5, 0, "text")
    with pytest.raises(UsageError, match="2 steps or more"):
        space.interpolate(table, 0, 1, 1, 0, "text")
    with pytest.raises(UsageError, match="0 to 3"):
        space.traverse(4, 5, 0, "text")
    with pytest.raises(UsageError, match="4 numbers, z0 to z3"):
        list(space.decode(np.zeros((5, 3)), 0, "text"))
