"""Rows drawn after the calibration hold classes as often as the wanted ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from synthvae import opening
from synthvae.artifact import Artifact
from synthvae.calibrating import calibrate
from synthvae.model.values import Rows
from synthvae.sampling import Sampler
from synthvae.table import from_frame


def drawn(sampler: Sampler, rows: int) -> Rows:
    free = sampler.fixed({})
    starts = range(0, rows, sampler.block_rows)
    return Rows.joined([Rows.of(sampler.draw(start, 99, free)) for start in starts])


def apart(sampler: Sampler, wanted: Rows) -> list[float]:
    """Total variation of each modelled block that is present in every row."""
    found, blocks = drawn(sampler, 20_000), sampler.model.modelled.codes
    sizes = [block.size for block in sampler.model.modelled.layout.of_kind("categorical")]
    off = []
    for block, size in zip(blocks, sizes, strict=True):
        if (wanted.codes[:, block] < 0).any():
            continue
        shares = [
            np.bincount(rows.codes[:, block].numpy(), minlength=size) / len(rows)
            for rows in (found, wanted)
        ]
        off.append(float(np.abs(shares[0] - shares[1]).sum() / 2))
    return off


@pytest.mark.parametrize("preset", ["arvae", "tvae", "cvae", "vq-vae"])
def test_shares_that_were_moved_come_back(
    preset: str, fitted: Callable[[str], Artifact], frame: pd.DataFrame
) -> None:
    artifact = fitted(preset)
    model, codec = opening.fitted(artifact)
    wanted = Rows.of(codec.encode(from_frame(frame), 3))
    wanted = Rows.joined([wanted] * 20)
    moves = 2 * torch.randn(model.heads.outputs, generator=torch.Generator().manual_seed(1))
    moves[model.heads.first_scalar :] = 0
    model.decoder.shift(moves)
    sampler = Sampler(model, codec, opening.conditions(artifact))
    before = apart(sampler, wanted)
    calibrate(sampler, wanted, 5, threads=1)
    after = apart(sampler, wanted)
    assert np.mean(before) > 0.2
    assert np.mean(after) < 0.1 * np.mean(before)


def test_what_is_not_in_every_row_stays(
    fitted: Callable[[str], Artifact], frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place within a cell is drawn for rows that have none, and counted for those that have."""
    artifact = fitted("cvae")
    model, codec = opening.fitted(artifact)
    wanted = Rows.of(codec.encode(from_frame(frame), 3))
    shifts: list[torch.Tensor] = []
    monkeypatch.setattr(model.decoder, "shift", shifts.append)
    calibrate(Sampler(model, codec, opening.conditions(artifact)), wanted, 5, threads=1)
    absent = (wanted.part(model.modelled).codes < 0).any(dim=0)
    assert absent.any()
    assert not absent.all()
    moves = [shifts[0][model.heads.span(block)].any() for block in range(len(absent))]
    assert [bool(moved) for moved in moves] == [not gone for gone in absent]


def test_the_same_whatever_the_threads(
    fitted: Callable[[str], Artifact], frame: pd.DataFrame
) -> None:
    found = []
    for threads in (1, 2):
        artifact = fitted("arvae")
        model, codec = opening.fitted(artifact)
        wanted = Rows.joined([Rows.of(codec.encode(from_frame(frame), 3))] * 30)
        calibrate(Sampler(model, codec, opening.conditions(artifact)), wanted, 5, threads)
        found.append(model.state_dict())
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())
