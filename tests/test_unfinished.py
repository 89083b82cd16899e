"""Parts of a work that was stopped: kept for their owner, taken up as they were, dropped in the
end."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from synthvae.errors import UsageError
from synthvae.unfinished import Arrays, Unfinished


def made(number: float) -> Arrays:
    return {"nats": np.array([number, np.nan], np.float32), "learnt": np.array([True, False])}


def never() -> Arrays:
    raise AssertionError("made again")


def test_a_part_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "a.json.unfinished"
    first = Unfinished(folder, "k").once("shadow-1", lambda: made(1 / 3))
    again = Unfinished(folder, "k").once("shadow-1", never)
    for name, values in first.items():
        np.testing.assert_array_equal(again[name], values)
        assert again[name].dtype == values.dtype


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    Unfinished(folder, "k").once("a", lambda: made(1))
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_parts_of_another_work_are_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    Unfinished(folder, "k").once("a", lambda: made(1))
    found = Unfinished(folder, "other").once("a", lambda: made(2))
    assert found["nats"][0] == 2


def test_nothing_is_left_in_the_end(tmp_path: Path) -> None:
    kept = Unfinished(tmp_path / "work", "k")
    kept.done()  # nothing was kept
    kept.once("a", lambda: made(1))
    kept.done()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="is something else; move it"):
        Unfinished(tmp_path, "k")
    assert (tmp_path / "mine.txt").exists()


def test_without_a_folder_nothing_is_kept() -> None:
    kept = Unfinished()
    assert kept.once("a", lambda: made(1))["nats"][0] == 1
    assert kept.once("a", lambda: made(2))["nats"][0] == 2
    kept.done()
