"""One file for a fitted model: safetensors weights, and JSON for everything else. Never pickle.

The file is a valid safetensors file; its header holds the JSON and a SHA-256 of all content.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from synthvae.errors import ArtifactError
from synthvae.files import write_bytes

FORMAT, VERSION = "synthvae", 3


@dataclass(frozen=True)
class Artifact:
    """`content`: plain JSON (codecs, layout, spec, history); `weights`: by parameter name."""

    content: Mapping[str, Any]
    weights: Mapping[str, Tensor]

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        write_bytes(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        weights = {name: self.weights[name].contiguous() for name in sorted(self.weights)}
        text = json.dumps(self.content, sort_keys=True, allow_nan=False)
        header = {"version": VERSION, "sha256": _digest(text, weights), "artifact": text}
        # One entry, because safetensors writes several in an order that changes from run to run.
        return save_tensors(weights, metadata={FORMAT: json.dumps(header)})


def load(path: Path) -> Artifact:
    """Read and check a model file. ArtifactError says what is wrong with it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"a model is a file that 'synthvae fit' wrote, but '{path}' can't be read "
            f"({error.strerror}); check the path"
        ) from error
    header = _header(data, path)
    try:
        weights = load_tensors(data)
        content = json.loads(header["artifact"])
        expected = header["sha256"]
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"a model file is whole, but '{path}' is truncated or damaged ({error}); "
            "copy it again or fit again"
        ) from error
    if _digest(header["artifact"], weights) != expected:
        raise ArtifactError(
            f"a model file is as 'synthvae fit' wrote it, but the content of '{path}' does not "
            "match its hash; it was altered or damaged, do not use it"
        )
    return Artifact(content, weights)


def _header(data: bytes, path: Path) -> dict[str, Any]:
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


def _digest(text: str, weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(weights):
        value = weights[name]
        digest.update(f"{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        digest.update(value.detach().contiguous().view(-1).numpy().tobytes())
    return digest.hexdigest()
