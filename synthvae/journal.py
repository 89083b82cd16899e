"""Losses as training goes, and every few epochs rows to look at.

Reconstructions stand beside the real rows they were made from: the folder is as private as the
table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import TableCodec
from synthvae.files import write_bytes
from synthvae.layout import Encoded
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.seeds import stream
from synthvae.training.checkpoint import Progress
from synthvae.writing import write_table

SHOWN = 10
EVERY = 10


class Journal:
    """A folder with `losses.jsonl`, from the first epoch on every tenth `epoch-0011/*.csv`, and in
    the end `latent.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, progress: Progress, model: Vae, codec: TableCodec, encoded: Encoded) -> None:
        """After an epoch; `encoded` are the training rows."""
        entries = [{"epoch": i + 1, **entry} for i, entry in enumerate(progress.history)]
        lines = "".join(json.dumps(entry) + "\n" for entry in entries)
        write_bytes(self.folder / "losses.jsonl", lines.encode())
        if progress.epoch % EVERY == 1:
            self._rows(progress.epoch, model, codec, encoded)

    def measured(self, latent: Mapping[str, float]) -> None:
        """After the fit: what was found of the latent."""
        write_bytes(self.folder / "latent.json", (json.dumps(latent, indent=2) + "\n").encode())

    @torch.no_grad()
    def _rows(self, epoch: int, model: Vae, codec: TableCodec, encoded: Encoded) -> None:
        """Ten real rows, the same rows through the latent, new rows, and the way between two."""
        rng = stream(0, "journal")
        real = encoded.rows(np.arange(min(SHOWN, len(encoded))))
        rows = Rows.of(real)
        size = len(rows)
        noise = model.noise(rng, size)
        given = rows.part(model.given)
        means = model.encode(rows, noise.latent).mean
        steps = torch.linspace(0, 1, size)[:, None]
        between = means[:1] * (1 - steps) + means[-1:] * steps
        views = {
            "real": real,
            "reconstructions": model.decode(means, given, noise).encoded(),
            "samples": model.sample(given, noise).encoded(),
            "interpolations": model.decode(between, given, noise).encoded(),
        }
        folder = self.folder / f"epoch-{epoch:04d}"
        folder.mkdir(exist_ok=True)
        for name, shown in views.items():
            table = codec.decode(shown, Draw(0, 0), "text")
            write_table(str(folder / f"{name}.csv"), [table], table.schema)
