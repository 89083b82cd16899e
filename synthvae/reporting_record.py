"""How a report came about: files and their hashes, versions, what stood in for what."""

from __future__ import annotations

import hashlib
import platform
import re
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from synthvae import __version__
from synthvae.report.content import Json, Made
from synthvae.reporting_inputs import Asked, Trio

if TYPE_CHECKING:
    from synthvae.artifact import Artifact

PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy", "sdmetrics", "torch", "matplotlib")
_FOLDERS = re.compile(r"^(--[\w-]+=|-\w)?.*[/\\]")  # behind an option that the path is written to


def made_of(asked: Asked, trio: Trio, artifact: Artifact | None) -> Made:
    """No path, but names of files: a report travels."""
    rows = {role: len(table) for role, table in trio.tables.items()}
    files = [
        _file(role, path, rows.get(role))
        for role, path in (
            ("real", asked.real), ("holdout", asked.holdout), ("synthetic", asked.synthetic),
            ("model", asked.model), ("metadata", asked.metadata), ("audit", asked.audit),
            ("check", asked.check), ("certificate", asked.certificate), ("log", asked.log),
        )
        if path is not None
    ]  # fmt: skip
    command = without_folders(asked.command)
    return Made(command, __version__, files, _packages(), _fitted(artifact), _notes(asked, trio))


def without_folders(command: str) -> str:
    """A command line in which each path is the name of its file."""
    words = (word.rstrip("/\\") for word in shlex.split(command))
    return shlex.join(_FOLDERS.sub(r"\1", word) for word in words)


def _notes(asked: Asked, trio: Trio) -> list[str]:
    notes = []
    if trio.stood_in:
        notes.append(
            f"no holdout was given: {len(trio.holdout):,} of the real rows, drawn at random, stand "
            "in. Floors are those of fresh rows, but a generator that has learnt these rows by "
            "heart would look as good as one that has not"
        )
    elif asked.holdout is None:
        notes.append("the holdout are the rows that the fit left out")
    if asked.synthetic is None:
        notes.append(
            f"the synthetic rows are the first {len(trio.synthetic):,} that the model draws at "
            f"seed {asked.seed}"
        )
    return notes


def _file(role: str, path: str | Path, rows: int | None) -> Json:
    source = Path(path)
    known = source.is_file()
    digest = hashlib.sha256(source.read_bytes()).hexdigest() if known else None
    return {"role": role, "name": source.name, "sha256": digest, "rows": rows}


def _packages() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _fitted(artifact: Artifact | None) -> Json | None:
    """How the model was fitted, without a loss. Of a private one no number of rows: it is one."""
    if artifact is None:
        return None
    held, settings = artifact.content, artifact.content["settings"]
    training = held["training"]
    private = bool(held.get("privacy"))
    return {
        "synthvae": held["synthvae"],
        "preset": settings["preset"],
        "seed": settings["seed"],
        "target": settings["target"],
        "private": private,
        "rows": None if private else training["rows"],
        "parameters": training["parameters"],
        "epochs": training["epochs"],
        "stopped": training["stopped"],
    }
