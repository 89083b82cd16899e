"""Nothing is half-written, and nothing is overwritten unasked."""

import os
import stat
from pathlib import Path

import pytest

from synthvae.errors import UsageError
from synthvae.files import OWNER, atomic, refuse_overwrite, remove, write_bytes


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with atomic(path) as stream:
        stream.write(b"one")
        stream.flush()
        assert not path.exists()
        stream.write(b"two")
    assert path.read_bytes() == b"onetwo"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    for data in (b"a long old one", b"new"):
        write_bytes(tmp_path / "a.csv", data)
    assert (tmp_path / "a.csv").read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_exception_nothing_is_left_and_the_old_file_stays(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    write_bytes(path, b"old")

    def half() -> None:
        with atomic(path) as stream:
            stream.write(b"new")
            raise error

    with pytest.raises(error):
        half()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_has_the_mode_that_open_would_give(tmp_path: Path) -> None:
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "usual").touch()
    modes = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("ours", "usual")}
    assert len(modes) == 1


def test_a_file_for_its_owner_is_never_open_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, replace = [], os.replace

    def watched(source: str, target: Path) -> None:
        seen.append(stat.S_IMODE(os.stat(source).st_mode))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    write_bytes(tmp_path / "ours", b"secret", OWNER)
    write_bytes(tmp_path / "all", b"open")
    assert seen[0] == stat.S_IMODE(os.stat(tmp_path / "ours").st_mode) == 0o600
    assert seen[1] == stat.S_IMODE(os.stat(tmp_path / "all").st_mode) != 0o600


def test_an_existing_output_is_refused_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    refuse_overwrite(path, force=False)
    path.touch()
    with pytest.raises(
        UsageError, match=r"never overwritten unasked, but '.*a\.csv' exists.*--force"
    ):
        refuse_overwrite(path, force=False)
    refuse_overwrite(path, force=True)


@pytest.mark.parametrize("force", [False, True])
def test_an_output_that_can_be_no_file_is_refused_before_the_work(
    force: bool, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="is a folder; name a file in it"):
        refuse_overwrite(tmp_path, force)
    with pytest.raises(UsageError, match=r"existing folder, but '.*nowhere' is none; create it"):
        refuse_overwrite(tmp_path / "nowhere" / "a.csv", force)


def test_what_a_killed_process_left_goes_with_the_file(tmp_path: Path) -> None:
    path, others = (
        tmp_path / "m[1].checkpoint",
        [tmp_path / ".m1.checkpoint.x.part", tmp_path / "a"],
    )
    for one in (path, tmp_path / ".m[1].checkpoint.abc_12.part", *others):
        one.write_bytes(b"")
    remove(path)
    remove(path)  # nothing is there
    assert sorted(tmp_path.iterdir()) == sorted(others)
