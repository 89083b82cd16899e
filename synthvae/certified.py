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


def write(artifact: Artifact, model: Path) -> Path:
    """The certificate of a private `artifact`, saved at `model`, as a file beside it."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    claim = {**artifact.content["privacy"], "hashes": {model.name: f"sha256:{digest}"}}
    path = beside(model)
    write_bytes(path, (json.dumps(claim, indent=2) + "\n").encode())
    return path
