"""A pipeline is read strictly, and all that is wrong with it is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthvae.errors import MetadataError
from synthvae.settings import parse
from synthvae.workflow.declared import read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("data.csv", "policy.yaml", "m.yaml"):
        (tmp_path / name).write_text("")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "synthvae.yaml"
    path.write_text(text)
    return path


def test_settings_stand_beside_the_pipeline(folder: Path) -> None:
    path = write(folder, "preset: tvae\nrun: {data: data.csv, rows: 50, policy: policy.yaml}\n")
    found = read(path)
    assert found.data == folder / "data.csv"
    assert found.settings == {"preset": "tvae"}
    assert found.settings_file == path
    assert (found.rows, found.seed, found.format, found.skip) == (50, 0, "csv", ())
    assert found.out("x") == folder / "out" / "x"
    assert not found.private


def test_settings_may_have_a_file_of_their_own(folder: Path) -> None:
    (folder / "s.yaml").write_text("privacy: {epsilon: 3}\n")
    text = "run: {data: data.csv, rows: 5, settings: s.yaml, metadata: m.yaml, skip: [audit]}"
    found = read(write(folder, text))
    assert found.private
    assert found.settings_file == folder / "s.yaml"
    assert found.skip == ("audit",)


def test_all_that_is_wrong_is_said_at_once(folder: Path) -> None:
    text = (
        "preset: tvae\nprivacy: {epsilon: 1}\nrun:\n  dta: data.csv\n  policy: none.yaml\n"
        "  rows: no\n  seed: -1\n  format: xlsx\n  skip: [fit]\n  settings: m.yaml\n"
    )
    with pytest.raises(MetadataError) as caught:
        read(write(folder, text))
    words = "\n".join(caught.value.reasons)
    for part in (
        "unknown key 'dta'; did you mean 'data'?",
        "data is not set",
        "policy is a file, but",
        "rows is a whole number of at least 1, but is False",
        "seed is a whole number of at least 0, but is -1",
        "format is one of csv",
        "skip names steps that can be left out, but not 'fit'",
        "'m.yaml' is named beside preset, privacy",
        "a private fit has metadata that somebody declared",
    ):
        assert part in words
    assert len(caught.value.reasons) == 9


def test_a_file_without_the_section(folder: Path) -> None:
    with pytest.raises(MetadataError, match=r"declared under 'run', but .* has none"):
        read(write(folder, "preset: tvae\n"))


def test_the_section_is_no_setting_of_a_fit() -> None:
    assert parse({"preset": "tvae", "run": {"data": "x.csv"}}).preset == "tvae"
