"""A model file that is not as it was written says so, and never runs code."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import pytest
import torch

from synthvae import artifact as artifacts
from synthvae.artifact import Artifact
from synthvae.errors import ArtifactError


@pytest.fixture
def data() -> bytes:
    weights = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(2)}
    return Artifact({"x": [1, "é"], "y": None}, weights).to_bytes()


def load(data: bytes, tmp_path: Path) -> Artifact:
    path = tmp_path / "m.synthvae"
    path.write_bytes(data)
    return artifacts.load(path)


def test_round_trip(data: bytes, tmp_path: Path) -> None:
    loaded = load(data, tmp_path)
    assert loaded.content == {"x": [1, "é"], "y": None}
    assert torch.equal(loaded.weights["a"], torch.arange(6.0).reshape(2, 3))
    assert loaded.to_bytes() == data


def test_truncated_at_any_byte_is_an_error(data: bytes, tmp_path: Path) -> None:
    for length in range(0, len(data), 7):
        with pytest.raises(ArtifactError):
            load(data[:length], tmp_path)
    with pytest.raises(ArtifactError, match="truncated"):
        load(data[: len(data) // 2], tmp_path)


def test_any_flipped_byte_is_an_error(data: bytes, tmp_path: Path) -> None:
    for position in range(0, len(data), 5):
        changed = bytearray(data)
        changed[position] ^= 0x01
        try:
            loaded = load(bytes(changed), tmp_path)
        except ArtifactError:
            continue
        # Padding and the spelling of the header may change; what is read may not.
        assert loaded.to_bytes() == data


def test_tampered_content_is_named(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not match its hash"):
        load(data[:-1] + bytes([data[-1] ^ 1]), tmp_path)


@pytest.mark.parametrize(
    ("version", "words"),
    [(99, "upgrade synthvae"), (1, "of version 1; fit again"), (None, "is not; check the path")],
)
def test_another_version_is_named(
    data: bytes, tmp_path: Path, version: int | None, words: str
) -> None:
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    inner = json.loads(header["__metadata__"]["synthvae"])
    header["__metadata__"]["synthvae"] = json.dumps({**inner, "version": version})
    text = json.dumps(header, separators=(",", ":")).encode()
    newer = struct.pack("<Q", len(text)) + text + data[8 + length :]
    with pytest.raises(ArtifactError, match=words):
        load(newer, tmp_path)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('code from a model file ran')",))


@pytest.mark.parametrize(
    "foreign", [b"", b"hello", b"PK\x03\x04" + bytes(50), pickle.dumps(Bomb()), bytes(4096)]
)
def test_foreign_files_are_refused(foreign: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is not; check the path"):
        load(foreign, tmp_path)


def test_someone_elses_safetensors_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save

    with pytest.raises(ArtifactError, match="is not; check the path"):
        load(save({"w": torch.ones(3)}, metadata={"format": "pt"}), tmp_path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="No such file"):
        artifacts.load(tmp_path / "none.synthvae")
