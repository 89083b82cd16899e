"""The certificate of a private model, as a file that travels with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from synthvae.artifact import Artifact
from synthvae.files import write_bytes


def beside(model: Path) -> Path:
    """Where the certificate of a private model stands."""
    return model.with_name(f"{model.stem}.privacy_certificate.json")


def names(model: Path) -> bool:
    """Whether the certificate beside `model` is of a file of that name: models of one stem and
    other endings share a place."""
    try:
        return model.name in json.loads(beside(model).read_text(encoding="utf-8"))["hashes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write(artifact: Artifact, model: Path) -> Path:
    """The certificate of a private `artifact`, saved at `model`, as a file beside it."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    claim = {**artifact.content["privacy"], "hashes": {model.name: f"sha256:{digest}"}}
    path = beside(model)
    write_bytes(path, (json.dumps(claim, indent=2) + "\n").encode())
    return path
