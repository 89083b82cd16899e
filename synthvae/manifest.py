"""The note beside an output: that it is synthetic, what made it, and the hash of every file.

No time and no path stands in it unless asked for: the same run gives the same manifest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from synthvae.errors import TableError
from synthvae.files import write_bytes
from synthvae.outputs.formats import FORMATS
from synthvae.outputs.record import Written

FORMAT = "synthvae-manifest/1"
KEY = "synthvae"
"""Under which Parquet and Arrow files hold the manifest, without `output`."""

_NEEDED = ("model", "request", "rows", "schema", "output")


def metadata_of(stated: Mapping[str, Any]) -> dict[str, str]:
    """Key-value metadata of a Parquet or Arrow file."""
    return {KEY: json.dumps(stated, sort_keys=True)}


def write(
    path: Path, stated: Mapping[str, Any], output: Mapping[str, Any], files: Sequence[Written]
) -> None:
    """Write the manifest of an output: `output` says what kind it is."""
    entries = [asdict(file) for file in files]
    content = {**stated, "output": {**output, "files": entries}}
    write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def read(path: Path) -> dict[str, Any]:
    """A manifest. TableError if there is none, or if it is not one of ours."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise TableError(
            f"an output is proved against the manifest beside it, but '{path}' can't be read "
            f"({error.strerror}); name the manifest with --manifest, or sample again"
        ) from error
    except ValueError as error:
        raise TableError(
            f"a manifest is JSON, but '{path}' is not ({error}); sample again"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else "no object"
        raise TableError(
            f"this synthvae reads manifests of format {FORMAT}, but '{path}' has {found!r}; "
            "use the synthvae that wrote it"
        )
    lacking = [key for key in _NEEDED if key not in content]
    output = content.get("output")
    parts = output if isinstance(output, dict) else {}
    needed = ("kind", "files") if parts.get("kind") == "database" else ("kind", "format", "files")
    lacking += [f"output.{key}" for key in needed if key not in parts]
    if lacking:
        raise TableError(
            f"a manifest is as 'synthvae sample' wrote it, but '{path}' lacks "
            f"{', '.join(lacking)}; sample again"
        )
    if not _is_whole(content):
        raise TableError(
            f"a manifest is as 'synthvae sample' wrote it, but '{path}' was changed: what stands "
            "in it is not of the types that it had; sample again"
        )
    return content


def _is_whole(content: Mapping[str, Any]) -> bool:
    """Whether all that is read of a manifest is there and of its type."""
    output, model = content["output"], content["model"]
    try:
        files = [Written(**entry) for entry in output["files"]]
        columns = [(c["name"], c["type"], c["unique"]) for c in content["schema"]]
        return (
            all(map(_is_file, files))
            and all(tuple(map(type, column)) == (str, str, bool) for column in columns)
            and isinstance(content["request"], dict)
            and type(content["rows"]) is int
            and re.fullmatch("[0-9a-f]{64}", model["sha256"]) is not None
            and (output["kind"] == "database" or output["format"] in FORMATS)
        )
    except (KeyError, TypeError, AttributeError):
        return False


def _is_file(file: Written) -> bool:
    return tuple(map(type, astuple(file))) == (str, int, int, str)
