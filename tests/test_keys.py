"""Keys of drawn rows: unique at any number, none of the real ones, or those of another table."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae import Synthesizer, opening
from synthvae.artifact import Artifact
from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.parts import Draw
from synthvae.codecs.relations import column_of
from synthvae.delivery import Drawer, deliver
from synthvae.errors import SchemaError, UsageError
from synthvae.keys import avoiding, check_room, pooled
from synthvae.layout import Encoded
from synthvae.outputs.places import place_of
from synthvae.requests import Request
from synthvae.schema import MISSING
from synthvae.table import from_frame

MILLIONS = 2_000_000


def codec_of(texts: list[str], regex: str | None = None) -> IdentifierCodec:
    return IdentifierCodec.fit(column_of("id", pa.array(texts)), MISSING, regex)


def keys(codec: IdentifierCodec, rows: int, start: int = 0, seed: int = 0) -> list[str]:
    empty = Encoded(np.empty((rows, 0), np.int32), np.empty((rows, 0), np.float32))
    return codec.decode(empty, Draw(seed, start), "text").to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "codec",
    [
        codec_of([f"C{536379 + i}" if i % 9 == 0 else f"{536379 + i}" for i in range(2000)]),
        codec_of(["x"], r"[A-Z]{2}-\d{6}"),
        codec_of([str(i * 7919 % 10**9) for i in range(2000)]),
    ],
)
def test_two_million_keys_are_unique_and_quick(codec: IdentifierCodec):
    started = time.process_time()
    block = 8192
    seen: set[str] = set()
    for start in range(0, MILLIONS, block):
        seen.update(keys(codec, min(block, MILLIONS - start), start))
    assert len(seen) == MILLIONS
    assert time.process_time() - started < 20


def test_none_is_a_real_one_when_those_are_known():
    real = [f"K-{i:04d}" for i in range(0, 10_000, 2)]
    codec = codec_of(real)
    frame = pd.DataFrame({"id": real})
    free = set(keys(codec, 10_000)) - set(real)
    assert len(free) == 5000  # half of the form is taken
    from dataclasses import replace

    avoids = replace(codec, avoid=tuple(from_frame(frame)["id"].texts))
    drawn = keys(avoids, 5000)
    assert not set(drawn) & set(real)
    assert len(set(drawn)) == 5000
    assert keys(avoids, 50) == drawn[:50]
    longer = keys(avoids, 7000)
    assert len(set(longer)) == 7000
    assert not set(longer) & set(real)


def test_a_declared_form_does_not_give_way():
    codec = codec_of(["A-01"], r"A-\d{2}")
    assert codec.short_of(100) is None
    with pytest.raises(SchemaError, match=r"it has 100 texts, and 101 rows .* widen"):
        codec.short_of(101)
    seen = codec_of([f"A-{i:02d}" for i in range(50)])
    assert "longer" in str(seen.short_of(101))


def test_lengths_and_alternatives_are_forms():
    codec = codec_of(["x"], r"(C|)\d{3,4}")
    drawn = keys(codec, 5000)
    assert len(set(drawn)) == 5000
    assert all(re.fullmatch(r"C?\d{3,4}", text) for text in drawn)
    kinds = {(len(text), text[0] == "C") for text in drawn}
    assert kinds == {(3, False), (4, False), (4, True), (5, True)}
    again = IdentifierCodec.from_json(codec.to_json())
    assert again == codec


def test_rows_of_a_model(
    fitted: Callable[[str], Artifact], frame: pd.DataFrame, tmp_path: Path, cli
):
    artifact = fitted("tvae")
    codec = opening.sampler(artifact).codec
    assert check_room(codec, 1000) == []
    with pytest.raises(SchemaError, match="no column 'customer_id'"):
        avoiding(codec, from_frame(frame.drop(columns="customer_id")))
    pool = from_frame(pd.DataFrame({"customer_id": ["P1", "P2", None]}))["customer_id"]
    sampler = opening.sampler(artifact)
    sampler.codec = pooled(codec, {"customer_id": pool})
    (rows,) = sampler.chunks(2, 0, "text")
    assert set(rows["customer_id"].to_pylist()) == {"P1", "P2"}
    assert check_room(sampler.codec, 2) == []
    with pytest.raises(SchemaError, match="the pool has 2 and 3 rows are asked for"):
        check_room(sampler.codec, 3)
    with pytest.raises(UsageError, match="'group' is none"):
        pooled(codec, {"group": pool})
    model = Synthesizer()
    model._artifact = artifact
    drawn = model.sample(2000, real=frame)
    assert not set(drawn.customer_id) & set(frame.customer_id)
    assert drawn.customer_id.is_unique
    rest = model.sample(2000).drop(columns="customer_id")
    assert drawn.drop(columns="customer_id").equals(rest)


def test_a_pooled_column_repeats_unless_it_is_a_key():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"shop": [f"S{i:02d}" for i in range(400)], "day": rng.choice(list("abcde"), 400)}
    )
    metadata = {
        "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
        "primary_key": ["shop", "day"],
        "columns": {"shop": {"sdtype": "id"}, "day": {"sdtype": "categorical"}},
    }
    settings = {"training": {"epochs": 1, "batch": 100}}
    model = Synthesizer("tvae", settings=settings).fit(frame, metadata)
    pool = from_frame(pd.DataFrame({"shop": [f"P{i}" for i in range(40)]}))["shop"]
    sampler = opening.sampler(model.artifact)
    sampler.codec = pooled(sampler.codec, {"shop": pool})
    rows = pa.concat_tables(sampler.chunks(100, 0, "text")).to_pandas()
    assert rows["shop"].duplicated().any()
    assert not rows.duplicated().any()
    with pytest.raises(UsageError, match="'shop', 'day': no two rows alike"):
        list(sampler.chunks(201, 0, "text"))


def test_from_the_command_line(
    model_file: Path, csv: Path, frame: pd.DataFrame, tmp_path: Path, cli
):
    out, pool = tmp_path / "new.csv", tmp_path / "pool.csv"
    result = cli("sample", "-n", 500, "-m", model_file, "-o", out, "--real", csv)
    assert result.exit_code == 0, result.output
    assert not set(pd.read_csv(out).customer_id) & set(frame.customer_id)
    pool.write_text("\n".join(["key", *(f"P{i}" for i in range(50))]))
    arguments = ("sample", "-n", 50, "-m", model_file, "-o", out, "--force")
    result = cli(*arguments, "--pool", f"customer_id={pool}:key")
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(out).customer_id) == {f"P{i}" for i in range(50)}
    assert cli(*arguments, "-n", 51, "--pool", f"customer_id={pool}:key").exit_code == 3
    assert cli(*arguments, "--pool", f"customer_id={pool}").exit_code == 2
    assert cli(*arguments, "--pool", "customer_id").exit_code == 2


def test_a_manifest_names_no_hash_of_real_rows(
    cli, model_file: Path, csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.csv"
    done = cli("sample", "-n", 9, "-m", model_file, "-o", out, "--real", csv, "--force")
    assert done.exit_code == 0, done.output
    noted = (tmp_path / "o.csv.manifest.json").read_text()
    assert json.loads(noted)["request"]["keys"] == ["--real"]
    assert hashlib.sha256(csv.read_bytes()).hexdigest() not in noted
    done = cli("verify", out, "-m", model_file)
    assert done.exit_code == 2
    assert "but --real had a say" in " ".join(done.stderr.split())


def test_a_run_does_not_go_on_with_other_keys(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.outputs.single.KEEP_FROM", 1)
    monkeypatch.setattr("synthvae.outputs.staging.ROW_GROUP", 8_000)
    drawer, place = Drawer.of(model_file), place_of(str(tmp_path / "o.csv"), None, None)

    def stop(rows: int) -> None:
        if rows > 16_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(drawer, Request(40_000, files=("a",)), place, watch=stop)
    with pytest.raises(UsageError, match="request differ"):
        deliver(drawer, Request(40_000, files=("b",)), place, resume=True)
    assert deliver(drawer, Request(40_000, files=("a",)), place, resume=True)
