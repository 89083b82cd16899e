"""What `synthvae fit` says and writes of two tables that differ in one row: nothing else may
differ. What stays with the table by its own words, the history and the note of rows left out, is
there for both and is not compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from synthvae import certified, private
from synthvae.files import write_bytes
from synthvae.metadata import Metadata
from synthvae.privacy.budget import Budget

from .conftest import quicken, rows, with_row

LEARNING = import_module("synthvae_cli.learning")  # where leaks are planted
TIMES = re.compile(r'( in |"seconds": )(\d+ min )?[\d.]+')
OF_THE_TABLE = {"model.synthvae.holdout.json", "privacy-history.json"}
ROW = {
    "a category of its own": {"group": "unheard of", "mail": "somebody@example.org"},
    "numbers out of bounds": {"found": "1e300", "bounded": "-1" + "0" * 400},
    "text among numbers": {"found": "n/k", "bounded": "3,5"},
    "nothing but nulls": dict.fromkeys(("group", "declared", "found", "bounded", "flag", "id"), ""),
    "the id of another": {"id": "K-3"},
    "moments and flags that are none": {"day": "2021-02-30", "flag": "maybe"},
}


@dataclass(frozen=True)
class Told:
    """All that a command leaves behind, but for times."""

    door: Any
    exit_code: int
    words: str
    result: str
    files: dict[str, bytes]

    def differences(self, other: Told) -> list[str]:
        names = ("exit_code", "words", "result")
        found = [name for name in names if getattr(self, name) != getattr(other, name)]
        every = sorted(self.files.keys() | other.files.keys())
        return found + [name for name in every if self.files.get(name) != other.files.get(name)]


Run = Callable[..., Told]


@pytest.fixture
def run(
    cli: Any, meta: Metadata, make_door: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """`run(columns, *options, like)`: a private fit of a file, in a folder of its own."""

    def fit(columns: dict[str, list[str]], *options: object, like: Told | None = None) -> Told:
        folder = tmp_path / ("one" if like is None else "other")
        (folder / "out").mkdir(parents=True)
        pd.DataFrame(columns).to_csv(folder / "data.csv", index=False)
        (folder / "meta.yaml").write_text(yaml.safe_dump(meta.to_sdv()))
        doors: list[Any] = []

        def opened(budget: Budget, _: None, share: float) -> Any:
            doors.append(make_door(budget, share, like.door if like else None))
            return doors[-1]

        with monkeypatch.context() as patch:
            quicken(patch)
            patch.setattr(private, "Ledger", opened)
            patch.chdir(folder)
            command = ("fit", "data.csv", "--metadata", "meta.yaml", "-o", "out/model.synthvae")
            quick = ("--preset", "tvae", "--epochs", 1, "--log", "out/log", "--threads", 1)
            done = cli(*command, *quick, "--epsilon", 20, "--json", *options)
        paths = [path for path in sorted((folder / "out").rglob("*")) if path.is_file()]
        written = {
            str(path.relative_to(folder / "out")): b""
            if path.name in OF_THE_TABLE
            else path.read_bytes()
            for path in paths
        }
        words, result = (TIMES.sub("", text) for text in (done.stderr, done.stdout))
        return Told(doors[0] if doors else None, done.exit_code, words, result, written)

    return fit


@pytest.mark.parametrize("what", ROW)
def test_one_row_more_shows_in_nothing_that_a_command_leaves(what: str, run: Run) -> None:
    one = run(rows())
    assert one.exit_code == 0, one.words
    assert OF_THE_TABLE | {"model.synthvae", "model.privacy_certificate.json"} <= one.files.keys()
    other = run(with_row(rows(), ROW[what]), like=one)
    assert one.differences(other) == []


def test_few_rows_leave_the_same_files(run: Run) -> None:
    """No row may have been left out: that there is a note of those is no news."""
    few = {name: texts[:1] for name, texts in rows().items()}
    one = run(few)
    assert one.exit_code == 0, one.words
    assert "model.synthvae.holdout.json" in one.files
    assert one.differences(run(with_row(few, {}), like=one)) == []


def test_errors_are_the_same(run: Run) -> None:
    one = run(rows(), "--epsilon", 1e-9)
    other = run(with_row(rows(), {"group": "unheard of"}), "--epsilon", 1e-9, like=one)
    assert one.exit_code == other.exit_code == 2
    assert one.differences(other) == []
    assert one.files == {}  # nothing was paid, and so nothing was written down


def leak_words(patch: pytest.MonkeyPatch) -> None:
    honest = LEARNING.summary

    def summary(artifact: Any, output: Path, *rest: Any) -> None:
        rest[1].say(f"{len(pd.read_csv('data.csv'))} rows")
        honest(artifact, output, *rest)

    patch.setattr(LEARNING, "summary", summary)


def leak_file(patch: pytest.MonkeyPatch) -> None:
    honest = certified.write

    def write(artifact: Any, output: Path) -> Path:
        count = pd.read_csv("data.csv")["group"].nunique()
        write_bytes(output.with_name(f"{count}.json"), b"")
        path: Path = honest(artifact, output)
        return path

    patch.setattr(certified, "write", write)


def leak_certificate(patch: pytest.MonkeyPatch) -> None:
    honest = certified.write

    def write(artifact: Any, output: Path) -> Path:
        path: Path = honest(artifact, output)
        count = len(pd.read_csv("data.csv"))
        write_bytes(path, path.read_bytes() + b"\n" * count)
        return path

    patch.setattr(certified, "write", write)


def leak_exit_code(patch: pytest.MonkeyPatch) -> None:
    honest = LEARNING.summary

    def summary(*arguments: Any) -> None:
        honest(*arguments)
        if "unheard of" in Path("data.csv").read_text():
            raise SystemExit(1)

    patch.setattr(LEARNING, "summary", summary)


LEAKS = {
    "words": leak_words,
    "3.json": leak_file,
    "model.privacy_certificate.json": leak_certificate,
    "exit_code": leak_exit_code,
}


@pytest.mark.parametrize("shows", LEAKS)
def test_a_leak_of_the_command_is_found(
    shows: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    LEAKS[shows](monkeypatch)
    one = run(rows())
    other = run(with_row(rows(), {"group": "unheard of"}), like=one)
    assert shows in one.differences(other)
