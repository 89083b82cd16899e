"""Nearest neighbours against all distances, and points that keep what is alike together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthvae.audit import neighbours
from synthvae.audit.neighbours import nearest
from synthvae.audit.points import space_of


@pytest.mark.parametrize(("n", "m", "k"), [(50, 1000, 20), (7, 70, 5), (3, 4, 20), (1, 65, 1)])
def test_the_nearest_of_all(n: int, m: int, k: int):
    rng = np.random.default_rng(n)
    points, among = (rng.normal(size=(rows, 6)).astype(np.float32) for rows in (n, m))
    among[: min(n, m) // 2] = points[: min(n, m) // 2]  # copies are at distance 0, not nearly
    every = np.sqrt(((points[:, None].astype(float) - among) ** 2).sum(axis=2))
    found = nearest(points, among, k, radius=2.0)
    order = np.argsort(every, axis=1, kind="stable")[:, :k]
    assert found.distances == pytest.approx(np.take_along_axis(every, order, 1))
    assert (np.take_along_axis(every, found.places, 1) == found.distances).all()
    assert found.within.tolist() == (every <= 2.0).sum(axis=1).tolist()


def test_no_array_is_larger_than_a_block(monkeypatch: pytest.MonkeyPatch):
    """Many points among few, in many dimensions: what is large is not the table of distances."""
    sizes, sorted_ = [], neighbours._sorted

    def watched(points, among, squares, k):
        sizes.append(max(squares.size, len(points) * min(k + 8, len(among)) * among.shape[1]))
        return sorted_(points, among, squares, k)

    monkeypatch.setattr(neighbours, "_sorted", watched)
    monkeypatch.setattr(neighbours, "_AT_ONCE", 20_000)
    rng = np.random.default_rng(0)
    points, among = (rng.normal(size=(rows, 100)).astype(np.float32) for rows in (60, 64))
    found = nearest(points, among, 20)
    assert max(sizes) <= 20_000
    monkeypatch.undo()
    assert found.distances == pytest.approx(nearest(points, among, 20).distances)


def test_joined_neighbours_are_those_of_both_sets():
    rng = np.random.default_rng(0)
    points, first, second = (rng.normal(size=(r, 4)).astype(np.float32) for r in (20, 90, 30))
    joined = nearest(points, first, 5, 1.0).joined(nearest(points, second, 5, 1.0))
    whole = nearest(points, np.vstack([first, second]), 5, 1.0)
    assert joined.distances == pytest.approx(whole.distances)
    assert joined.within.tolist() == whole.within.tolist()


def test_points_of_a_table():
    frame = pd.DataFrame(
        {
            "number": [0.0, 1.0, 2.0, 3.0, np.nan, 1000.0],
            "few": pd.Series(["a", "b", "a", None, "b", "a"], dtype=object),
            "many": pd.Series([f"v{k}" for k in range(6)], dtype=object),
        }
    )
    synthetic = pd.concat([frame, pd.DataFrame({"many": [f"w{k}" for k in range(30)]})])
    synthetic["number"] = synthetic["number"].fillna(1.5)
    space = space_of(synthetic, 0)
    points = space.points(frame)
    assert np.isfinite(points).all()
    assert (space.points(frame.iloc[[2, 0]]) == points[[2, 0]]).all()
    few = space.points(frame, ["few"])
    gaps = np.linalg.norm(few[:, None] - few, axis=2)
    assert gaps[0, 2] == 0
    assert gaps[0, 1] == pytest.approx(1)
    assert gaps[0, 3] == pytest.approx(1)
    many = space.points(frame, ["many"])
    assert (np.linalg.norm(many[:, None] - many, axis=2) + np.eye(6) > 0.3).all()


def test_wide_tables_keep_their_distances():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(100, 140)), columns=[f"c{k}" for k in range(140)])
    points = space_of(frame, 0).points(frame)
    whole = np.hstack([space_of(frame[[name]], 0).points(frame[[name]]) for name in frame])
    ratio = np.linalg.norm(points[1:] - points[0], axis=1)
    ratio /= np.linalg.norm(whole[1:] - whole[0], axis=1)
    assert points.shape == (100, 256)
    assert np.abs(ratio - 1).max() < 0.2
