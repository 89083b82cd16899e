"""The header of a model file, read without torch: what the model holds beside its weights.

The file is a valid safetensors file: eight bytes of length, a header of JSON, the tensors.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthvae.errors import ArtifactError

FORMAT, VERSION = "synthvae", 3
_KINDS = {  # safetensors' names of types, and torch's
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
    "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
}  # fmt: skip


def read_bytes(path: Path) -> bytes:
    """The file's bytes. ArtifactError if it can't be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"a model is a file that 'synthvae fit' wrote, but '{path}' can't be read "
            f"({error.strerror}); check the path"
        ) from error


@dataclass(frozen=True)
class Held:
    """A model file without its weights. `content`: as in `artifact.Artifact`."""

    content: Mapping[str, Any]


def load(path: Path) -> Held:
    """What `artifact.load` reads but for the weights, checked against the same hash of all that
    is in the file. ArtifactError says what is wrong with it."""
    data = read_bytes(path)
    header = header_of(data, path)
    try:
        digest = hashlib.sha256(header["artifact"].encode())
        for name, (kind, shape, tensor) in sorted(_tensors(data).items()):
            digest.update(f"{name}|{kind}|{shape}|".encode())
            digest.update(tensor)
        content = json.loads(header["artifact"])
        expected = header["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    if digest.hexdigest() != expected:
        raise altered(path)
    return Held(content)


def _tensors(data: bytes) -> Mapping[str, tuple[str, tuple[int, ...], bytes]]:
    """Type, shape and bytes of each tensor by name."""
    (length,) = struct.unpack("<Q", data[:8])
    entries = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    found = {}
    for name, entry in entries.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        if end > len(body):
            raise ValueError("a tensor ends after the file")
        kind = f"torch.{_KINDS[entry['dtype']]}"
        found[name] = (kind, tuple(entry["shape"]), bytes(body[start:end]))
    return found


def damaged(path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(
        f"a model file is whole, but '{path}' is truncated or damaged ({error}); "
        "copy it again or fit again"
    )


def altered(path: Path) -> ArtifactError:
    return ArtifactError(
        f"a model file is as 'synthvae fit' wrote it, but the content of '{path}' does not "
        "match its hash; it was altered or damaged, do not use it"
    )


def header_of(data: bytes, path: Path) -> dict[str, Any]:
    """The safetensors header's own entries, checked for format and version before all else."""
    foreign = ArtifactError(
        f"a model is a file that 'synthvae fit' wrote, but '{path}' is not; check the path"
    )
    if len(data) < 8:
        raise foreign
    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        # A cut file still begins like one of ours; anything else does not begin with JSON.
        ours = data[8:].startswith(f'{{"__metadata__":{{"{FORMAT}":'.encode())
        raise _truncated(path) if ours else foreign
    try:
        header = dict(json.loads(json.loads(data[8 : 8 + length])["__metadata__"][FORMAT]))
        version = int(header["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise foreign from error
    if version > VERSION:
        raise ArtifactError(
            f"this synthvae reads model files up to version {VERSION}, but '{path}' is of version "
            f"{version}; upgrade synthvae"
        )
    if version < VERSION:
        raise ArtifactError(
            f"this synthvae reads model files of version {VERSION}, but '{path}' is of version "
            f"{version}; fit again, or read it with the synthvae that wrote it"
        )
    return header


def _truncated(path: Path) -> ArtifactError:
    return ArtifactError(
        f"a model file is whole, but '{path}' is truncated; copy it again or fit again"
    )
