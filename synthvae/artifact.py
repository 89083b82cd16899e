"""One file for a fitted model: safetensors weights, and JSON for everything else. Never pickle.

The file is a valid safetensors file; its header holds the JSON and a SHA-256 of all content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from synthvae import artifact_header
from synthvae.artifact_header import FORMAT, VERSION
from synthvae.files import write_bytes


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
    data = artifact_header.read_bytes(path)
    header = artifact_header.header_of(data, path)
    try:
        weights = load_tensors(data)
        content = json.loads(header["artifact"])
        expected = header["sha256"]
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise artifact_header.damaged(path, error) from error
    if _digest(header["artifact"], weights) != expected:
        raise artifact_header.altered(path)
    return Artifact(content, weights)


def _digest(text: str, weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(weights):
        value = weights[name]
        digest.update(f"{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        digest.update(value.detach().contiguous().view(-1).numpy().tobytes())
    return digest.hexdigest()
