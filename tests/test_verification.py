"""`synthvae verify`: what was written is proved, and whatever was changed since is found."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthvae import Synthesizer
from synthvae.verification import ranges_of

ROWS = 20_000
NAMES = ["a.csv", "a.csv.gz", "a.tsv", "a.parquet", "a.jsonl", "a.arrow", "parts/"]


@pytest.fixture(scope="module")
def written(cli, model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    for name in NAMES:
        parts = ("--rows-per-file", 7000) if name.endswith("/") else ()
        arguments = ("-m", model_file, "-o", f"{folder}/{name}", "--threads", 1, *parts)
        result = cli("sample", "-n", ROWS, *arguments)
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy, to be spoilt."""
    return Path(shutil.copytree(written, tmp_path / "copy"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [(), ("--rows", 9000)])
def test_what_was_written_is_proved(cli, written: Path, model_file: Path, name: str, rows) -> None:
    done = cli("verify", written / name, "-m", model_file, "--threads", 1, "--json", "-q", *rows)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["verified"]
    assert found["rows"] == ROWS
    assert found["redrawn"] == ROWS if not rows else 9000 <= found["redrawn"] <= 2 * 8192
    assert found["files"] == (3 if name == "parts/" else 1)


def test_the_manifest_is_the_same_each_time_and_says_it_is_synthetic(written: Path) -> None:
    noted = {name: json.loads((written / manifest(name)).read_text()) for name in NAMES}
    for name, content in noted.items():
        assert content["synthetic"] is True
        assert content["privacy"]["dp"] is False
        assert str(written) not in json.dumps(content)
        assert all(len(file["sha256"]) == 64 for file in content["output"]["files"])
        assert content.pop("output")["kind"] == ("parts" if name == "parts/" else "file")
    assert len({json.dumps(content) for content in noted.values()}) == 1
    inside = pq.read_schema(written / "a.parquet").metadata[b"synthvae"]
    assert json.loads(inside) == noted["a.parquet"]


def manifest(name: str) -> str:
    return f"{name.rstrip('/')}.manifest.json"


def spoil(path: Path) -> None:
    """Another value in row 15,000 of a file, that is still whole."""
    if path.is_dir():
        path = path / "part-00002.parquet"
    if path.suffix in (".parquet", ".arrow"):
        table = (
            pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(path).read_all()
        )
        at = 15_000 % 7000 if path.parent.name == "parts" else 14_999
        visits = table["visits"].to_pylist()
        visits[at] += 1
        table = table.set_column(4, table.schema.field(4), pa.array(visits))
        if path.suffix == ".parquet":
            pq.write_table(table, path)
            return
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
        return
    packed = path.suffix == ".gz"
    data = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    lines = data.split(b"\n")
    at = 14_999 if ".jsonl" in path.name else 15_000
    lines[at] = lines[at].replace(b"K-", b"Q-")
    spoilt = b"\n".join(lines)
    path.write_bytes(gzip.compress(spoilt) if packed else spoilt)


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_value_is_found_and_shown(cli, folder: Path, model_file: Path, name: str) -> None:
    spoil(folder / name)
    plain = cli("verify", folder / name)
    assert plain.exit_code == 1
    assert "is not the file that was written" in words(plain)
    drawn = cli("verify", folder / name, "-m", model_file, "--threads", 1)
    assert drawn.exit_code == 1
    row = "1,001" if name == "parts/" else "15,000"
    assert f"row {row} differs from what the model draws" in words(drawn)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_manifest_that_was_changed_too_is_found_by_the_model(
    cli, folder: Path, model_file: Path, name: str
) -> None:
    from synthvae.outputs.record import hash_of

    spoil(folder / name)
    note = folder / manifest(name)
    content = json.loads(note.read_text())
    file = content["output"]["files"][0]
    file |= {"sha256": hash_of(folder / name), "bytes": (folder / name).stat().st_size}
    note.write_text(json.dumps(content))
    assert cli("verify", folder / name, "-m", model_file, "--threads", 1).exit_code == 1


def test_missing_rows_files_and_strangers_are_found(cli, folder: Path, model_file: Path) -> None:
    lines = (folder / "a.csv").read_bytes().split(b"\n")
    (folder / "a.csv").write_bytes(b"\n".join(lines[:-10]) + b"\n")
    assert "19,991 rows, noted are 20,000" in words(cli("verify", folder / "a.csv"))
    (folder / "parts" / "part-00001.parquet").unlink()
    (folder / "parts" / "part-00009.parquet").write_bytes(b"")
    found = words(cli("verify", folder / "parts", "-m", model_file, "--threads", 1))
    assert "part-00001.parquet' is noted in the manifest, but it is not there" in found
    assert "part-00009.parquet' is not noted" in found


def test_another_model_or_seed_is_found(cli, folder: Path, tmp_path: Path, csv: Path) -> None:
    other = tmp_path / "other.synthvae"
    assert cli("fit", csv, "-o", other, "--epochs", 1, "--seed", 5).exit_code == 0
    done = cli("verify", folder / "a.csv", "-m", other)
    assert done.exit_code == 1
    assert "is not the model that is noted" in words(done)


def test_a_claim_that_was_changed_is_found_in_the_file(cli, folder: Path) -> None:
    note = folder / "a.parquet.manifest.json"
    content = json.loads(note.read_text())
    content["privacy"] = {"dp": True, "epsilon": 1}
    note.write_text(json.dumps(content))
    done = cli("verify", folder / "a.parquet")
    assert done.exit_code == 1
    assert "says otherwise than its manifest on privacy" in words(done)


def test_a_claim_that_is_not_the_model_s_is_found(cli, folder: Path, model_file: Path) -> None:
    note = folder / "a.csv.manifest.json"
    content = json.loads(note.read_text())
    for change in (
        {"privacy": {"dp": True, "statement": "epsilon 0.1"}},
        {"calibrations": [{"of": "nothing"}]},
        {"approved": True},
        {"model": content["model"] | {"preset": "other"}},
    ):
        note.write_text(json.dumps(content | change))
        done = cli("verify", folder / "a.csv", "-m", model_file, "--rows", 9, "--threads", 1)
        assert done.exit_code == 1
        said = f"the manifest says otherwise than '{model_file}' on {next(iter(change))}"
        assert said in words(done)
    note.write_text(json.dumps(content | {"created": "today"}))
    same = cli("verify", folder / "a.csv", "-m", model_file, "--rows", 9, "--threads", 1)
    assert same.exit_code == 0, same.output


@pytest.mark.parametrize(
    "damage",
    [
        {"rows": "many"},
        {"schema": [1]},
        {"schema": [{"name": "a"}]},
        {"model": []},
        {"model": {"sha256": "none"}},
        {"request": 3},
        {"request": {"rows": "many"}},
        {"request": {"rows": 5, "given": {"a": []}}},
        {"request": {"seed": 5}},
        {"output": {"kind": "file", "format": "docx", "files": []}},
        {"output": {"kind": "file", "format": "csv", "files": 3}},
        {"output": {"kind": "file", "format": "csv", "files": [{"name": "a.csv"}]}},
    ],
)
def test_a_damaged_manifest_is_bad_data(cli, folder: Path, model_file: Path, damage) -> None:
    note = folder / "a.csv.manifest.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | damage))
    done = cli("verify", folder / "a.csv", "-m", model_file)
    assert done.exit_code == 3, done.output
    assert "a manifest" in words(done)


def test_identifiers_that_come_twice_are_found(cli, folder: Path) -> None:
    lines = (folder / "a.csv").read_bytes().split(b"\n")
    lines[7] = lines[17_000]
    (folder / "a.csv").write_bytes(b"\n".join(lines))
    assert "'customer_id': no value comes twice, but 1 came again" in words(
        cli("verify", folder / "a.csv")
    )


def test_no_manifest_and_foreign_ones_are_bad_data(cli, folder: Path) -> None:
    assert cli("verify", folder / "nothing.csv").exit_code == 3
    (folder / "a.csv.manifest.json").write_text("{}")
    done = cli("verify", folder / "a.csv")
    assert done.exit_code == 3
    assert "reads manifests of format synthvae-manifest/1" in words(done)
    assert cli("verify", folder / "a.tsv", "--rows", 10).exit_code == 2


def test_a_sampler_proves_what_its_model_wrote(cli, written, model_file, tmp_path) -> None:
    sampler = tmp_path / "s.synthvae"
    assert cli("export", model_file, "--sampler-only", "-o", sampler).exit_code == 0
    assert cli("verify", written / "a.csv", "-m", sampler, "--threads", 1).exit_code == 0
    out = tmp_path / "b.csv"
    assert cli("sample", "-n", 300, "-m", sampler, "-o", out, "--threads", 1).exit_code == 0
    assert cli("verify", out, "-m", model_file, "--threads", 1).exit_code == 0
    half = tmp_path / "h.synthvae"
    assert cli("export", model_file, "--sampler-only", "--half", "-o", half).exit_code == 0
    assert cli("verify", out, "-m", half).exit_code == 1


def test_blocks_are_chosen_within_the_rows() -> None:
    assert ranges_of(100, None, False, 0) == [(0, 100)]
    some = ranges_of(1_000_000, 20_000, False, 0)
    assert len(some) == 3
    assert all(b - a == 8192 for a, b in some)
    assert some == sorted(set(some))
    assert ranges_of(1_000_000, 40_000, True, 0) == [(0, 32_768), (32_768, 40_000)]
    assert ranges_of(20_000, 19_000, False, 3)[-1][1] == 20_000


def words(result) -> str:
    return " ".join(result.stderr.split())


def test_moments_in_whole_seconds_are_proved_though_parquet_has_none(cli, tmp_path: Path) -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=300)).astype("datetime64[s]")
    model, out = tmp_path / "m.synthvae", tmp_path / "o.parquet"
    Synthesizer(settings={"training": {"epochs": 1}}).fit(pd.DataFrame({"at": days})).save(model)
    done = cli("sample", "-n", "50", "-m", model, "-o", out)
    assert done.exit_code == 0, done.output
    assert cli("verify", out, "-m", model).exit_code == 0
