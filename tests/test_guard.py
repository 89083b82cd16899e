"""No data file is committed unless a manifest beside it vouches for every byte."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthvae.guard import SECRET, SUFFIXES, refusals

ROOT = Path(__file__).parent.parent


def manifest(path: Path, **changes: Any) -> Path:
    """A file with a manifest as `synthvae sample` writes it."""
    path.write_text("a,b\n1,2\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    files = [{"name": path.name, "rows": 1, "bytes": 8, "sha256": digest}]
    content = {"synthetic": True, "output": {"files": files}, **changes}
    beside = path.with_name(path.name + ".manifest.json")
    beside.write_text(json.dumps(content))
    return beside


def test_a_file_with_its_manifest_may_pass(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    beside = manifest(path)
    assert refusals([path, beside, tmp_path / "README.md"], []) == []


def test_a_file_without_one_may_not(tmp_path: Path) -> None:
    path = tmp_path / "customers.CSV"
    path.write_text("a\n1\n")
    (reason,) = refusals([path], [])
    assert "has no 'customers.CSV.manifest.json' beside it" in reason


def test_one_byte_more_is_found(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    manifest(path)
    path.write_text(path.read_text() + "3,4\n")
    (reason,) = refusals([path], [])
    assert "find out what was put in" in reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"synthetic": False}, "does not say so"),
        ({"synthetic": "yes"}, "does not say so"),
        ({"output": {"files": []}}, "has no 'out.csv'"),
        ({"output": None}, "is none"),
    ],
)
def test_a_manifest_that_is_no_evidence(tmp_path: Path, changes: Any, words: str) -> None:
    path = tmp_path / "out.csv"
    manifest(path, **changes)
    (reason,) = refusals([path], [])
    assert words in reason


def test_a_folder_of_parts_has_one_manifest_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    part = folder / "part-00000.csv"
    manifest(part).rename(tmp_path / "out.manifest.json")
    assert refusals([part], []) == []
    (folder / "customers.csv").write_text("a\n1\n")
    assert len(refusals([part, folder / "customers.csv"], [])) == 1


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("examples/*.csv", True),
        ("examples/**", True),
        ("**/*.csv", True),
        ("**/a.csv", True),
        ("*.csv", False),
        ("other/*.csv", False),
        ("examples/*.tsv", False),
    ],
)
def test_examples_are_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, allowed: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("examples/a.csv")
    path.parent.mkdir()
    path.write_text("a\n1\n")
    assert (refusals([path], [pattern]) == []) is allowed


def test_what_stays_beside_the_table_is_refused(tmp_path: Path) -> None:
    names = [f"model.synthvae{ending}" for ending in SECRET]
    paths = [tmp_path / name for name in names]
    assert len(refusals(paths, [])) == len(SECRET)
    assert len(refusals(paths, [f"{tmp_path}/**"])) == len(SECRET)  # no example can be one


def test_the_command_says_all_and_ends_in_one(cli, tmp_path: Path) -> None:
    for name in ("a.csv", "b.parquet"):
        (tmp_path / name).write_text("x")
    done = cli("guard", tmp_path / "a.csv", tmp_path / "b.parquet")
    assert done.exit_code == 1
    assert done.stderr.count("error:") == 2
    assert cli("guard", tmp_path / "a.csv", "--allow", f"{tmp_path}/*.csv").exit_code == 0
    assert cli("guard").exit_code == 0


def test_the_hook_is_shown_whatever_the_guard_judges() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    shown = re.compile(hook["files"])
    for suffix in SUFFIXES:
        assert shown.search(f"folder/table{suffix}"), suffix
        assert shown.search(f"folder/TABLE{suffix.upper()}"), suffix
    for ending in SECRET:
        assert shown.search(f"folder/model.synthvae{ending}"), ending
    assert not shown.search("README.md")
    assert hook["entry"].split()[:2] == ["synthvae", "guard"]


def test_our_own_examples_are_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    tables = list(Path("metadata_examples").rglob("*.csv"))
    assert tables
    assert len(refusals(tables, [])) == len(tables)
    assert refusals(tables, ["metadata_examples/**/*.csv"]) == []
