"""Real data beside synthetic: which files may be committed.

A data file may if a manifest beside it says that it is synthetic in all cells and has its hash, or
if somebody declared it as an example. It is a guard against accidents: who wants to can write a
manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

_SUFFIXES = {
    "text": ("csv", "tsv", "psv", "jsonl", "ndjson"),
    "columns": ("parquet", "pq", "feather", "arrow", "ipc", "orc", "avro"),
    "sheets": ("xls", "xlsx", "xlsm", "ods"),
    "statistics": ("sas7bdat", "xpt", "sav", "dta", "rds", "rdata"),
    "arrays": ("pkl", "pickle", "npy", "npz", "h5", "hdf5"),
    "databases": ("db", "sqlite", "sqlite3", "duckdb"),
    "archives": ("gz", "zip", "bz2", "xz", "zst", "7z", "tar", "tgz"),
}
SUFFIXES = frozenset(f".{name}" for names in _SUFFIXES.values() for name in names)
SECRET = {
    ".holdout.json": "it notes which real rows a fit left out, and stays where the table is",
    ".checkpoint": "an unfinished fit is no release",
    ".synthvae-run.json": "it holds hashes of real tables",
    "privacy-history.json": "it holds hashes of real tables",
}
MANIFEST = ".manifest.json"


def refusals(files: Iterable[Path], allowed: Sequence[str]) -> list[str]:
    """Why files may not be committed, a reason each: rule; fact; what to do. `allowed`: patterns
    of declared examples, relative to the folder in which the guard stands, such as
    'examples/**/*.csv'."""
    found = []
    for path in files:
        reason = _secret(path)  # no pattern declares such a file an example
        if not reason and _is_data(path) and not _declared(path, allowed):
            reason = _unproved(path)
        if reason:
            found.append(reason)
    return found


def _declared(path: Path, allowed: Sequence[str]) -> bool:
    """Whether a pattern names the file: `*` within a folder, `**` across folders."""
    pure = PurePosixPath(path.as_posix())
    return any(_fits(pure.parts, PurePosixPath(pattern).parts) for pattern in allowed)


def _fits(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    if not parts or not PurePosixPath(parts[0]).match(pattern[0]):
        return False
    return _fits(parts[1:], pattern[1:])


def _is_data(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _secret(path: Path) -> str:
    for ending, why in SECRET.items():
        if path.name.endswith(ending):
            return f"'{path}' belongs beside the real table, but is to be committed: {why}"
    return ""


def _unproved(path: Path) -> str:
    """Why no manifest vouches for a data file, or ''."""
    reasons = []
    for manifest, name in _manifests(path):
        reason = _wrong(path, manifest, name)
        if not reason:
            return ""
        reasons.append(reason)
    if reasons:
        return reasons[0]
    return (
        f"a data file is committed with a manifest that says it is synthetic, but '{path}' has no "
        f"'{path.name}{MANIFEST}' beside it; keep real data out, or declare an example with --allow"
    )


def _manifests(path: Path) -> Iterator[tuple[Path, str]]:
    """Those that may vouch for a file, and its name there: beside it, or beside its folder."""
    for output in (path, path.parent):
        manifest = output.with_name(output.name + MANIFEST) if output.name else None
        if manifest is not None and manifest.is_file():
            yield manifest, path.name


def _wrong(path: Path, manifest: Path, name: str) -> str:
    """What is wrong with a manifest as evidence for a file, or ''."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        stated = content["synthetic"] is True
        given = content.get("request", {}).get("conditions", [])
        hashes = {file["name"]: file["sha256"] for file in _files(content)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"a manifest is JSON that says what is synthetic, but '{manifest}' is none ({error})"
    if not stated:
        return f"what is committed is synthetic, but '{manifest}' does not say so of '{path}'"
    if given:
        return (
            f"what is committed is synthetic in all cells, but cells of '{path.name}' were given "
            "(--conditions), perhaps from real rows; declare it with --allow if they were not"
        )
    if name not in hashes:
        return f"a manifest lists the files of its output, but '{manifest}' has no '{name}'"
    if hashes[name] != _hash(path):
        return (
            f"a synthetic file is as it was written, but the hash of '{path}' is not that in "
            f"'{manifest}'; sample again, or find out what was put in"
        )
    return ""


def _files(content: dict[str, Any]) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = content["output"]["files"]
    return files


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
